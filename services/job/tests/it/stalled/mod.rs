//! A job that stands still is asked about, and then told to be stalled, with a cause, until it moves.

mod counted;

use std::{sync::Arc, time::Duration};

use eventlog::{Lease, Log, Statement, Tail, lease, params};
use job::{
    app::{App, Remember},
    events::Origin,
    store,
    watchdog::Watchdog,
    workers::Workers,
};
use job_domain::{
    Command, JobEvent,
    watch::{Owner, Patience},
};
use kit::Clock;
use protos::job::v1 as pb;
use tokio_util::sync::CancellationToken;

use crate::stage::{PATIENCE, Script, Stage};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const LONG: Duration = Duration::from_secs(600);

fn clock() -> Clock {
    Clock::manual("2026-03-01T12:00:00Z".parse().unwrap())
}

/// The watch over the jobs of a service that is stopped, so that only what a test does happens.
struct Watch {
    stage: Stage,
    app: Arc<App>,
    watchdog: Watchdog,
    lease: Lease,
}

impl Watch {
    async fn over(mut stage: Stage) -> Self {
        stage.stop().await;
        let app = Arc::new(App::new(stage.log.clone(), stage.clock.clone()));
        let watchdog = watchdog(&stage, &app);
        let lease = hold(&stage.log, "test").await;
        Self { stage, app, watchdog, lease }
    }

    /// Looks once, so long after the last look.
    async fn after(&self, passed: Duration) {
        self.stage.clock.advance(passed);
        self.watchdog.once(&self.lease).await.unwrap();
    }

    async fn stalls(&self) -> Vec<JobEvent> {
        stalls(&self.stage.log, 1).await
    }
}

fn watchdog(stage: &Stage, app: &Arc<App>) -> Watchdog {
    let workers = Workers::new(&stage.settings).unwrap();
    Watchdog::new(Arc::clone(app), workers, stage.settings.clone(), CancellationToken::new())
}

async fn hold(log: &Log, owner: &str) -> Lease {
    // Whoever had it before has given it back.
    lease::claim(log, store::WATCHDOG, owner, LONG).await.unwrap().unwrap()
}

/// What was told of a job's standing still.
async fn stalls(log: &Log, job: i32) -> Vec<JobEvent> {
    let events = log.load(&format!("job-{job}"), 0).await.unwrap();
    let told = events.iter().filter(|event| ["JobStalled", "JobResumed"].contains(&event.kind.as_str()));
    told.map(|event| job::events::read(event).unwrap()).collect()
}

#[track_caller]
fn stall(told: &[JobEvent]) -> (Owner, &str, u32) {
    match told.last() {
        Some(JobEvent::JobStalled { owner, cause, times, .. }) => (*owner, cause, *times),
        other => panic!("no stall, but {other:?}"),
    }
}

/// A job of two scenes, of which the first is scripted like this and the second is there.
async fn half_rendered(script: Script) -> Stage {
    let mut stage = Stage::by(clock()).await;
    stage.workers.script("job-1/scene-1/take-1", script);
    let id = stage.approved(2).await;
    let there = |job: &pb::Job| {
        let audio = job.audio.as_ref().is_some_and(|audio| audio.status == "completed");
        audio && job.scenes[1].status == "completed"
    };
    stage.until(id, there).await;
    stage
}

#[tokio::test]
async fn a_storyboard_that_nobody_approves_is_told_once_for_each_deadline() {
    let mut stage = Stage::by(clock()).await;
    stage.create(2).await;
    let mut watch = Watch::over(stage).await;
    watch.after(168 * HOUR - MINUTE).await;
    assert!(watch.stalls().await.is_empty(), "there is a minute left");
    watch.after(MINUTE).await;
    let told = watch.stalls().await;
    let (owner, cause, times) = stall(&told);
    assert_eq!((owner, times), (Owner::Person, 1));
    assert_eq!(cause, "nobody has approved the storyboard for 7 days: approve the job or cancel it");
    watch.after(100 * HOUR).await;
    assert_eq!(watch.stalls().await.len(), 1, "it was told for now");
    watch.after(68 * HOUR).await;
    assert_eq!(stall(&watch.stalls().await).2, 2);
    watch.stage.restart().await;
    watch.stage.approve(1).await;
    let kinds = watch.stage.kinds(1).await;
    assert_eq!(kinds[2..6], ["JobStalled", "JobStalled", "JobApproved", "JobResumed"]);
}

