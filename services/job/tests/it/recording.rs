//! Reports on one job that come together are recorded together, each as if it came alone.

use std::{sync::Arc, time::Duration};

use eventlog::{Lease, Statement, lease};
use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use job::{
    app::{App, RecordError, Recorded, Report},
    events::Origin,
};
use job_domain::{Command, SceneOutcome};
use kit::Clock;

use crate::stage::{Gate, PATIENCE, Script, Stage};

const JOB: i32 = 1;

/// A job whose scenes are all asked for, on a stopped stage; and its scenes' ids.
async fn asked(scenes: i32) -> (Stage, Vec<String>) {
    let mut stage = Stage::new().await;
    for scene in 1..=scenes {
        stage.workers.script(&format!("job-1/scene-{scene}/take-1"), Script::Hold);
    }
    stage.workers.script("job-1/soundtrack-1", Script::Hold);
    let id = stage.approved(scenes).await;
    let job = stage.until(id, |job| job.scenes.iter().all(|scene| scene.status != "pending")).await;
    stage.stop().await;
    (stage, job.scenes.into_iter().map(|scene| scene.id).collect())
}

fn started(scene: &str, attempt: u32) -> Report {
    let outcome = SceneOutcome::Started { attempt, provider_id: format!("p-{attempt}") };
    let command = Command::SceneReported { scene: scene.to_owned(), take: 1, outcome };
    Report { command, origin: Origin { actor: "render", ..Origin::default() } }
}

async fn lease_of(stage: &Stage, owner: &str) -> Lease {
    lease::claim(&stage.log, "runner/job-1", owner, Duration::from_secs(600)).await.unwrap().unwrap()
}

async fn versions_of(stage: &Stage) -> Vec<i64> {
    stage.log.load("job-1", 0).await.unwrap().iter().map(|event| event.version).collect()
}

/// Reports of each of the scenes; the first one's append is held until the others wait.
async fn together(
    stage: &Stage,
    reports: Vec<(Report, Option<Statement>)>,
) -> (Vec<Result<Option<Recorded>, RecordError>>, usize) {
    let gate = Gate::before(stage.log.clone());
    let app = Arc::new(App::new(gate.clone(), Clock::system()));
    app.find(JOB).await.unwrap();
    gate.close();
    let mut recording: FuturesUnordered<_> =
        reports.into_iter().map(|(report, guard)| app.report(JOB, vec![report], guard)).collect();
    // Polled once, each of them waits for the first.
    assert!(futures::poll!(recording.next()).is_pending());
    gate.open();
    let mut recorded = Vec::new();
    while let Some(one) = tokio::time::timeout(PATIENCE, recording.next()).await.expect("it is recorded") {
        recorded.push(one);
    }
    (recorded, gate.appends())
}

#[tokio::test]
async fn what_is_said_while_an_append_is_under_way_is_recorded_by_the_next_one() {
    let (stage, scenes) = asked(5).await;
    let before = versions_of(&stage).await.len();
    let reports = scenes.iter().map(|scene| (started(scene, 9), None)).collect();
    let (recorded, appends) = together(&stage, reports).await;
    assert_eq!(appends, 2, "the first one's, and that of all others");
    let newest = recorded.iter().map(|one| one.as_ref().unwrap().as_ref().unwrap().job.version).max();
    let versions = versions_of(&stage).await;
    assert_eq!((versions.len(), newest), (before + 5, versions.last().copied()));
}

#[tokio::test]
async fn a_guard_that_does_not_hold_keeps_only_its_own_report_out() {
    let (stage, scenes) = asked(4).await;
    let old = lease_of(&stage, "job").await;
    let _new = lease_of(&stage, "job").await;
    let before = versions_of(&stage).await.len();
    let reports = vec![
        (started(&scenes[0], 9), None),
        (started(&scenes[1], 9), Some(old.guard())),
        (started(&scenes[2], 9), None),
        (started(&scenes[3], 9), None),
    ];
    let (recorded, _) = together(&stage, reports).await;
    let (stored, refused): (Vec<_>, Vec<_>) = recorded.into_iter().partition(Result::is_ok);
    assert_eq!((stored.len(), refused.len()), (3, 1));
    assert!(refused[0].as_ref().unwrap_err().is_refused());
    assert_eq!(versions_of(&stage).await.len(), before + 3);
}

#[tokio::test]
async fn who_goes_away_in_the_middle_takes_nobody_along() {
    let (stage, scenes) = asked(2).await;
    let before = versions_of(&stage).await.len();
    let gate = Gate::before(stage.log.clone());
    let app = App::new(gate.clone(), Clock::system());
    app.find(JOB).await.unwrap();
    gate.close();
    let mut first = Box::pin(app.report(JOB, vec![started(&scenes[0], 9)], None));
    assert!(futures::poll!(&mut first).is_pending());
    let mut second = Box::pin(app.report(JOB, vec![started(&scenes[1], 9)], None));
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    gate.open();
    tokio::time::timeout(PATIENCE, second).await.expect("it gets its turn").unwrap();
    // What the first one said may be stored or not; it is said again.
    app.report(JOB, vec![started(&scenes[0], 9)], None).await.unwrap();
    assert_eq!(versions_of(&stage).await.len(), before + 2);
}

#[tokio::test]
async fn what_is_no_news_here_may_be_news_of_what_another_process_stored() {
    let (stage, scenes) = asked(2).await;
    let apps = [0, 1].map(|_| App::new(stage.log.clone(), Clock::system()));
    join_all(apps.iter().map(|app| app.find(JOB))).await;
    let [here, there] = &apps;
    for attempt in 8..12 {
        for (app, scene) in [(here, &scenes[0]), (there, &scenes[1])] {
            let recorded = app.report(JOB, vec![started(scene, attempt)], None).await.unwrap().unwrap();
            assert!(recorded.stored, "decided again on what the other one stored");
            // The other one hears it too, and has it from the log that it is known.
            for app in &apps {
                let again = app.report(JOB, vec![started(scene, attempt)], None).await.unwrap().unwrap();
                assert!(!again.stored);
                assert_eq!(again.job.version, recorded.job.version);
            }
        }
    }
}

/// The claim of a lease may be part of what is recorded first.
#[tokio::test]
async fn a_claim_is_stored_with_the_first_report_or_not_at_all() {
    let (stage, scenes) = asked(1).await;
    let app = App::new(stage.log.clone(), Clock::system());
    let held = lease_of(&stage, "job").await;
    let claim = |owner: &str, last| {
        lease::claiming(&stage.log, "runner/job-1", owner, Duration::from_secs(600), last)
    };
    for (owner, last) in [("job", held.fence - 1), ("job", held.fence + 1), ("another", held.fence)] {
        let report = app.report(JOB, vec![started(&scenes[0], 9)], Some(claim(owner, last).1)).await;
        assert!(report.unwrap_err().is_refused(), "{owner} after {last}");
    }
    let (lease, statement) = claim("job", held.fence);
    let recorded = app.report(JOB, vec![started(&scenes[0], 9)], Some(statement)).await.unwrap().unwrap();
    assert!(recorded.stored && lease.fence == held.fence + 1);
    assert!(lease::renew(&stage.log, &lease, Duration::from_secs(600)).await.unwrap());
    assert!(!lease::renew(&stage.log, &held, Duration::from_secs(600)).await.unwrap());
}
