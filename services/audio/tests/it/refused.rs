//! An order that comes too late: somebody who read the tables before a cancel buys nothing after it.

use std::time::Duration;

use audio::events::{Event, OnFailure, Request};
use audio::model::MUSICGEN;
use audio::{order, plan, write};
use eventlog::{Log, Meta};
use kit::Clock;
use predictions::{Order, OrderError};

use crate::world::World;

const KEY: &str = "job-43/soundtrack-1";

fn request(key: &str) -> Request {
    Request {
        key: key.into(),
        digest: "d".into(),
        job_id: 43,
        campaign_id: "c".into(),
        duration_ms: 4000,
        scenes: Vec::new(),
        prompt: Some("a waltz".into()),
        on_failure: OnFailure::Repeat,
        fade_ms: None,
        voice: None,
    }
}

/// The order for the first segment, as decided while the soundtrack was wanted.
fn first_segment(request: &Request) -> Order {
    let plan = plan::next_segment(&MUSICGEN, request.duration_ms, &[]).unwrap();
    order::order(&MUSICGEN, request, plan, None)
}

async fn write(log: &Log, event: Event) {
    assert!(write::append(log, KEY, &[event], Clock::system().now()).await.unwrap());
}

async fn rows(log: &Log) -> usize {
    let sql = "SELECT key FROM segment UNION ALL SELECT key FROM prediction_order";
    log.query(sql, eventlog::params![]).await.unwrap().len()
}

async fn nothing_is_bought_after_a_cancel(world: World) {
    let order = first_segment(&request(KEY));
    let log = world.open().await;
    let engine = world.engine(log.clone());
    write(&log, Event::SoundtrackRequested(request(KEY))).await;
    let reason = "not wanted".to_owned();
    write(&log, Event::SoundtrackCancelRequested { key: KEY.into(), job_id: 43, reason }).await;
    let canceling = engine.place(order.clone(), Meta::default()).await;
    assert!(matches!(canceling, Err(OrderError::Busy { .. })), "{canceling:?}");
    drop((engine, log));

    let audio = world.start().await;
    audio.until(KEY, &["canceled"]).await;
    let engine = world.engine(audio.log.clone());
    let canceled = engine.place(order, Meta::default()).await;
    assert!(matches!(canceled, Err(OrderError::Busy { .. })), "{canceled:?}");
    assert_eq!(rows(&audio.log).await, 0, "something of it was stored");
    assert!(world.bought().await.is_empty());
    assert_eq!(audio.get(KEY).await.state, "canceled");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_order_for_a_canceled_soundtrack_is_refused() {
    nothing_is_bought_after_a_cancel(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_order_for_a_canceled_soundtrack_is_refused_on_postgresql() {
    nothing_is_bought_after_a_cancel(World::on_postgres(Duration::from_secs(30)).await).await;
}
