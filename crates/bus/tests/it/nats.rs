//! The bus on a real NATS server: order, fencing, rebuilding, dead letters, restarts.

use std::time::Duration;

use crate::{
    nats_world::Nats,
    world::{DEADLINE, DURABLE},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_is_published_and_delivered_in_order() {
    let nats = Nats::start().await;
    let bus = nats.bus("a").await;
    nats.publish(&bus);
    let mut collected = nats.collect(&bus);
    nats.world.append("43-2", "Finished", 0..300).await;
    assert_eq!(collected.numbers(300).await, (0..300).collect::<Vec<_>>());
    collected.stop().await;
    let stored = &nats.world.producer.read_all(0, 1).await.unwrap()[0];
    let stream = nats.jetstream().await.get_stream("FILMSTRIP_RENDER").await.unwrap();
    let first = stream.get_raw_message(1).await.unwrap();
    assert_eq!(first.subject.as_str(), "filmstrip.render.v1.43-2.render_finished");
    let header = |name: &str| first.headers.get(name).unwrap().to_string();
    assert_eq!(header("ce-id"), stored.id.to_string());
    assert_eq!((header("ce-specversion"), header("traceparent")), ("1.0".into(), "00-1-2-01".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_relays_and_the_other_takes_over() {
    let nats = Nats::start().await;
    let (first, second) = (nats.bus("a").await, nats.bus("b").await);
    nats.publish(&first);
    nats.world.append("e", "Finished", 0..50).await;
    nats.published(50).await;
    nats.publish(&second);
    drop(first);
    nats.world.append("e", "Finished", 50..100).await;
    assert_eq!(nats.published(100).await, nats.logged().await, "each once, in the order of the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_both_believe_to_be_the_one_publish_everything_once() {
    let nats = Nats::start().await;
    let bus = nats.bus("a").await;
    // Two names for one log, so that two leases exist: only the stream itself keeps them apart.
    let other = nats.bus("b").await;
    nats.publish(&bus);
    let steal = async {
        for _ in 0..20 {
            let taken = eventlog::lease::claim(
                &nats.world.producer,
                "relay/render",
                "thief",
                Duration::from_millis(1),
            );
            drop(taken.await.unwrap());
            tokio::task::yield_now().await;
        }
    };
    nats.publish(&other);
    let append = async {
        for number in 0..200 {
            nats.world.append("e", "Finished", [number]).await;
        }
    };
    futures::join!(steal, append);
    assert_eq!(nats.published(200).await, nats.logged().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_decode_is_kept_listed_and_replayed() {
    let nats = Nats::start().await;
    let bus = nats.bus("a").await;
    let mut collected = nats.collect(&bus);
    nats.publish(&bus);
    nats.world.append("e", "Finished", [0]).await;
    assert_eq!(collected.numbers(1).await, [0]);
    let jetstream = nats.jetstream().await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("ce-specversion", "1.0");
    // As our own relay would have sent it.
    headers.insert("Nats-Msg-Id", "7");
    headers.insert("Nats-Expected-Last-Sequence", "1");
    let subject = "filmstrip.render.v1.e.render_finished";
    let sent = jetstream.publish_with_headers(subject, headers, "garbage".into()).await.unwrap();
    sent.await.unwrap();
    let letter = async {
        loop {
            let letters = bus.dead_letters().await.unwrap();
            if let Some(letter) = letters.first() {
                break letter.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let letter = tokio::time::timeout(DEADLINE, letter).await.unwrap();
    assert_eq!((&letter.subject[..], &letter.body[..], &letter.durable[..]), (subject, "garbage", DURABLE));
    assert!(letter.reason.contains("ce-type"), "{}", letter.reason);
    // The relay is not stuck behind what somebody else put into its stream.
    nats.world.append("e", "Finished", [1]).await;
    assert_eq!(collected.numbers(1).await, [1]);
    bus.replay_dead(letter.sequence).await.unwrap();
    let again = async {
        loop {
            let letters = bus.dead_letters().await.unwrap();
            if letters.first().is_some_and(|again| again.sequence != letter.sequence) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, again).await.expect("it died again");
    collected.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nats_is_away_nothing_is_lost() {
    let mut nats = Nats::start().await;
    let bus = nats.bus("a").await;
    nats.publish(&bus);
    let mut collected = nats.collect(&bus);
    nats.world.append("e", "Finished", 0..20).await;
    assert_eq!(collected.numbers(20).await, (0..20).collect::<Vec<_>>());
    nats.server.stop();
    nats.world.append("e", "Finished", 20..40).await;
    nats.server.run().await.unwrap();
    let mut numbers = Vec::new();
    while numbers.last() != Some(&39) {
        numbers.extend(collected.numbers(1).await);
    }
    numbers.retain(|number| *number >= 20);
    numbers.dedup();
    assert_eq!(numbers, (20..40).collect::<Vec<_>>());
    collected.stop().await;
}
