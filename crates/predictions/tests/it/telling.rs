//! What the engine tells of its work: in which spans it is done, for whom, and how much of it there is.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;
use kit::{Clock, work::Work};
use predictions::{Outcome, load::Slots};
use telemetry::{
    Subject,
    trace::{self, TraceContext},
};

use crate::scripted::{Answer, Course, World, meta, order, signed};

fn context(traceparent: Option<&String>) -> TraceContext {
    traceparent.expect("a traceparent").parse().unwrap()
}

#[tokio::test]
async fn every_fact_is_stored_with_a_span_of_the_orders_trace_that_is_not_the_askers() {
    let world = World::new().await;
    let running = world.run();
    let asker = TraceContext::root();
    let asked = eventlog::Meta { traceparent: Some(asker.to_string()), ..meta() };
    running.engine.place(order("job-43/scene-2/take-1", "c"), asked).await.unwrap();
    let view = running.settled("job-43/scene-2/take-1").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    let events = world.log.load("order-job-43/scene-2/take-1", 0).await.unwrap();
    let mut spans = HashSet::new();
    for event in &events {
        let context = context(event.meta.traceparent.as_ref());
        assert_eq!(context.trace_id(), asker.trace_id(), "{}", event.kind);
        assert_ne!(context.span_id(), asker.span_id(), "{}", event.kind);
        spans.insert((context.span_id(), event.kind.clone()));
    }
    // Placed, bought (intended and accepted), ended, settled.
    let different: HashSet<_> = spans.iter().map(|(span, _)| span).collect();
    assert_eq!((events.len(), different.len()), (5, 4), "{spans:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_create_call_is_made_in_the_span_of_its_intent_and_for_the_take_that_is_wanted() {
    let world = World::new().await;
    let running = world.run();
    running.engine.place(order("job-43/scene-2/take-1", "c"), meta()).await.unwrap();
    running.settled("job-43/scene-2/take-1").await;
    let events = world.log.load("order-job-43/scene-2/take-1", 0).await.unwrap();
    let intended = events.iter().find(|event| event.kind == "AttemptIntended").unwrap();
    let created = world.provider.memory.lock().created_in.clone();
    let subject = Subject::of_key("job-43/scene-2/take-1");
    assert_eq!((subject.job, subject.take), (Some(43), Some(1)));
    assert_eq!(created, [(intended.meta.traceparent.clone(), Some(subject))]);
    running.stop().await;
}

#[tokio::test]
async fn a_webhook_that_came_in_another_trace_is_taken_into_the_orders() {
    let mut world = World::new().await;
    world.config.post_timeout = Duration::from_secs(20);
    world.config.orphan_margin = Duration::from_secs(3600);
    world.script([Answer::Silent], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("the call is made", |memory| memory.creates.len() == 1).await;
    running.kill();
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt: String = rows[0].get("id").unwrap();
    let body = br#"{"id":"p0","status":"starting"}"#;
    let (engine, request) = (world.engine(), TraceContext::root());
    assert!(trace::within(request, engine.webhook(&attempt, &signed(body), body)).await.unwrap());
    let events = world.log.load("order-a", 0).await.unwrap();
    let (placed, hinted) = (&events[0], events.last().unwrap());
    assert_eq!((placed.kind.as_str(), hinted.kind.as_str()), ("OrderPlaced", "ProviderHinted"));
    let (placed, hinted) =
        (context(placed.meta.traceparent.as_ref()), context(hinted.meta.traceparent.as_ref()));
    assert_eq!(hinted.trace_id(), placed.trace_id());
    assert_ne!(hinted.span_id(), placed.span_id(), "it has a span of its own");
    assert_ne!(hinted.trace_id(), request.trace_id());
}

#[tokio::test]
async fn what_waits_what_is_begun_and_which_slots_are_used_is_read_from_the_tables() {
    for world in [World::new().await, World::on_postgres().await] {
        counts_its_work(world).await;
    }
}

async fn counts_its_work(world: World) {
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let mut world = world.at(clock.clone());
    world.account.max_in_flight = 1;
    let engine = world.engine();
    assert_eq!(engine.work().await.unwrap(), Work::default());
    for key in ["a", "b"] {
        engine.place(order(key, "c"), meta()).await.unwrap();
        clock.advance(Duration::from_secs(30));
    }
    let longest_wait = Duration::from_secs(60);
    assert_eq!(engine.work().await.unwrap(), Work { due: 2, active: 0, longest_wait });
    assert_eq!(engine.slots().await.unwrap(), Slots { used: 0, limit: 1 });
    world.script([], [Course::Runs]);
    let running = world.run();
    world.until("one runs", |memory| memory.predictions.len() == 1).await;
    let (work, slots) = (running.engine.work().await.unwrap(), running.engine.slots().await.unwrap());
    assert_eq!((work.due, work.active, slots), (1, 1, Slots { used: 1, limit: 1 }));
    running.stop().await;
}
