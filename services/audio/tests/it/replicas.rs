//! Two processes of the service on one PostgreSQL database.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::world::{World, wanted};

const KEY: &str = "job-43/soundtrack-1";
const TRACE: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn a_soundtrack_goes_on_when_a_process_stops_and_is_one_story() {
    // What is not handed over is not had.
    let world = World::on_postgres(Duration::from_secs(3600)).await;
    let hold = json!({"rules": [{"when": {"kind": "music", "nth": 2}, "then": {"fault": "hold"}}]});
    world.control.faults(hold).await.unwrap();
    let one = world.start_as("one").await;
    let two = world.start_as("two").await;
    let traceparent = format!("00-{TRACE}-0123456789abcdef-01");
    kit::trace::continuing(Some(&traceparent), two.request(wanted(KEY, 40))).await.unwrap();
    two.until_events("AttemptAccepted", 2).await;
    one.stop().await;
    world.control.release().await.unwrap();
    let ready = two.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 160_000), "{ready:?}");
    assert_eq!(world.bought().await.len(), 2);

    let events = two.log.read_all(0, 1000).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == "SoundtrackFinished").count(), 1);
    for event in &events {
        let trace = event.meta.traceparent.clone().unwrap_or_default();
        assert!(trace.contains(TRACE), "{} has the trace {trace:?}", event.kind);
    }
    let stories: HashSet<&str> = events.iter().map(|event| event.meta.correlation_id.as_str()).collect();
    assert_eq!(stories, HashSet::from(["job-43"]));
    world.end(two).await;
}