#[tokio::test]
async fn work_without_an_end_is_asked_about_and_told_and_goes_on() {
    let mut watch = Watch::over(half_rendered(Script::Hold).await).await;
    let key = "job-1/scene-1/take-1";
    let (calls, before) = (watch.stage.workers.calls(key), watch.app.find(1).await.unwrap().unwrap());
    watch.after(20 * MINUTE).await;
    assert_eq!(watch.stage.workers.calls(key), calls + 1, "it is asked for once more, under its key");
    let told = watch.stalls().await;
    let (owner, cause, _) = stall(&told);
    assert_eq!(owner, Owner::Render);
    assert_eq!(
        cause,
        "render has worked on take 1 of scene 1 (attempt 1, prediction p-job-1/scene-1/take-1) for 20 minutes \
         without an end"
    );
    let after = watch.app.find(1).await.unwrap().unwrap();
    assert_eq!(job::view::of(&after.job), job::view::of(&before.job), "nobody else sees anything of it");
    watch.stage.workers.script(key, Script::Deliver);
    watch.stage.restart().await;
    let job = watch.stage.until(1, |job| job.status == "completed").await;
    assert_eq!(job.outcome.as_deref(), Some("full"));
    let kinds = watch.stage.kinds(1).await;
    let place = |kind: &str| kinds.iter().position(|known| known == kind).unwrap();
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "SceneTakeRequested").count(),
        2,
        "nothing is bought twice"
    );
    assert!(place("JobStalled") < place("JobResumed") && place("JobResumed") < place("CutRequested"));
}

