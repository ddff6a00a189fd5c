//! Products wait for room in scratch; whoever wants a frame is told at once that there is none.

use blobs::{Blobs, Budget};
use eventlog::open_log;
use kit::{Code, ServiceError};
use protos::stitch::v1 as pb;

use crate::stage::Stage;

const MIB: u64 = 1 << 20;

async fn stage(dir: &std::path::Path, at_once: usize) -> Stage {
    let log = open_log(&dir.join("stitch.db").to_string_lossy(), &stitch::MIGRATIONS).await.unwrap();
    let blobs = Blobs::local(dir.join("blobs")).unwrap().with_budget(Budget::of(8 * MIB));
    Stage::on(log, blobs, |settings| settings.at_once = at_once).await
}

#[tokio::test]
async fn a_cut_waits_for_room_and_a_frame_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path(), 2).await;
    let clip = stage.clip(12, 0).await;
    let others = stage.blobs.budget().try_reserve(8 * MIB).unwrap();
    stage.cut("job-43/cut-1", std::slice::from_ref(&clip)).await.unwrap();
    while stage.get("job-43/cut-1").await.state != "working" {
        tokio::task::yield_now().await;
    }
    let request = pb::GetFrameRequest { video: Some(clip), width: 64, height: 36 };
    let refused = ServiceError::from(stage.client.clone().get_frame(request.clone()).await.unwrap_err());
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Unavailable, "no_room"), "{refused}");
    assert_eq!(stage.get("job-43/cut-1").await.state, "working", "it waits");
    drop(others);
    assert_eq!(stage.settled("job-43/cut-1").await.state, "ready");
    stage.client.clone().get_frame(request).await.unwrap();
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"], "no attempt failed");
    stage.stop().await;
}

#[tokio::test]
async fn products_that_need_more_than_there_is_are_made_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path(), 4).await;
    let (clip, music) = (stage.clip(12, 0).await, stage.music(1.0).await);
    // The sound of a mix is guessed to take more than all of scratch.
    for number in 0..4 {
        stage.mix(&format!("job-43/mix-{number}"), &clip, &music).await.unwrap();
    }
    for number in 0..4 {
        assert_eq!(stage.settled(&format!("job-43/mix-{number}")).await.state, "ready");
    }
    assert_eq!(stage.blobs.budget().reserved(), 0);
    stage.stop().await;
}

#[tokio::test]
async fn who_is_told_to_stop_does_not_wait_for_room() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path(), 2).await;
    let clip = stage.clip(12, 0).await;
    let _others = stage.blobs.budget().try_reserve(8 * MIB).unwrap();
    stage.cut("job-43/cut-1", &[clip]).await.unwrap();
    while stage.get("job-43/cut-1").await.state != "working" {
        tokio::task::yield_now().await;
    }
    stage.stop().await;
}
