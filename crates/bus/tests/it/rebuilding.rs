//! The stream is not the source of truth: it is compared with the log and made again from it.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    consumer::{FromConsumer as _, pull},
    stream::Config,
};
use bus::{
    EventBus as _,
    nats::{Report, republish},
    subjects::source::RENDER,
};

use crate::{
    nats_world::Nats,
    world::{DEADLINE, DURABLE, translate},
};

const STREAM: &str = "FILMSTRIP_RENDER";

impl Nats {
    /// Compares until `wanted` holds.
    async fn report(&self, bus: &bus::NatsBus, wanted: impl Fn(&Report) -> bool) -> Report {
        let looking = async {
            loop {
                let report = self.reconcile(bus).await;
                if wanted(&report) {
                    break report;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("the stream never came to be as wanted")
    }

    /// When the stream was made, in nanoseconds, once there is one that the subscription reads.
    async fn stream_with_consumer(&self, jetstream: &Context) -> i128 {
        let looking = async {
            loop {
                if let Ok(stream) = jetstream.get_stream(STREAM).await
                    && stream.consumer_info(DURABLE).await.is_ok_and(|info| info.num_waiting > 0)
                {
                    break stream.cached_info().created.unix_timestamp_nanos();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("nobody reads the stream")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_removed_is_rebuilt_equal_under_a_live_relay_and_consumer() {
    let nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    nats.publish(&bus);
    let mut collected = nats.collect(&bus);
    nats.world.append("e", "Noted", 0..3).await;
    nats.world.append("e", "Finished", 0..60).await;
    nats.world.append("f", "Finished", 60..120).await;
    let before = nats.published(120).await;
    let digest = nats.report(&bus, |report| report.equal).await.digest;
    assert_eq!(collected.numbers(120).await, (0..120).collect::<Vec<_>>());

    nats.jetstream().await.delete_stream(STREAM).await.unwrap();
    assert_eq!(nats.report(&bus, |report| report.equal).await.digest, digest, "same ids, order and data");
    assert_eq!(nats.published(120).await, before);
    // Everything again, in order (what was under way when the stream went may come twice), then what is new.
    nats.world.append("g", "Finished", [120]).await;
    let mut again = Vec::new();
    while again.last() != Some(&120) {
        again.extend(collected.numbers(1).await);
    }
    again.dedup();
    let from_the_start = again.iter().rposition(|number| *number == 0).unwrap();
    assert_eq!(again[from_the_start..], (0..=120).collect::<Vec<_>>());
    collected.stop().await;
    bus.stop().await;
}

/// The server tells subscriptions of the removal before it is through with it, and keeps a remainder of a stream that it
/// is asked for meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_asks_for_a_removed_stream_only_when_the_server_is_through() {
    let nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    let mut collected = nats.collect(&bus);
    let jetstream = nats.jetstream().await;
    let first = nats.stream_with_consumer(&jetstream).await;
    // By the server's own clock.
    let removed = Config { name: "REMOVED".to_owned(), ..Config::default() };
    let removed =
        jetstream.create_stream(removed).await.unwrap().cached_info().created.unix_timestamp_nanos();
    jetstream.delete_stream(STREAM).await.unwrap();
    let again = nats.stream_with_consumer(&jetstream).await;
    assert!(first < removed);
    assert!(again - removed >= 900_000_000, "{removed}: {again}");
    nats.publish(&bus);
    nats.world.append("e", "Finished", 0..3).await;
    assert_eq!(collected.numbers(3).await, [0, 1, 2]);
    collected.stop().await;
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_removed_by_hand_is_named_and_republishing_mends_it() {
    let nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    nats.publish(&bus);
    nats.world.append("e", "Finished", 0..40).await;
    let before = nats.published(40).await;
    let digest = nats.report(&bus, |report| report.equal).await.digest;

    let stream = nats.jetstream().await.get_stream(STREAM).await.unwrap();
    stream.delete_message(17).await.unwrap();
    let report = nats.reconcile(&bus).await;
    assert!(!report.equal);
    assert_eq!((report.missing.count, report.behind, report.extra.count), (1, 0, 0), "{report}");
    assert_eq!(report.missing.first[0].id, before[16].0);
    assert!(report.to_string().contains(&before[16].0), "{report}");

    let done = republish(&bus, RENDER, &nats.world.producer, translate).await.unwrap();
    assert_eq!((done.removed, done.published), (39, 40));
    assert_eq!(nats.report(&bus, |report| report.equal).await.digest, digest);
    assert_eq!(nats.published(40).await, before);
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_rebuilt_while_no_service_runs() {
    let nats = Nats::start().await;
    nats.world.append("e", "Finished", 0..300).await;
    let bus = nats.quick_bus("operator").await;
    let report = nats.reconcile(&bus).await;
    assert_eq!((report.logged, report.streamed, report.behind), (300, 0, 300), "there is no stream yet");
    let done = republish(&bus, RENDER, &nats.world.producer, translate).await.unwrap();
    assert_eq!((done.removed, done.published), (0, 300));
    assert!(nats.reconcile(&bus).await.equal);
    // It leaves no relay behind that would keep a service waiting.
    let free = eventlog::lease::claim(&nats.world.producer, "relay/render", "other", DEADLINE).await.unwrap();
    assert!(free.is_some());
}

/// However it falls between the messages that the relay has sent ahead, none of them is lost or out of order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_puts_into_a_stream_is_named_and_disturbs_nothing() {
    const ROUNDS: u32 = 12;
    let nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    nats.publish(&bus);
    let subject = "filmstrip.render.v1.e.render_finished";
    let jetstream = nats.jetstream().await;
    // Once when the relay believes to know where the stream ends, then while it publishes.
    nats.world.append("e", "Finished", 0..3).await;
    nats.published(3).await;
    // As a replayed dead letter does, it names an old position.
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("ce-position", "1");
    let letter = jetstream.publish_with_headers(subject, headers, "garbage".into()).await.unwrap();
    letter.await.unwrap();
    for round in 1..ROUNDS {
        let garbage = async { jetstream.publish(subject, "garbage".into()).await.unwrap().await.unwrap() };
        futures::join!(nats.world.append("e", "Finished", round * 20..round * 20 + 20), garbage);
    }
    let all = u64::from(ROUNDS - 1) * 20 + 3;
    let report = nats.report(&bus, |report| report.streamed == all + u64::from(ROUNDS)).await;
    let counts = [&report.missing, &report.extra, &report.out_of_order].map(|difference| difference.count);
    assert_eq!((counts, report.logged), ([0, ROUNDS.into(), 0], all), "{report}");
    assert_eq!(report.extra.first[0].subject, subject);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["equal"], &json["extra"]["count"]), (&false.into(), &u64::from(ROUNDS).into()));
    bus.stop().await;
}

/// The relay goes on behind what is left, and what was removed is only put back by a rebuild.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_starts_although_the_last_message_was_removed_by_hand() {
    let nats = Nats::start().await;
    let first = nats.quick_bus("a").await;
    nats.publish(&first);
    nats.world.append("e", "Finished", 0..5).await;
    nats.published(5).await;
    first.stop().await;
    let stream = nats.jetstream().await.get_stream(STREAM).await.unwrap();
    stream.delete_message(5).await.unwrap();
    let report = nats.reconcile(&first).await;
    assert_eq!((report.missing.count, report.behind), (1, 1), "{report}");
    let second = nats.quick_bus("b").await;
    nats.publish(&second);
    let done = republish(&second, RENDER, &nats.world.producer, translate).await.unwrap();
    assert_eq!(done.published, 5);
    nats.world.append("e", "Finished", 5..8).await;
    nats.report(&second, |report| report.equal && report.logged == 8).await;
    second.stop().await;
}

/// What an operator has changed by hand is neither undone nor in the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_changed_by_hand_survives_restarts_and_rebuilding() {
    let nats = Nats::start().await;
    let first = nats.quick_bus("a").await;
    nats.publish(&first);
    let mut collected = nats.collect(&first);
    nats.world.append("e", "Finished", 0..10).await;
    assert_eq!(collected.numbers(10).await, (0..10).collect::<Vec<_>>());
    collected.stop().await;
    first.stop().await;

    let jetstream = nats.jetstream().await;
    let stream = jetstream.get_stream(STREAM).await.unwrap();
    let mut by_hand = stream.get_info().await.unwrap().config;
    // Shorter than the window for duplicates that a new stream gets.
    (by_hand.max_age, by_hand.duplicate_window) = (Duration::from_mins(5), Duration::from_mins(2));
    by_hand.max_messages = 5_000;
    by_hand.metadata.insert("team".to_owned(), "media".to_owned());
    let by_hand = jetstream.update_stream(&by_hand).await.unwrap().config;
    let mut consumer = stream.consumer_info(DURABLE).await.unwrap().config;
    consumer.ack_wait = Duration::from_mins(3);
    let consumer = pull::Config::try_from_consumer_config(consumer).unwrap();
    stream.create_consumer(consumer).await.unwrap();

    // Declared again by another process, with other times.
    let second = nats.bus("b").await;
    nats.publish(&second);
    let mut collected = nats.collect(&second);
    nats.world.append("e", "Finished", 10..20).await;
    assert_eq!(collected.numbers(10).await, (10..20).collect::<Vec<_>>());
    assert_eq!(stream.get_info().await.unwrap().config, by_hand);
    assert_eq!(stream.consumer_info(DURABLE).await.unwrap().config.ack_wait, Duration::from_mins(3));

    let done = republish(&second, RENDER, &nats.world.producer, translate).await.unwrap();
    assert_eq!((done.removed, done.published), (20, 20));
    assert_eq!(stream.get_info().await.unwrap().config, by_hand);
    nats.report(&second, |report| report.equal).await;
    collected.stop().await;
    second.stop().await;
}
