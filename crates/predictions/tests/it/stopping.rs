//! A process that is told to stop ends, whatever it waits for.

use crate::scripted::{Answer, World, meta, order};

#[tokio::test]
async fn an_upload_that_hangs_does_not_keep_it() {
    let world = World::new().await;
    world.provider.memory.lock().hangs = true;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it uploads", |memory| memory.uploads == 1).await;
    running.stop().await;
    assert!(world.provider.memory.lock().creates.is_empty());
}

#[tokio::test]
async fn a_download_that_hangs_does_not_keep_it_and_is_done_by_the_next() {
    let world = World::new().await;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it is bought", |memory| memory.creates.len() == 1).await;
    // Before or while it is fetched.
    world.provider.memory.lock().hangs = true;
    running.stop().await;
    world.provider.memory.lock().hangs = false;
    let running = world.run();
    running.settled("a").await;
    assert_eq!(world.charges(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_create_call_that_hangs_gets_its_last_seconds_and_is_found_by_the_next() {
    let mut world = World::new().await;
    world.config.post_timeout = std::time::Duration::from_secs(30);
    world.script([Answer::Silent], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("the call is made", |memory| memory.creates.len() == 1).await;
    running.stop().await;
    let running = world.run();
    running.settled("a").await;
    assert_eq!((world.charges(), world.provider.memory.lock().creates.len()), (1, 1));
    running.stop().await;
}
