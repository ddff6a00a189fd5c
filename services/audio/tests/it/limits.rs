//! How much goes on at once.

use serde_json::json;

use crate::world::{World, wanted};

#[tokio::test(flavor = "multi_thread")]
async fn never_more_than_two_music_predictions_are_in_flight() {
    let world = World::new().await;
    let slow = json!({"rules": [{"when": {"kind": "music"}, "then": {"fault": "slow", "seconds": 0.2}}]});
    world.control.faults(slow).await.unwrap();
    let audio = world.start().await;
    let keys: Vec<String> = (1..=6).map(|job| format!("job-{job}/soundtrack-1")).collect();
    for (job, key) in keys.iter().enumerate() {
        let mut request = wanted(key, 3);
        request.campaign_id = format!("campaign-{}", job % 2);
        audio.request(request).await.unwrap();
    }
    for key in &keys {
        assert_eq!(audio.until(key, &["ready", "failed"]).await.state, "ready");
    }
    let ledger = world.control.ledger().await.unwrap();
    assert_eq!(ledger.max_in_flight.music, 2);
    assert_eq!(ledger.charged().count(), 6);
    world.end(audio).await;
}
