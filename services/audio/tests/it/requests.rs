//! What a request gets: a state, a question answered, a refusal with its fields.

use kit::{Code, ServiceError};
use protos::render::v1::ReceiveWebhookRequest;

use crate::world::{World, wanted};

const KEY: &str = "job-43/soundtrack-1";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_a_question() {
    let world = World::new().await;
    let audio = world.start().await;
    audio.request(wanted(KEY, 4)).await.unwrap();
    audio.request(wanted(KEY, 4)).await.unwrap();
    audio.until(KEY, &["ready"]).await;
    let again = audio.request(wanted(KEY, 4)).await.unwrap();
    assert_eq!(again.state, "ready");
    assert_eq!(world.bought().await.len(), 1);

    let mut other = wanted(KEY, 4);
    other.digest = "another".into();
    let refusal: ServiceError = audio.request(other).await.unwrap_err().into();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::Conflict, "digest_mismatch"));
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_and_nothing_is_stored() {
    let world = World::new().await;
    let audio = world.start().await;
    let mut request = wanted("a key", 3);
    request.digest.clear();
    request.duration_ms = 600_001;
    request.prompt = Some("x".repeat(2001));
    let refusal: ServiceError = audio.request(request).await.unwrap_err().into();
    let fields: Vec<&str> = refusal.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!((refusal.code, fields), (Code::Validation, vec!["key", "digest", "duration_ms", "prompt"]));
    let mut request = wanted(KEY, 0);
    request.key.clear();
    let refusal: ServiceError = audio.request(request).await.unwrap_err().into();
    assert_eq!(refusal.violations.len(), 2, "{refusal:?}");
    assert!(world.bought().await.is_empty());
    assert_eq!(audio.log.head().await.unwrap(), 0);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_soundtrack_is_not_found_and_an_unknown_webhook_not_accepted() {
    let world = World::new().await;
    let audio = world.start().await;
    let mut client = audio.client.clone();
    let get = client.get_soundtrack(protos::audio::v1::GetSoundtrackRequest { key: KEY.into() }).await;
    assert_eq!(get.unwrap_err().code(), tonic::Code::NotFound);
    let webhook = ReceiveWebhookRequest {
        attempt_id: "019a0000-0000-7000-8000-000000000000".into(),
        headers: [("webhook-id".to_owned(), "x".to_owned())].into(),
        body: b"{}".to_vec(),
    };
    assert!(!client.receive_webhook(webhook).await.unwrap().into_inner().accepted);
    world.end(audio).await;
}
