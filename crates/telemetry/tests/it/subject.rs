//! Which job, scene and take work is for.

use telemetry::{Subject, trace::span};

#[test]
fn a_workers_key_says_job_scene_and_take() {
    let subject = Subject::of_key("job-43/scene-2/take-1");
    assert_eq!((subject.job, subject.scene.as_deref(), subject.take), (Some(43), Some("2"), Some(1)));
    let cut = Subject::of_key("job-43/cut-1");
    assert_eq!(
        (cut.job, cut.scene, cut.take, cut.key.as_deref()),
        (Some(43), None, None, Some("job-43/cut-1"))
    );
}

#[tokio::test]
async fn what_is_done_within_is_for_the_same() {
    let inside = span("work").root().about(Subject::job(7)).around(async { Subject::current() }).await;
    assert_eq!(inside, Some(Subject::job(7)));
    assert_eq!(Subject::job(8).around(async { Subject::current() }).await, Some(Subject::job(8)));
    assert_eq!(Subject::current(), None);
}