#[tokio::test]
async fn an_answer_that_was_missed_is_taken_and_nothing_is_told() {
    let watch = Watch::over(half_rendered(Script::Hold).await).await;
    watch.stage.workers.script("job-1/scene-1/take-1", Script::Deliver);
    watch.after(20 * MINUTE).await;
    let kinds = watch.stage.kinds(1).await;
    assert!(kinds.contains(&"CutRequested".to_owned()), "what follows is recorded with it: {kinds:?}");
    assert!(watch.stalls().await.is_empty());
    assert!(store::overdue(&watch.stage.log, watch.stage.clock.now(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_is_away_is_named_also_when_another_one_has_to_move_first() {
    let watch = Watch::over(half_rendered(Script::Away(u32::MAX)).await).await;
    watch.after(20 * MINUTE).await;
    let told = watch.stalls().await;
    let (owner, cause, _) = stall(&told);
    assert_eq!(owner, Owner::Render);
    assert!(cause.starts_with("render does not answer when it is asked for take 1 of scene 1"), "{cause}");

    let mut stage = Stage::by(clock()).await;
    stage.workers.script("job-1/scene-1/take-1", Script::Hold);
    stage.workers.script("job-1/soundtrack-1", Script::Away(u32::MAX));
    let id = stage.approved(2).await;
    stage.until(id, |job| job.scenes[1].status == "completed").await;
    let watch = Watch::over(stage).await;
    watch.after(20 * MINUTE).await;
    let told = watch.stalls().await;
    let (owner, cause, _) = stall(&told);
    assert_eq!(owner, Owner::Audio);
    assert!(cause.contains("asked for soundtrack 1") && cause.contains("1 more request is"), "{cause}");
}

#[tokio::test]
async fn what_nobody_asked_for_is_recorded_by_the_watch() {
    let mut stage = Stage::by(clock()).await;
    stage.create(2).await;
    let watch = Watch::over(stage).await;
    let remember = Remember { id: "", digest: "", reply: |_| Vec::new() };
    watch.app.carry_out(1, &Command::Approve, &Origin::runner(), remember).await.unwrap();
    watch.after(2 * MINUTE).await;
    let kinds = watch.stage.kinds(1).await;
    assert_eq!(kinds[3..], ["SceneTakeRequested", "SceneTakeRequested", "SoundtrackRequested"]);
}

#[tokio::test]
async fn rows_of_a_program_that_knew_no_watch_get_a_deadline() {
    let watch = Watch::over(half_rendered(Script::Hold).await).await;
    let log = &watch.stage.log;
    let forget = "UPDATE job SET owner = NULL, unfinished_since = NULL, owed_since = NULL, deadline = NULL, \
                  watched_version = 0";
    log.execute(vec![Statement::new(forget, params![])]).await.unwrap();
    watch.after(20 * MINUTE).await;
    assert!(watch.stalls().await.is_empty(), "nothing is known of it");
    job::catch_up::once(&watch.app).await.unwrap();
    watch.after(19 * MINUTE).await;
    assert!(watch.stalls().await.is_empty(), "it is watched from the first moment that it is known");
    watch.after(MINUTE).await;
    assert_eq!(stall(&watch.stalls().await).0, Owner::Render);
    assert!(store::behind(log, 0, 10).await.unwrap().is_empty());
    // One that such a program moved meanwhile has a row that is overdue, and is not.
    let stale = "UPDATE job SET deadline = '2026-01-01T00:00:00.000000Z'";
    log.execute(vec![Statement::new(stale, params![])]).await.unwrap();
    watch.after(Duration::ZERO).await;
    assert_eq!(watch.stalls().await.len(), 1);
    assert!(
        store::overdue(log, watch.stage.clock.now(), 10).await.unwrap().is_empty(),
        "the row is put right"
    );
}

#[tokio::test]
async fn two_that_watch_at_one_time_tell_once_and_one_that_lost_the_lease_tells_nothing() {
    let watch = Watch::over(half_rendered(Script::Hold).await).await;
    let other = Arc::new(App::new(watch.stage.log.clone(), watch.stage.clock.clone()));
    let other = watchdog(&watch.stage, &other);
    watch.stage.clock.advance(20 * MINUTE);
    let both = tokio::join!(watch.watchdog.once(&watch.lease), other.once(&watch.lease));
    both.0.and(both.1).unwrap();
    assert_eq!(watch.stalls().await.len(), 1);
    lease::release(&watch.stage.log, &watch.lease).await.unwrap();
    hold(&watch.stage.log, "another").await;
    watch.after(24 * HOUR).await;
    assert_eq!(watch.stalls().await.len(), 1, "the write was refused");
}

#[tokio::test]
async fn another_patience_holds_for_jobs_that_wait_already() {
    let mut stage = Stage::by(clock()).await;
    stage.create(2).await;
    let (log, now) = (stage.log.clone(), stage.clock.now());
    let overdue = async |after: Duration| store::overdue(&log, now + after, 10).await.unwrap();
    assert!(overdue(2 * HOUR).await.is_empty());
    store::respread(&log, &Patience { person: HOUR, ..Patience::default() }).await.unwrap();
    assert_eq!(overdue(2 * HOUR).await, [1]);
    store::respread(&log, &Patience::default()).await.unwrap();
    assert!(overdue(2 * HOUR).await.is_empty());
}

/// Waits until an event of this kind is in the log.
async fn until_told(log: &Log, kind: &str) {
    let (mut tail, cancel) = (Tail::new(log.clone(), 0), CancellationToken::new());
    let waiting = async {
        while let Some(batch) = tail.next_batch(&cancel).await.unwrap() {
            if batch.iter().any(|event| event.kind == kind) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no {kind}"));
}

#[tokio::test]
async fn the_service_watches_by_itself_and_only_the_strip_says_so() {
    let mut stage = Stage::by(clock()).await;
    let created = stage.create(2).await;
    let mut feed = stage.client.watch(pb::WatchRequest { after_position: 0 }).await.unwrap().into_inner();
    stage.clock.advance(169 * HOUR);
    until_told(&stage.log, "JobStalled").await;
    assert_eq!(stage.job(1).await.updated_at, created.updated_at);
    let canceled = pb::CancelJobRequest { job_id: 1, ..pb::CancelJobRequest::default() };
    stage.client.cancel_job(canceled).await.unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|kind| kind != "job_canceled") {
        seen.push(feed.message().await.unwrap().expect("the feed does not end").event);
    }
    assert_eq!(seen, ["job_created", "storyboard_drafted", "job_canceled"]);
    let read = pb::ReadFeedRequest { job_id: 1, after_position: 0 };
    let read = stage.client.read_feed(read).await.unwrap().into_inner().items;
    assert_eq!(read.iter().map(|item| &item.event).collect::<Vec<_>>(), seen.iter().collect::<Vec<_>>());
    let strip = stage.client.get_strip(pb::GetStripRequest { job_id: 1 }).await.unwrap().into_inner();
    let told: Vec<_> = strip.lines.iter().map(|line| (line.event.as_str(), line.text.as_str())).collect();
    assert!(told[2].0 == "job_stalled" && told[2].1.starts_with("stalled: nobody has approved"), "{told:?}");
    assert_eq!(told[4].0, "job_resumed");
}
