//! Outputs that do not arrive, or are something else.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_download_that_breaks_off_is_repeated() {
    let world = World::new().await;
    world
        .faults(json!({"rules": [
            {"when": {"kind": "download", "nth": 1}, "then": {"fault": "truncated_body"}},
            {"when": {"kind": "download", "nth": 2}, "then": {"fault": "status", "code": 503}},
        ]}))
        .await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts), ("rendered", 1), "{render:?}");
    assert_eq!(world.ledger().await.charged().count(), 1);
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_had_or_used_fails_readably_and_is_not_bought_again() {
    let world = World::new().await;
    world.faults(json!({"rules": [
        {"when": {"kind": "download", "prompt_contains": "scene-1/"}, "then": {"fault": "output_gone", "code": 404}},
        {"when": {"kind": "download", "prompt_contains": "scene-2/"}, "then": {"fault": "wrong_media", "media": "text"}},
        {"when": {"kind": "download", "prompt_contains": "scene-3/"}, "then": {"fault": "wrong_media", "media": "jpeg"}},
    ]}))
    .await;
    let service = world.service().await;
    for (scene, reason) in [(1, "it is gone"), (2, "cannot be used"), (3, "cannot be used")] {
        let wish = world.wish(scene);
        service.request(wish.clone()).await;
        let render = service.settled(&wish.key).await;
        assert_eq!(
            (render.state.as_str(), render.attempts, render.retryable),
            ("failed", 1, true),
            "{render:?}"
        );
        assert!(render.reason.as_deref().unwrap().contains(reason), "{render:?}");
        assert_eq!(render.cost_micros, 800_000, "it was made");
    }
    assert_eq!(world.ledger().await.charged().count(), 3);
    // Nothing is left behind on the way.
    let all = std::fs::read_dir(world.blobs.scratch_dir()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = all.filter(|name| name != ".lock").collect();
    assert!(left.is_empty(), "{left:?}");
    service.stop().await;
    world.stop().await;
}
