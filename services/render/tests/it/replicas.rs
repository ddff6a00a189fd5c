//! Two processes of the service on one PostgreSQL database.

use std::time::Duration;

use serde_json::json;

use crate::world::World;

const TRACE: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn a_take_asked_for_on_both_is_bought_once_and_goes_on_when_one_stops() {
    let mut world = World::on_postgres().await;
    // What is not handed over is not had.
    world.settings.policy.lease = Duration::from_secs(3600);
    world.faults(json!({"rules": [{"when": {"kind": "video"}, "then": {"fault": "hold"}}]})).await;
    let (one, two) = (world.service_as("one").await, world.service_as("two").await);
    let traceparent = format!("00-{TRACE}-0123456789abcdef-01");
    let mut keys = Vec::new();
    for scene in 0..2 {
        let wish = world.wish(scene);
        keys.push(wish.key.clone());
        let asked = Box::pin(async { tokio::join!(one.request(wish.clone()), two.request(wish)) });
        kit::trace::continuing(Some(&traceparent), asked).await;
    }
    for key in &keys {
        two.until(key, |render| render.state == "rendering").await;
    }
    one.stop().await;
    world.control.release().await.unwrap();
    for key in &keys {
        let render = two.settled(key).await;
        assert_eq!(render.state, "rendered", "{render:?}");
        let events = two.log.load(&format!("render-{key}"), 0).await.unwrap();
        assert!(events.iter().any(|event| event.kind == "RenderFinished"));
        for event in events {
            let trace = event.meta.traceparent.unwrap_or_default();
            assert!(trace.contains(TRACE), "{} of {key} has the trace {trace:?}", event.kind);
            assert_eq!(event.meta.correlation_id, "job-7", "{}", event.kind);
        }
    }
    let ledger = world.ledger().await;
    assert_eq!(ledger.of_kind("video").count(), 2);
    assert_eq!(two.cancel("job-9/scene-1/take-1").await.state, "canceled");
    let tombstone = two.log.load("render-job-9/scene-1/take-1", 0).await.unwrap();
    assert_eq!(tombstone[0].meta.correlation_id, "job-9");
    two.stop().await;
    world.stop().await;
}
