//! Everything that is stored and called for an order belongs to the request that it comes from.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use predictions::{Outcome, ProviderError};

use crate::scripted::{Answer, Course, Running, SECRET, World, meta, order, signed, signed_with};

const TRACE: &str = "0123456789abcdef0123456789abcdef";

fn trace_of(traceparent: Option<&String>) -> String {
    traceparent.map(|text| text[3..35].to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn an_order_is_one_trace_from_its_request_to_its_end_calls_included() {
    let world = World::new().await;
    world.script(
        [Answer::Dropped, Answer::Error(ProviderError::NotSent("refused".into()))],
        [Course::Fails("Internal error (E1000)")],
    );
    let asked = eventlog::Meta { traceparent: Some(format!("00-{TRACE}-0123456789abcdef-01")), ..meta() };
    let engine = world.engine();
    engine.place(order("a", "c"), asked).await.unwrap();
    // Another process carries it out.
    let running = world.run();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    let events = world.log.load("order-a", 0).await.unwrap();
    assert!(events.len() > 8, "{}", events.len());
    for event in events {
        assert_eq!(event.meta.correlation_id, "test", "{}", event.kind);
        assert_eq!(trace_of(event.meta.traceparent.as_ref()), TRACE, "{}", event.kind);
    }
    let calls: HashSet<String> =
        world.provider.memory.lock().traces.iter().map(|trace| trace_of(trace.as_ref())).collect();
    assert_eq!(calls, HashSet::from([TRACE.to_owned()]));
    running.stop().await;
}

#[tokio::test]
async fn an_order_without_a_trace_begins_one() {
    let world = World::new().await;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    running.settled("a").await;
    let events = world.log.load("order-a", 0).await.unwrap();
    let traces: HashSet<String> =
        events.iter().map(|event| trace_of(event.meta.traceparent.as_ref())).collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    assert!(!traces.contains(""));
    running.stop().await;
}

/// A world whose clock is moved by hand, its engine, and an attempt that runs.
async fn running_attempt(clock: &kit::Clock) -> (World, Running, String) {
    let world = World::new().await.at(clock.clone());
    world.script([Answer::Taken], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it runs", |memory| memory.predictions.len() == 1).await;
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt = rows[0].get("id").unwrap();
    (world, running, attempt)
}

const BODY: &[u8] = br#"{"id":"p0"}"#;
const NEW: &[u8] = b"another secret of the provider";
const FORGERS: &[u8] = b"a forger's secret";

#[tokio::test]
async fn a_new_webhook_secret_is_learned_both_count_meanwhile_and_no_webhook_is_lost() {
    let clock = kit::Clock::manual(kit::Clock::system().now());
    let (world, running, attempt) = running_attempt(&clock).await;
    let hook = async |secret: &[u8]| {
        let headers = signed_with(secret, BODY);
        running.engine.webhook(&attempt, &headers, BODY).await.map_err(|error| error.to_string())
    };
    let told = || world.provider.memory.lock().secrets_told;
    assert_eq!((hook(SECRET).await, told()), (Ok(true), 1));
    world.provider.memory.lock().secret = Some(NEW.to_vec());
    // Asked a moment ago: whether it is forged or signed with a newer secret is not known yet.
    let again = hook(NEW).await.unwrap_err();
    assert!(again.contains("cannot be checked at the moment"), "{again}");
    clock.advance(Duration::from_secs(10));
    // What came meanwhile is sent again, all of it at once.
    let all = futures::future::join_all((0..20).map(|_| hook(NEW))).await;
    assert!(all.iter().all(|taken| *taken == Ok(true)), "{all:?}");
    assert_eq!(told(), 2);
    assert_eq!(hook(SECRET).await, Ok(true), "what was signed before the change is on its way");
    clock.advance(Duration::from_secs(300));
    assert_eq!(hook(SECRET).await, Ok(false), "the old one does not count any more");
    assert_eq!((hook(NEW).await, told()), (Ok(true), 3));
    running.stop().await;
}

#[tokio::test]
async fn forgeries_do_not_have_the_provider_asked_for_its_secret_again_and_again() {
    let clock = kit::Clock::manual(kit::Clock::system().now());
    let (world, running, attempt) = running_attempt(&clock).await;
    let hook = async |headers: HashMap<String, String>| {
        running.engine.webhook(&attempt, &headers, BODY).await.map_err(|error| error.to_string())
    };
    let told = || world.provider.memory.lock().secrets_told;
    assert_eq!(hook(HashMap::new()).await, Ok(false), "unsigned");
    assert_eq!(told(), 0, "no secret would make it good");
    assert_eq!(hook(signed_with(FORGERS, BODY)).await, Ok(false));
    for _ in 0..20 {
        hook(signed_with(FORGERS, BODY)).await.unwrap_err();
        assert_eq!(hook(signed(BODY)).await, Ok(true), "what is genuine is taken meanwhile");
    }
    assert_eq!(told(), 1);
    clock.advance(Duration::from_secs(10));
    assert_eq!((hook(signed_with(FORGERS, BODY)).await, told()), (Ok(false), 2));
    running.stop().await;
}
