//! What only the bus inside the process does: its place is a checkpoint in the consumer's database, and a message
//! that fails comes before the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bus::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::world::{DEADLINE, DURABLE, World, number};

async fn registered() -> World {
    let world = World::in_process().await;
    world.register();
    world
}

async fn next(arrived: &mut mpsc::UnboundedReceiver<Message>) -> u64 {
    number(&tokio::time::timeout(DEADLINE, arrived.recv()).await.expect("no message came").unwrap())
}

#[tokio::test]
async fn a_failed_message_comes_again_before_the_next_one() {
    let world = registered().await;
    world.append("e", "Finished", 0..3).await;
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let tries = Arc::new(AtomicU64::new(0));
    let cancel = CancellationToken::new();
    let subscription = world.subscription(DURABLE);
    let health = subscription.health();
    let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
        let (sender, tries) = (sender.clone(), Arc::clone(&tries));
        async move {
            sender.send(message.clone())?;
            // The second message fails three times.
            if number(&message) == 1 && tries.fetch_add(1, Ordering::Relaxed) < 3 {
                anyhow::bail!("the table is locked");
            }
            Ok(())
        }
    }));
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(next(&mut arrived).await);
    }
    assert_eq!(seen, [0, 1, 1, 1, 1, 2]);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(health.borrow().failures, 0);
    assert_eq!(world.checkpoint(DURABLE).await, 3);
}

#[tokio::test]
async fn the_checkpoint_stays_before_a_message_that_is_not_handled() {
    let world = registered().await;
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
    assert!(
        error.contains("no room for 1") && error.contains("filmstrip.render.v1.e.render_finished"),
        "{error}"
    );
    assert_eq!(world.checkpoint(DURABLE).await, 1);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(world.checkpoint(DURABLE).await, 1);
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(2).await, [1, 2]);
    collector.stop().await;
}

#[tokio::test]
async fn a_batch_moves_the_checkpoint_as_far_as_it_is_handled() {
    let world = registered().await;
    world.append("e", "Finished", 0..10).await;
    let cancel = CancellationToken::new();
    let subscription = world.subscription(DURABLE);
    let mut health = subscription.health();
    let running = tokio::spawn(subscription.run_batches(cancel.clone(), 8, |messages| async move {
        let stuck = messages.iter().find(|message| number(message) == 5);
        anyhow::ensure!(stuck.is_none(), "no room for 5 in {}", messages.len());
        Ok(())
    }));
    let stuck = tokio::time::timeout(DEADLINE, health.wait_for(|health| health.failures >= 3)).await;
    let error = stuck.unwrap().unwrap().last_error.clone().unwrap();
    assert!(error.contains("no room for 5 in 1"), "{error}");
    assert_eq!(world.checkpoint(DURABLE).await, 5);
    cancel.cancel();
    running.await.unwrap();
    let mut collector = world.collect(DURABLE);
    assert_eq!(collector.numbers(5).await, [5, 6, 7, 8, 9]);
    collector.stop().await;
}

#[tokio::test]
async fn the_checkpoint_is_saved_when_nothing_comes_for_a_while() {
    let world = registered().await;
    let mut collector = world.collect(DURABLE);
    world.append("e", "Finished", 0..3).await;
    world.append("e", "Noted", 3..5).await;
    assert_eq!(collector.numbers(3).await, [0, 1, 2]);
    let saved = async {
        while world.checkpoint(DURABLE).await < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, saved).await.expect("the checkpoint is not saved");
    collector.stop().await;
}

#[tokio::test]
async fn what_is_not_published_moves_the_checkpoint_too() {
    let world = registered().await;
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
async fn an_event_that_cannot_be_translated_is_reported_and_never_skipped() {
    let world = registered().await;
    world.append("e", "Finished", [0]).await;
    world.append("e", "Garbled", [1]).await;
    world.append("e", "Finished", [2]).await;
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let subscription = world.subscription(DURABLE);
    let mut health = subscription.health();
    let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
        let sender = sender.clone();
        async move { Ok(sender.send(message)?) }
    }));
    let stuck = tokio::time::timeout(DEADLINE, health.wait_for(|health| health.failures >= 3)).await;
    let error = stuck.unwrap().unwrap().last_error.clone().unwrap();
    assert!(error.contains("Garbled is not known") && error.contains("position 2"), "{error}");
    assert_eq!(world.checkpoint(DURABLE).await, 1);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(next(&mut arrived).await, 0);
    assert!(arrived.recv().await.is_none(), "what comes after the poison was delivered");
}

#[tokio::test]
async fn an_entity_that_fits_no_subject_is_reported() {
    let world = registered().await;
    world.append("e.x", "Finished", [0]).await;
    let cancel = CancellationToken::new();
    let subscription = world.subscription(DURABLE);
    let mut health = subscription.health();
    let running = tokio::spawn(subscription.run(cancel.clone(), |_| async { Ok(()) }));
    let stuck = tokio::time::timeout(DEADLINE, health.wait_for(|health| health.failures >= 1)).await;
    assert!(stuck.unwrap().unwrap().last_error.as_ref().unwrap().contains("\"e.x\""));
    cancel.cancel();
    running.await.unwrap();
}

/// Nothing is saved when the process ends without a word; what was finished since the last save comes again.
#[tokio::test]
async fn a_killed_subscription_delivers_at_least_once() {
    let world = registered().await;
    world.append("e", "Finished", 0..40).await;
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let running = tokio::spawn(world.subscription(DURABLE).run(CancellationToken::new(), move |message| {
        let sender = sender.clone();
        async move { Ok(sender.send(message)?) }
    }));
    let mut seen = Vec::new();
    while seen.len() < 10 {
        seen.push(next(&mut arrived).await);
    }
    running.abort();
    drop(running.await);
    while let Some(message) = arrived.recv().await {
        seen.push(number(&message));
    }
    // A save that was under way may still land: where it goes on is known by what comes first.
    let mut collector = world.collect(DURABLE);
    let first = number(&collector.next().await);
    assert!(usize::try_from(first).unwrap() <= seen.len(), "{first} after {} were delivered", seen.len());
    let rest = usize::try_from(39 - first).unwrap();
    assert_eq!(collector.numbers(rest).await, (first + 1..40).collect::<Vec<_>>());
    collector.stop().await;
}
