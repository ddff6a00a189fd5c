//! What every bus does, whatever carries the messages. A new backend passes by a line at the end.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bus::{Message, Published, TranslateError, subjects::durable};
use eventlog::{Append, Meta, NewEvent, StoredEvent};
use futures::future::join_all;
use serde_json::json;
use telemetry::trace::TraceContext;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{DEADLINE, DURABLE, World, number};

async fn a_message_carries_all_its_members(world: World) {
    world.register();
    let at = "2026-03-01T12:00:00.123456Z".parse().unwrap();
    let data = json!({ "number": 7, "text": "Zürich\n\"☃\"", "none": null, "list": [1.5, true, {}] });
    let stored = TraceContext::root();
    let full =
        Meta { correlation_id: "request-1".into(), traceparent: Some(stored.to_string()), ..Meta::default() };
    let ids = [Uuid::now_v7(), Uuid::now_v7()];
    for (id, meta) in ids.into_iter().zip([full.clone(), Meta::default()]) {
        let event = NewEvent::new(id, "Finished", data.clone(), at).meta(meta);
        world.producer.append(Append::to("43-2").events([event])).await.unwrap();
    }
    let expected = |id, position, traceparent, meta: Meta| Message {
        id,
        source: "render".into(),
        subject: "filmstrip.render.v1.43-2.render_finished".into(),
        entity: "43-2".into(),
        name: "render_finished".into(),
        position,
        recorded_at: at,
        traceparent,
        correlation_id: meta.correlation_id,
        data: data.clone(),
    };
    let mut collector = world.collect(DURABLE);
    let traced = collector.next().await;
    assert_eq!(traced, expected(ids[0], 1, traced.traceparent.clone(), full));
    assert_eq!(context(&traced).trace_id(), stored.trace_id());
    assert_eq!(collector.next().await, expected(ids[1], 2, None, Meta::default()));
    collector.stop().await;
}

fn context(message: &Message) -> TraceContext {
    message.traceparent.as_deref().unwrap().parse().unwrap()
}

/// In a span of its own, which the message names, whether it is alone or one of a batch.
async fn what_a_message_leads_to_belongs_to_its_trace(world: World) {
    world.register();
    let stored = [(); 3].map(|()| TraceContext::root());
    let events = stored.iter().zip(0..).map(|(stored, number)| {
        let meta = Meta { traceparent: Some(stored.to_string()), ..Meta::default() };
        let at = jiff::Timestamp::UNIX_EPOCH;
        NewEvent::new(Uuid::now_v7(), "Finished", json!({ "number": number }), at).meta(meta)
    });
    world.producer.append(Append::to("e").events(events)).await.unwrap();
    for (durable, most) in [(durable::JOB_RENDER, 1), (durable::JOB_STITCH, 3)] {
        let (sender, mut arrived) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let running = world.subscription(durable).run_batches(cancel.clone(), most, move |messages| {
            let sender = sender.clone();
            async move { Ok(sender.send((messages, telemetry::trace::traceparent()))?) }
        });
        let running = tokio::spawn(running);
        let mut handled = Vec::new();
        while handled.len() < stored.len() {
            let next = tokio::time::timeout(DEADLINE, arrived.recv()).await.expect("no message");
            let (messages, within) = next.unwrap();
            match &*messages {
                [one] => assert_eq!(within, one.traceparent),
                _ => assert_eq!(within, None, "they belong to different traces"),
            }
            handled.extend(messages.iter().map(context));
        }
        for (handled, stored) in handled.iter().zip(&stored) {
            assert_eq!(handled.trace_id(), stored.trace_id());
            assert_ne!(handled.span_id(), stored.span_id());
        }
        cancel.cancel();
        running.await.unwrap();
    }
}

async fn a_late_subscriber_reads_from_the_beginning(world: World) {
    world.register();
    for batch in 0..3 {
        world.append(&format!("e-{batch}"), "Finished", batch * 100..batch * 100 + 100).await;
    }
    let mut early = world.collect(durable::JOB_RENDER);
    assert_eq!(early.numbers(300).await, (0..300).collect::<Vec<_>>());
    let mut late = world.collect(durable::JOB_STITCH);
    assert_eq!(late.numbers(300).await, (0..300).collect::<Vec<_>>());
    early.stop().await;
    late.stop().await;
}

/// Under the same ids, so that consumers can drop what they know.
async fn every_durable_gets_every_message(world: World) {
    world.register();
    let mut collectors =
        [durable::JOB_RENDER, durable::JOB_STITCH, durable::JOB_AUDIO].map(|durable| world.collect(durable));
    world.append("e", "Finished", 0..20).await;
    let events = world.producer.read_all(0, 20).await.unwrap();
    for collector in &mut collectors {
        for event in &events {
            let message = collector.next().await;
            assert_eq!((message.id, message.position), (event.id, event.position));
        }
    }
    join_all(collectors.map(crate::world::Collector::stop)).await;
}

