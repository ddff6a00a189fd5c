//! A take from wish to clip, again after a restart, and stopped.

use kit::{Code, ServiceError};
use protos::render::v1::GetRenderRequest;
use serde_json::json;

use crate::world::{World, put_photo};

#[tokio::test]
async fn a_take_is_rendered_bought_once_and_published() {
    let world = World::new().await;
    let service = world.service().await;
    let wish = world.wish(1);
    let first = service.request(wish.clone()).await;
    assert_eq!((first.job_id, first.take, first.scene_id.as_str()), (7, 1, "scene-1"));
    let render = service.settled(&wish.key).await;
    assert_eq!(render.state, "rendered", "{render:?}");
    assert_eq!((render.attempts, render.cost_micros), (1, 800_000));
    assert!(render.duration_ms.unwrap().abs_diff(4000) <= 500);
    let clip = render.clip.clone().unwrap();
    assert_eq!(clip.content_type, "video/mp4");
    assert_eq!(world.blobs.size(&clip.sha256).await.unwrap(), Some(clip.size));

    assert_eq!(service.request(wish.clone()).await, render, "the same wish again is a question");
    let mut other = wish.clone();
    other.digest = "d2".into();
    assert_eq!(service.refused(other).await.code, Code::Conflict, "the same key for something else");
    let mut other = wish.clone();
    other.key = "job-7/scene-1/again".into();
    assert_eq!(service.refused(other).await.code, Code::Conflict, "the same take under another key");

    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (1, 1));
    let input = &ledger.predictions[0].input;
    assert_eq!(input["generate_audio"], json!(false));
    assert_eq!(input["image"], input["last_frame"], "one photo is handed over once");
    let events = service.log.read_all(0, 100).await.unwrap();
    let published: Vec<_> =
        events.iter().filter_map(|event| render::publish::translate(event).unwrap()).collect();
    let names: Vec<_> = published.iter().map(|published| published.name.as_str()).collect();
    assert_eq!(names, ["render_started", "render_finished"]);
    assert_eq!(published[1].entity, "job-7-scene-1-take-1");
    assert_eq!(published[1].data["clip"]["sha256"], json!(clip.sha256));
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn wrong_wishes_are_refused_and_buy_nothing() {
    let world = World::new().await;
    let service = world.service().await;
    let mut wish = world.wish(1);
    (wish.seconds, wish.aspect_ratio) = (5, "1:1".into());
    let error = service.refused(wish).await;
    assert_eq!(error.code, Code::Validation);
    let fields: Vec<_> = error.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["seconds", "aspect_ratio"]);
    let unknown = GetRenderRequest { key: "job-1/scene-1/take-1".into() };
    let error: ServiceError = service.client.clone().get_render(unknown).await.unwrap_err().into();
    assert_eq!(error.code, Code::NotFound);
    assert!(world.ledger().await.predictions.is_empty());
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn photos_that_cannot_be_frames_fail_the_take_before_anything_is_bought() {
    let world = World::new().await;
    let service = world.service().await;
    let (mut dot, mut text, mut gone) = (world.wish(1), world.wish(2), world.wish(3));
    dot.last_frame = Some(put_photo(&world.blobs, 1, 1).await);
    text.first_frame = Some(world.blobs.put_bytes("no photo", "image/jpeg").await.unwrap());
    gone.first_frame.as_mut().unwrap().sha256 = "0".repeat(64);
    for (wish, why) in [(dot, "1 x 1"), (text, "cannot be a frame"), (gone, "not in the object store")] {
        service.request(wish.clone()).await;
        let render = service.settled(&wish.key).await;
        assert_eq!((render.state.as_str(), render.retryable), ("failed", false));
        assert!(render.reason.as_deref().unwrap().contains(why), "{render:?}");
    }
    assert!(world.ledger().await.predictions.is_empty());
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_cancel_reaches_the_provider_and_a_tombstone_refuses_what_comes_later() {
    let world = World::new().await;
    world
        .faults(
            json!({"rules": [{"when": {"kind": "video"}, "then": {"fault": "hold", "at": "processing"}}]}),
        )
        .await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    service.until(&wish.key, |render| render.state == "rendering").await;
    service.cancel(&wish.key).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.reason.as_deref()), ("canceled", Some("job canceled")));

    let late = world.wish(2);
    assert_eq!(service.cancel(&late.key).await.state, "canceled");
    let refused = service.request(late).await;
    assert_eq!((refused.state.as_str(), refused.job_id), ("canceled", 7));

    let ledger = world.ledger().await;
    assert_eq!(ledger.predictions.len(), 1);
    assert!(ledger.predictions[0].canceled, "{:?}", ledger.predictions[0]);
    let charged = if ledger.predictions[0].charged { 800_000 } else { 0 };
    assert_eq!(render.cost_micros, charged);
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_service_built_again_goes_on_without_a_second_charge() {
    let world = World::new().await;
    world.faults(json!({"rules": [
        {"when": {"kind": "video", "prompt_contains": "scene-1"}, "then": {"fault": "hold", "at": "starting"}},
        {"when": {"kind": "video", "prompt_contains": "scene-2"}, "then": {"fault": "never_answers", "accepted": true}},
    ]}))
    .await;
    let service = world.service().await;
    let (polling, asking) = (world.wish(1), world.wish(2));
    service.request(polling.clone()).await;
    service.until(&polling.key, |render| render.state == "rendering").await;
    service.request(asking.clone()).await;
    service.until(&asking.key, |render| render.state == "starting").await;
    // The second one's call is under way, accepted or not, when the process goes down.
    service.stop().await;

    world.control.reset().await.unwrap();
    world.control.release().await.unwrap();
    let service = world.service().await;
    for wish in [&polling, &asking] {
        let render = service.settled(&wish.key).await;
        assert_eq!(render.state, "rendered", "{render:?}");
    }
    let ledger = world.ledger().await;
    assert_eq!(ledger.charged().count(), 2);
    assert_eq!(ledger.predictions.iter().filter(|made| made.prompt == polling.prompt).count(), 1);
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn forty_renders_at_once_are_never_more_than_ten_at_the_provider() {
    let world = World::new().await;
    let service = world.service().await;
    let keys: Vec<String> = (1..=40).map(|scene| world.wish(scene).key).collect();
    let wishes = (1..=40).map(|scene| service.request(world.wish(scene)));
    futures::future::join_all(wishes).await;
    for key in &keys {
        assert_eq!(service.settled(key).await.state, "rendered");
    }
    let ledger = world.ledger().await;
    assert_eq!(ledger.charged().count(), 40);
    assert!(ledger.max_in_flight.video <= 10, "{} in flight", ledger.max_in_flight.video);
    service.stop().await;
    world.stop().await;
}
