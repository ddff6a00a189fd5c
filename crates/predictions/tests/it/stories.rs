//! Everything that is stored and called for an order belongs to the request that it comes from.

use std::collections::{HashMap, HashSet};

use predictions::{Outcome, ProviderError};

use crate::scripted::{Answer, Course, SECRET, World, meta, order, signed, signed_with};

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

#[tokio::test]
async fn a_new_webhook_secret_is_learned_and_forgeries_do_not_ask_for_it_again_and_again() {
    let clock = kit::Clock::manual(kit::Clock::system().now());
    let world = World::new().await.at(clock.clone());
    world.script([Answer::Taken], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it runs", |memory| memory.predictions.len() == 1).await;
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt: String = rows[0].get("id").unwrap();
    let body = br#"{"id":"p0"}"#;
    let hook = async |headers: HashMap<String, String>| {
        running.engine.webhook(&attempt, &headers, body).await.unwrap()
    };
    let told = || world.provider.memory.lock().secrets_told;
    assert!(hook(signed(body)).await);
    for _ in 0..20 {
        assert!(!hook(signed_with(b"a forger's secret", body)).await);
    }
    assert_eq!(told(), 1, "asked within a minute");
    world.provider.memory.lock().secret = Some(b"another secret of the provider".to_vec());
    clock.advance(std::time::Duration::from_secs(61));
    assert!(hook(signed_with(b"another secret of the provider", body)).await);
    assert_eq!(told(), 2);
    assert!(!hook(signed_with(SECRET, body)).await, "the old one does not count any more");
    running.stop().await;
}
