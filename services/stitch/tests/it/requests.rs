//! Keys, digests, tombstones.

use kit::{Code, ServiceError};
use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;

use crate::stage::{Stage, Stuck};

#[tokio::test]
async fn the_same_request_again_is_a_question() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clips = [stage.clip(6, 0).await];
    let first = stage.cut("job-43/cut-1", &clips).await.unwrap();
    assert_eq!((first.job_id, first.kind.as_str()), (43, "cut"));
    let ready = stage.settled("job-43/cut-1").await;
    assert_eq!(stage.cut("job-43/cut-1", &clips).await.unwrap(), ready);
    assert_eq!(stage.get("job-43/cut-1").await, ready);
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
}

#[tokio::test]
async fn requests_at_the_same_moment_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clips = [stage.clip(6, 0).await];
    let requests = tokio::join!(
        stage.cut("job-43/cut-1", &clips),
        stage.cut("job-43/cut-1", &clips),
        stage.cut("job-43/cut-1", &clips)
    );
    assert!(requests.0.is_ok() && requests.1.is_ok() && requests.2.is_ok());
    stage.settled("job-43/cut-1").await;
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
}

#[tokio::test]
async fn a_key_with_another_digest_or_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clip = stage.clip(6, 0).await;
    let clips = std::slice::from_ref(&clip);
    stage.cut("job-43/cut-1", clips).await.unwrap();
    let other_digest = stage.cut_as("job-43/cut-1", "d2", clips).await.unwrap_err();
    let other_kind = stage.mix("job-43/cut-1", &clip, &clip).await.unwrap_err();
    for refused in [other_digest, other_kind] {
        let refused = ServiceError::from(refused);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::Conflict, "digest_mismatch"));
        assert!(refused.message.contains("job-43/cut-1") && refused.message.contains("new key"), "{refused}");
    }
}

#[tokio::test]
async fn a_wrong_request_is_refused_field_by_field_and_nothing_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let bad = BlobRef { sha256: "../../etc/passwd".into(), ..BlobRef::default() };
    let good = BlobRef { sha256: "0".repeat(64), ..BlobRef::default() };
    let refusals = [
        (stage.cut_as("", "", &[]).await, vec!["key", "digest", "clips"]),
        (stage.cut("job 43", &[good.clone(), bad.clone()]).await, vec!["key", "clips"]),
        (stage.cut("job-43/cut-1", &vec![good; 201]).await, vec!["clips"]),
        (stage.mix("job-43/mix-1", &bad, &BlobRef::default()).await, vec!["cut", "soundtrack"]),
    ];
    for (refusal, fields) in refusals {
        let refusal = ServiceError::from(refusal.unwrap_err());
        assert_eq!(refusal.code, Code::Validation);
        let named: Vec<&str> = refusal.violations.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, fields);
    }
    assert!(stage.stored().await.is_empty());
}

#[tokio::test]
async fn an_unknown_key_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let request = pb::GetProductRequest { key: "job-43/cut-9".into() };
    let refused = ServiceError::from(stage.client.clone().get_product(request).await.unwrap_err());
    assert_eq!(refused.code, Code::NotFound);
}

#[tokio::test]
async fn a_cancellation_that_comes_first_refuses_the_request() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let canceled = stage.cancel("job-43/mix-2", "the job was canceled").await;
    assert_eq!((canceled.state.as_str(), canceled.kind.as_str(), canceled.job_id), ("canceled", "mix", 43));
    let clip = stage.clip(6, 0).await;
    let late = stage.mix("job-43/mix-2", &clip, &clip).await.unwrap();
    assert_eq!((late.state.as_str(), late.reason.as_deref()), ("canceled", Some("the job was canceled")));
    assert_eq!(stage.kinds().await, ["ProductCanceled"]);
}

#[tokio::test]
async fn a_cancellation_stops_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let stuck = Stuck::new();
    let stage = Stage::open(dir.path(), |settings| settings.ffmpeg.clone_from(&stuck.tool)).await;
    stage.cut("job-43/cut-1", &[stage.clip(6, 0).await]).await.unwrap();
    let started = stuck.started().await;
    assert_eq!(stage.get("job-43/cut-1").await.state, "working");
    let canceled = stage.cancel("job-43/cut-1", "no more").await;
    assert_eq!((canceled.state.as_str(), canceled.reason.as_deref()), ("canceled", Some("no more")));
    started.gone().await;
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductCanceled"]);
}

#[tokio::test]
async fn what_is_over_cannot_be_canceled() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    stage.cut("job-43/cut-1", &[stage.clip(6, 0).await]).await.unwrap();
    let ready = stage.settled("job-43/cut-1").await;
    assert_eq!(stage.cancel("job-43/cut-1", "too late").await, ready);
}