async fn a_durable_goes_on_where_it_was_after_a_restart(mut world: World) {
    world.register();
    world.append("e", "Finished", 0..5).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(5).await, [0, 1, 2, 3, 4]);
    collector.stop().await;
    world.append("e", "Finished", 5..8).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(3).await, [5, 6, 7]);
    collector.stop().await;
    world.restart().await;
    world.register();
    world.append("e", "Finished", 8..10).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(2).await, [8, 9]);
    collector.stop().await;
}

async fn a_source_may_be_registered_after_its_subscribers(world: World) {
    world.append("e", "Finished", [1]).await;
    let mut collector = world.collect(DURABLE);
    world.register();
    assert_eq!(collector.numbers(1).await, [1]);
    collector.stop().await;
}

async fn a_subscription_to_nothing_stops_when_told(world: World) {
    world.collect(DURABLE).stop().await;
}

async fn messages_of_an_entity_keep_their_order_under_many_writers(world: World) {
    world.register();
    let mut collector = world.collect(DURABLE);
    let writers = (0..8).map(|writer| {
        let world = &world;
        async move {
            for number in 0..20 {
                world.append(&format!("e-{writer}"), "Finished", [number]).await;
            }
        }
    });
    join_all(writers).await;
    let mut next = HashMap::<String, u64>::new();
    for _ in 0..160 {
        let message = collector.next().await;
        let expected = next.entry(message.entity.clone()).or_default();
        assert_eq!(number(&message), *expected, "{}", message.entity);
        *expected += 1;
    }
    collector.stop().await;
}

async fn a_failing_handler_gets_the_message_again_until_it_succeeds(world: World) {
    world.register();
    world.append("e", "Finished", 0..5).await;
    let (sender, mut handled) = mpsc::unbounded_channel();
    let tries = Arc::new(AtomicU64::new(0));
    let (counted, cancel) = (Arc::clone(&tries), CancellationToken::new());
    let subscription = world.subscription(DURABLE);
    let health = subscription.health();
    let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
        let (sender, tries) = (sender.clone(), Arc::clone(&counted));
        async move {
            let fails = number(&message) == 1 && tries.fetch_add(1, Ordering::SeqCst) < 3;
            anyhow::ensure!(!fails, "the table is locked");
            Ok(sender.send(number(&message))?)
        }
    }));
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(tokio::time::timeout(DEADLINE, handled.recv()).await.expect("no message").unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4], "each is handled once it can be, and none is lost");
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(health.borrow().failures, 0);
}

async fn a_message_that_is_not_handled_is_told_and_comes_again_after_a_restart(mut world: World) {
    world.register();
    world.append("e", "Finished", 0..3).await;
    let cancel = CancellationToken::new();
    let subscription = world.subscription(DURABLE);
    let mut health = subscription.health();
    let running = tokio::spawn(subscription.run(cancel.clone(), |message| async move {
        anyhow::ensure!(number(&message) < 1, "no room for {}", number(&message));
        Ok(())
    }));
    let stuck = tokio::time::timeout(DEADLINE, health.wait_for(|health| health.failures >= 3)).await;
    let error = stuck.unwrap().unwrap().last_error.clone().unwrap();
    let told = ["no room for 1", "filmstrip.render.v1.e.render_finished"];
    assert!(told.iter().all(|told| error.contains(told)), "{error}");
    cancel.cancel();
    running.await.unwrap();
    world.restart().await;
    world.register();
    let mut collector = world.collect(DURABLE);
    let mut again = collector.numbers(2).await;
    again.sort_unstable();
    assert_eq!(again, [1, 2]);
    collector.stop().await;
}

async fn a_stuck_subscription_does_not_hold_up_another(world: World) {
    world.register();
    world.append("e", "Finished", 0..3).await;
    let cancel = CancellationToken::new();
    let (sender, mut reached) = mpsc::unbounded_channel();
    let subscription = world.subscription(durable::JOB_STITCH);
    let stuck = tokio::spawn(subscription.run(cancel.clone(), move |_| {
        let sender = sender.clone();
        async move {
            sender.send(())?;
            std::future::pending().await
        }
    }));
    tokio::time::timeout(DEADLINE, reached.recv()).await.expect("no message").unwrap();
    let mut collector = world.collect(durable::JOB_RENDER);
    assert_eq!(collector.numbers(3).await, [0, 1, 2]);
    collector.stop().await;
    cancel.cancel();
    stuck.await.unwrap();
    let mut collector = world.collect(durable::JOB_STITCH);
    let mut all = collector.numbers(3).await;
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2], "what was not handled is not lost");
    collector.stop().await;
}

