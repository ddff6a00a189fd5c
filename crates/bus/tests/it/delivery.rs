//! What a healthy subscription delivers.

use bus::subjects::durable;
use uuid::Uuid;

use crate::world::{DURABLE, World, number};

#[tokio::test]
async fn a_message_carries_what_its_event_said() {
    let world = World::new().await;
    world.append("43-2", "Finished", [7]).await;
    let stored = &world.producer.read_all(0, 1).await.unwrap()[0];
    let mut collector = world.collect(DURABLE);
    let message = collector.next().await;
    assert_eq!((message.id, message.position), (stored.id, stored.position));
    assert_eq!(message.subject, "filmstrip.render.v1.43-2.render_finished");
    assert_eq!(
        (&message.source[..], &message.entity[..], &message.name[..]),
        ("render", "43-2", "render_finished")
    );
    assert_eq!(
        (&message.correlation_id[..], message.traceparent.as_deref()),
        ("request-1", Some("00-1-2-01"))
    );
    assert_eq!((number(&message), message.recorded_at), (7, stored.recorded_at));
    collector.stop().await;
}

#[tokio::test]
async fn a_late_subscriber_reads_from_the_beginning() {
    let world = World::new().await;
    for number in 0..300 {
        world.append(&format!("e-{}", number % 3), "Finished", [number]).await;
    }
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(300).await, (0..300).collect::<Vec<_>>());
    collector.stop().await;
    assert_eq!(world.checkpoint(DURABLE).await, world.producer.head().await.unwrap());
}

#[tokio::test]
async fn messages_of_an_entity_keep_their_order_under_many_writers() {
    let world = World::new().await;
    let mut collector = world.collect(DURABLE);
    let writers = (0..8).map(|writer| {
        let world = &world;
        async move {
            for number in 0..20 {
                world.append(&format!("e-{writer}"), "Finished", [number]).await;
            }
        }
    });
    futures::future::join_all(writers).await;
    let mut next = std::collections::HashMap::<String, u64>::new();
    for _ in 0..160 {
        let message = collector.next().await;
        let expected = next.entry(message.entity.clone()).or_default();
        assert_eq!(number(&message), *expected, "{}", message.entity);
        *expected += 1;
    }
    collector.stop().await;
}

#[tokio::test]
async fn a_restarted_subscription_goes_on_after_its_checkpoint() {
    let world = World::new().await;
    world.append("e", "Finished", 0..5).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(5).await, [0, 1, 2, 3, 4]);
    collector.stop().await;
    world.append("e", "Finished", 5..8).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(3).await, [5, 6, 7]);
    collector.stop().await;
}

#[tokio::test]
async fn every_durable_name_gets_every_message() {
    let world = World::new().await;
    let mut first = world.collect(durable::JOB_RENDER);
    world.append("e", "Finished", [1]).await;
    assert_eq!(first.numbers(1).await, [1]);
    let mut second = world.collect(durable::JOB_STITCH);
    assert_eq!(second.numbers(1).await, [1]);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn events_that_are_not_published_are_passed_over_and_remembered() {
    let world = World::new().await;
    world.append("e", "Noted", 0..10).await;
    world.append("e", "Finished", [1]).await;
    world.append("e", "Noted", 0..10).await;
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(1).await, [1]);
    world.append("e", "Finished", [2]).await;
    assert_eq!(collector.numbers(1).await, [2]);
    collector.stop().await;
    assert_eq!(world.checkpoint(DURABLE).await, 22);
}

#[tokio::test]
async fn a_source_may_be_registered_after_its_subscribers() {
    let world = World::unregistered().await;
    world.append("e", "Finished", [1]).await;
    let mut collector = world.collect(DURABLE);
    world.register();
    assert_eq!(collector.numbers(1).await, [1]);
    collector.stop().await;
}

#[tokio::test]
async fn a_subscription_to_nothing_stops_when_told() {
    let world = World::unregistered().await;
    world.collect(DURABLE).stop().await;
    assert_eq!(world.checkpoint(DURABLE).await, 0);
}

#[tokio::test]
async fn ids_are_those_of_the_events_so_that_consumers_can_drop_repetitions() {
    let world = World::new().await;
    world.append("e", "Finished", 0..3).await;
    let mut seen: Vec<Uuid> = Vec::new();
    for durable in ["first", "second"] {
        let mut collector = world.collect(durable);
        for _ in 0..3 {
            seen.push(collector.next().await.id);
        }
        collector.stop().await;
    }
    assert_eq!(seen[..3], seen[3..]);
}