async fn a_batch_holds_what_is_at_hand_in_its_order(world: World) {
    world.register();
    let mut expected = HashMap::<String, u32>::new();
    for round in 0..5 {
        for entity in ["a", "b"] {
            world.append(entity, "Finished", round * 10..round * 10 + 10).await;
            expected.insert(entity.into(), 0);
        }
    }
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let running = tokio::spawn(world.subscription(DURABLE).run_batches(cancel.clone(), 7, move |messages| {
        let sender = sender.clone();
        async move { Ok(sender.send(messages)?) }
    }));
    let mut all = 0;
    while all < 100 {
        let batch = tokio::time::timeout(DEADLINE, arrived.recv()).await.expect("no message").unwrap();
        assert!((1..=7).contains(&batch.len()));
        for message in &*batch {
            let next = expected.get_mut(&message.entity).unwrap();
            assert_eq!(number(message), u64::from(*next), "{}", message.entity);
            *next += 1;
            all += 1;
        }
    }
    cancel.cancel();
    running.await.unwrap();
    assert!(arrived.recv().await.is_none(), "each once");
}

async fn a_batch_that_fails_is_handed_over_one_by_one(world: World) {
    world.register();
    world.append("e", "Finished", 0..20).await;
    let (sender, mut handled) = mpsc::unbounded_channel();
    let (cancel, tries) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&tries);
    let subscription = world.subscription(DURABLE);
    let health = subscription.health();
    let running = tokio::spawn(subscription.run_batches(cancel.clone(), 64, move |messages| {
        let (sender, tries) = (sender.clone(), Arc::clone(&counted));
        async move {
            let stumbles = messages.iter().any(|message| number(message) == 11);
            anyhow::ensure!(!stumbles || tries.fetch_add(1, Ordering::SeqCst) >= 3, "the table is locked");
            messages.iter().try_for_each(|message| Ok(sender.send(number(message))?))
        }
    }));
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        numbers.push(tokio::time::timeout(DEADLINE, handled.recv()).await.expect("no message").unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "each is handled once it can be, and none is lost");
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(health.borrow().failures, 0);
}

async fn what_is_not_published_is_passed_over(world: World) {
    world.register();
    world.append("e", "Noted", 0..10).await;
    world.append("e", "Finished", [1]).await;
    world.append("e", "Noted", 0..10).await;
    world.append("e", "Finished", [2]).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(2).await, [1, 2]);
    world.append("e", "Noted", 0..10).await;
    world.append("e", "Finished", [3]).await;
    assert_eq!(collector.numbers(1).await, [3]);
    collector.stop().await;
}

/// A later build, which knows what `Garbled` means.
fn knowing(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    match event.kind.as_str() {
        "Garbled" => Published::new(&event.stream, "render_finished", &event.data).map(Some),
        _ => crate::world::translate(event),
    }
}

async fn an_event_that_cannot_be_translated_waits_for_a_build_that_can(mut world: World) {
    world.register();
    world.append("e", "Finished", [0]).await;
    world.append("e", "Garbled", [1]).await;
    world.append("e", "Finished", [2]).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(1).await, [0], "what is before it does not wait");
    collector.stop().await;
    world.restart().await;
    world.register_with(knowing);
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(2).await, [1, 2], "neither skipped nor overtaken");
    collector.stop().await;
}

/// One test per law for a backend: its name, and how to make a world on it.
macro_rules! bus_laws {
    ($backend:ident, $world:expr) => {
        mod $backend {
            use crate::world::World;

            super::bus_laws!(@each $world,
                a_message_carries_all_its_members
                what_a_message_leads_to_belongs_to_its_trace
                a_late_subscriber_reads_from_the_beginning
                every_durable_gets_every_message
                a_durable_goes_on_where_it_was_after_a_restart
                a_source_may_be_registered_after_its_subscribers
                a_subscription_to_nothing_stops_when_told
                messages_of_an_entity_keep_their_order_under_many_writers
                a_failing_handler_gets_the_message_again_until_it_succeeds
                a_message_that_is_not_handled_is_told_and_comes_again_after_a_restart
                a_stuck_subscription_does_not_hold_up_another
                a_batch_holds_what_is_at_hand_in_its_order
                a_batch_that_fails_is_handed_over_one_by_one
                what_is_not_published_is_passed_over
                an_event_that_cannot_be_translated_waits_for_a_build_that_can
            );
        }
    };
    (@each $world:expr, $($law:ident)+) => {
        $(#[tokio::test] async fn $law() { super::$law($world.await).await; })+
    };
}
use bus_laws;

bus_laws!(in_process, World::in_process());
bus_laws!(nats, World::on_nats());
