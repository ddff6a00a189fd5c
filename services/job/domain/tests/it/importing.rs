//! Jobs that were over when they came from an older database.

use crate::golden::{imported, wish};
use crate::harness::{self, Story, blob, id};
use job_domain::imported::{ImportedFile, ImportedScene, JobImported};
use job_domain::state::TakeState;
use job_domain::{
    Command, Job, JobEvent, JobStatus, Outcome, Refusal, RefusalKind, SceneStatus, SoundtrackWish, decide,
    evolve, has_next, has_outstanding, next, plan, progress, replay, timeline, view,
};
use proptest::prelude::*;

const RECORDED_MS: i64 = 1_900_000_000_000;

fn bring(came: JobImported) -> Command {
    Command::Import(Box::new(came))
}

/// The job as it is once it came, at a much later time than its own.
fn job(came: JobImported) -> Job {
    let events = decide(None, bring(came)).expect("it may come");
    evolve(None, &events[0], RECORDED_MS).expect("it begins the job")
}

fn refusal(came: JobImported) -> Vec<String> {
    match decide(None, bring(came)) {
        Err(Refusal::Invalid(wrong)) => wrong.into_iter().map(|wrong| wrong.field).collect(),
        other => panic!("it is refused, but: {other:?}"),
    }
}

fn file(name: &str) -> ImportedFile {
    ImportedFile { blob: blob(name, "video/mp4"), poster: None, duration_ms: 4_000 }
}

/// As `imported`, with so many scenes, each with a clip.
fn with_scenes(scenes: u32) -> JobImported {
    let came = imported();
    let scene = |number| ImportedScene {
        id: id(number),
        number,
        clip: Some(file(&format!("clip-{number}"))),
        status: SceneStatus::Completed,
        ..came.scenes[0].clone()
    };
    JobImported { scenes: (1..=scenes).map(scene).collect(), ..came }
}

#[test]
fn a_job_that_came_is_as_it_was() {
    let job = job(imported());
    assert_eq!((job.id, job.status, job.outcome), (43, JobStatus::Completed, Some(Outcome::Partial)));
    assert_eq!((job.created_at_ms, job.updated_at_ms), (1_763_900_000_123, 1_763_900_360_000));
    assert_eq!(job.scenes[0].created_at_ms, 1_763_900_000_123);
    assert_eq!(
        (progress::progress(&job).percentage, progress::progress(&job).stage),
        (100, "completed_partial")
    );
    let costs = view::costs(&job);
    assert_eq!((costs.estimated_micros, costs.actual_micros), (1_600_000, 1_250_000));
    let parameters = view::parameters(&job);
    assert_eq!((&parameters["legacy_id"], &parameters["legacy_source"]), (&7.into(), &"scenes.db".into()));
    assert_eq!((&parameters["clip_duration"], &parameters["style"]), (&5.0.into(), &"modern".into()));
    assert_eq!((&parameters["video_name"], &parameters["estimated_cost"]), (&"Spring 2".into(), &1.6.into()));
    assert!(view::is_over(&job));
}

#[test]
fn the_video_shows_scenes_that_were_completed_also_when_their_clip_is_gone() {
    let mut came = with_scenes(3);
    came.scenes[1].clip = None;
    let job = job(came.clone());
    assert_eq!((job.outcome, view::missing_scenes(&job)), (Some(Outcome::Full), vec![]));
    assert_eq!(view::scene_status(&job, &job.scenes[1]), SceneStatus::Failed);
    let failure = view::scene_failure(&job, &job.scenes[1]).expect("it is told");
    assert_eq!((failure.code.as_str(), failure.retryable), ("clip_missing", false));
    came.scenes[1].status = SceneStatus::Failed;
    let job = self::job(came);
    assert_eq!((job.outcome, view::missing_scenes(&job)), (Some(Outcome::Partial), vec![2]));
}

#[test]
fn a_scene_of_which_nothing_was_bought_has_no_take() {
    let mut came = with_scenes(3);
    for scene in &mut came.scenes {
        (scene.clip, scene.status, scene.provider_id, scene.cost_micros) =
            (None, SceneStatus::Pending, None, 0);
    }
    came.scenes[1].cost_micros = 300_000;
    came.scenes[2].provider_id = Some("prediction-3".to_owned());
    let job = job(came);
    let takes: Vec<usize> = job.scenes.iter().map(|scene| scene.takes.len()).collect();
    assert_eq!(takes, [0, 1, 1]);
    let ended = |scene: usize| matches!(job.scenes[scene].takes[0].state, TakeState::Failed { .. });
    assert!(ended(1) && ended(2), "what was not finished is over");
    assert_eq!(view::provider_id(&job.scenes[2]), Some("prediction-3"));
}

#[test]
fn scenes_are_in_the_order_of_their_numbers_which_may_have_gaps() {
    let mut came = with_scenes(3);
    (came.scenes[0].number, came.scenes[2].number) = (9, 1);
    let job = job(came);
    let order: Vec<_> = job.scenes.iter().map(|scene| (scene.spec.number, scene.spec.index)).collect();
    assert_eq!(order, [(1, 0), (2, 1), (9, 2)]);
    assert_eq!(job.scenes[2].takes[0].key, "job-43/scene-9/take-1");
}

#[test]
fn a_scene_without_frames_shows_none() {
    let mut came = imported();
    came.scenes[0].frames.clear();
    came.scenes[1].frames.truncate(1);
    let board = view::storyboard(&job(came.clone()));
    assert_eq!(board["scenes"][0]["asset_ids"], serde_json::json!([]));
    let only = &came.scenes[1].frames[0].asset_id;
    assert_eq!(board["scenes"][1]["asset_ids"], serde_json::json!([only, only]));
}

#[test]
fn what_scenes_do_not_account_for_is_the_jobs_own_in_both_directions() {
    for actual_cost_micros in [0, 400_000, 5_000_000] {
        let came = JobImported { actual_cost_micros, ..imported() };
        assert_eq!(view::actual_cost_micros(&job(came)), actual_cost_micros);
    }
}

#[test]
fn sound_is_under_the_video_as_it_was() {
    let audio = |audio: Option<ImportedFile>, audio_merged| {
        let audio = view::audio(&job(JobImported { audio, audio_merged, ..imported() }));
        (audio.status.as_str(), audio.merged, audio.error.is_some())
    };
    assert_eq!(audio(Some(file("music")), true), ("completed_and_merged", true, false));
    assert_eq!(audio(Some(file("music")), false), ("completed", false, false));
    assert_eq!(audio(None, true), ("failed", false, true));
    assert_eq!(audio(None, false), ("skipped", false, false));
}

#[test]
fn a_job_without_a_video_says_why() {
    let came = JobImported { status: JobStatus::Failed, video: None, ..imported() };
    let failed = |error: &str| job(JobImported { error: error.to_owned(), ..came.clone() });
    assert_eq!(failed("out of disk").error.as_deref(), Some("out of disk"));
    assert!(failed(" ").error.is_some_and(|error| error.len() > 10));
    assert_eq!((failed("no").outcome, failed("no").master, failed("no").reached), (None, None, 0));
    let canceled = JobImported { status: JobStatus::Canceled, ..came.clone() };
    assert_eq!(job(canceled).error.as_deref(), Some("canceled"));
    let with_video = JobImported { video: Some(file("left over")), ..came };
    let job = job(with_video);
    assert!(job.master.is_none() && job.warnings.last().is_some_and(|warning| warning.contains("not shown")));
}

#[test]
fn what_cannot_be_is_refused_by_field() {
    type Change = fn(&mut JobImported);
    let cases: [(&str, Change); 14] = [
        ("job_id", |came| came.job = 0),
        ("legacy_id", |came| came.legacy_id = -7),
        ("status", |came| came.status = JobStatus::Processing),
        ("video", |came| came.video = None),
        ("campaign_id", |came| came.campaign_id = "a\0".to_owned()),
        ("video_name", |came| came.video_name = "a\0".to_owned()),
        ("origin.row", |came| came.origin.row.clear()),
        ("origin.digest", |came| came.origin.digest.make_ascii_uppercase()),
        ("parameters_json", |came| came.parameters_json = "[]".to_owned()),
        ("actual_micros", |came| came.actual_cost_micros = -1),
        ("video.duration_ms", |came| came.video.as_mut().expect("a video").duration_ms = i64::MAX),
        ("scenes[1].id", |came| came.scenes[1].id = came.scenes[0].id.clone()),
        ("scenes[1].number", |came| came.scenes[1].number = came.scenes[0].number),
        ("scenes[0].status", |came| came.scenes[0].status = SceneStatus::Processing),
    ];
    for (field, change) in cases {
        let mut came = imported();
        change(&mut came);
        assert_eq!(refusal(came), [field]);
    }
}

#[test]
fn a_job_may_have_had_no_parameters() {
    let job = job(JobImported { parameters_json: String::new(), ..imported() });
    assert_eq!(job.parameters["legacy_id"], 7);
}

#[test]
fn nothing_is_made_again_of_a_job_that_came() {
    let job = job(imported());
    let refused = |command| decide(Some(&job), command).expect_err("it is refused");
    let wished = Command::WishSoundtrack { wish: SoundtrackWish { merge: false, ..wish() } };
    for (command, code) in [
        (harness::regenerate(&[1]), "scene_not_regenerable"),
        (harness::regenerate(&[]), "scene_not_regenerable"),
        (Command::RegenerateSoundtrack, "soundtrack_not_regenerable"),
        (wished, "soundtrack_not_regenerable"),
        (harness::remove(1), "scene_not_removable"),
    ] {
        let refusal = refused(command);
        assert_eq!((refusal.kind(), refusal.code()), (RefusalKind::Precondition, code));
        assert!(refusal.reason().is_some_and(|reason| reason.contains("older database")), "{refusal:?}");
    }
    for (command, code) in [
        (Command::Approve, "job_not_approvable"),
        (Command::Cancel { reason: None }, "job_not_cancelable"),
        (Command::ReorderScenes { order: vec![id(2), id(1)] }, "storyboard_not_editable"),
    ] {
        assert_eq!(refused(command).code(), code);
    }
    assert!(
        decide(Some(&job), harness::show_as(1, SceneStatus::Failed)).is_ok_and(|events| events.len() == 1)
    );
}

#[test]
fn bytes_that_were_found_later_are_added_and_none_are_taken_away() {
    let mut poor = with_scenes(2);
    (poor.status, poor.video, poor.scenes[0].clip) = (JobStatus::Failed, None, None);
    let rich = with_scenes(2);
    let job = job(poor.clone());
    let events = decide(Some(&job), bring(rich.clone())).expect("it is the same row");
    assert_eq!(events, [JobEvent::JobImported(Box::new(rich.clone()))]);
    let whole = evolve(Some(job.clone()), &events[0], RECORDED_MS).expect("the job stays");
    assert_eq!(whole, self::job(rich.clone()));
    for less in [poor, rich.clone()] {
        assert_eq!(decide(Some(&whole), bring(less)), Ok(vec![]));
    }
    let mut other = rich;
    other.scenes[1].clip = None;
    assert_eq!(decide(Some(&job), bring(other.clone())), Ok(vec![]), "one came, but another one went");
    other.origin.row = "8".to_owned();
    assert_eq!(decide(Some(&job), bring(other)), Err(Refusal::JobExists));
    let native = harness::completed(2);
    assert_eq!(native.refusal(bring(with_scenes(2))), Refusal::JobExists);
}

/// As `imported`, with all frames or without.
fn with_frames(are_there: bool) -> JobImported {
    let mut came = imported();
    for frame in came.scenes.iter_mut().flat_map(|scene| &mut scene.frames) {
        frame.blob = are_there.then(|| blob(&frame.asset_id, "image/jpeg"));
    }
    came
}

#[test]
fn bytes_of_a_frame_count_as_found_later_too() {
    let (without, with) = (with_frames(false), with_frames(true));
    for frame in 0..2 {
        let mut one = without.clone();
        one.scenes[0].frames[frame].blob.clone_from(&with.scenes[0].frames[frame].blob);
        let job = job(without.clone());
        let events = decide(Some(&job), bring(one.clone())).expect("it is the same row");
        assert_eq!(events, [JobEvent::JobImported(Box::new(one.clone()))]);
        let job = self::job(one.clone());
        assert_eq!(decide(Some(&job), bring(one)), Ok(vec![]));
        assert_eq!(decide(Some(&job), bring(without.clone())), Ok(vec![]), "none is taken away");
        assert_eq!(decide(Some(&job), bring(with.clone())).map(|events| events.len()), Ok(1));
    }
}

#[test]
fn what_was_written_down_of_a_scene_stays_when_bytes_are_found_later() {
    let mut job = job(with_frames(false));
    for event in decide(Some(&job), harness::show_as(2, SceneStatus::Pending)).expect("a note") {
        job = evolve(Some(job), &event, RECORDED_MS).expect("the job stays");
    }
    let noted = job.scenes[1].overridden.clone();
    assert!(noted.is_some());
    let events = decide(Some(&job), bring(with_frames(true))).expect("it is the same row");
    let whole = evolve(Some(job), &events[0], RECORDED_MS + 1).expect("the job stays");
    assert_eq!((&whole.scenes[0].overridden, &whole.scenes[1].overridden), (&None, &noted));
    assert_eq!((whole.scenes[1].updated_at_ms, whole.updated_at_ms), (RECORDED_MS, RECORDED_MS));
    let fresh = self::job(with_frames(true));
    assert_eq!(whole.scenes[0], fresh.scenes[0], "of the other one nothing was written down");
    assert_eq!(whole.scenes[1].spec, fresh.scenes[1].spec);
}

#[test]
fn a_row_with_another_content_may_be_the_same_with_more_files() {
    let before = {
        let mut came = with_frames(false);
        (came.status, came.video, came.audio) = (JobStatus::Failed, None, None);
        came.error = "its video is missing".to_owned();
        let scene = &mut came.scenes[0];
        (scene.clip, scene.status, scene.error) = (None, SceneStatus::Failed, "no clip".to_owned());
        came
    };
    let mut now = JobImported { job: 99, number: 9, audio: Some(file("music")), ..with_frames(true) };
    now.origin.digest = blob("another", "").sha256;
    now.warnings = vec!["less is missing".to_owned()];
    assert!(now.is_more_of(&before));
    assert!(!now.is_more_of(&now) && !before.is_more_of(&now) && !before.is_more_of(&before));
    let events = decide(Some(&job(before.clone())), bring(JobImported { job: 43, number: 2, ..now.clone() }));
    assert_eq!(events.map(|events| events.len()), Ok(1));

    type Change = fn(&mut JobImported);
    let others: [(&str, Change); 9] = [
        ("name", |came| came.video_name.push('!')),
        ("parameters", |came| came.parameters_json = "{}".to_owned()),
        ("cost", |came| came.actual_cost_micros += 1),
        ("time", |came| came.updated_at_us += 1),
        ("prompt", |came| came.scenes[0].prompt.push('!')),
        ("frame", |came| came.scenes[0].frames[1].asset_id.push('!')),
        ("scenes", |came| drop(came.scenes.pop())),
        ("row", |came| came.origin.row.push('!')),
        ("end of another scene", |came| came.scenes[1].error.push('!')),
    ];
    for (what, change) in others {
        let mut other = now.clone();
        change(&mut other);
        assert!(!other.is_more_of(&before), "{what}");
    }
}

#[test]
fn a_file_that_is_another_one_is_no_file_more() {
    let before = JobImported { audio: None, ..imported() };
    let more = JobImported { audio: Some(file("music")), ..imported() };
    assert!(more.is_more_of(&before));
    let other_video = JobImported { video: Some(file("another")), ..more.clone() };
    let without_video = JobImported { video: None, ..more.clone() };
    let other_end = JobImported { error: "late".to_owned(), ..more.clone() };
    let mut other_frame = more;
    other_frame.scenes[0].frames[0].blob = Some(blob("another", "image/jpeg"));
    for other in [other_video, without_video, other_end, other_frame] {
        assert!(!other.is_more_of(&before), "{other:?}");
    }
}

#[test]
fn the_strip_says_where_it_came_from() {
    let line = timeline::line(None, &JobEvent::JobImported(Box::new(imported())));
    let wanted = "job 43 \"Spring 2\" imported from scenes.db (generated_videos 7), where it was job 7: completed, \
                  2 scenes, $1.25";
    assert_eq!(line, wanted);
}

fn scene() -> impl Strategy<Value = ImportedScene> {
    let status =
        prop::sample::select(vec![SceneStatus::Pending, SceneStatus::Completed, SceneStatus::Failed]);
    let prediction = prop::option::of(Just("prediction".to_owned()));
    let frames = 0_usize..3;
    (status, any::<bool>(), prediction, 0_i64..2_000_000, frames).prop_map(
        |(status, clip, provider_id, cost_micros, frames)| {
            let mut scene = imported().scenes[0].clone();
            scene.frames.truncate(frames);
            ImportedScene { status, clip: clip.then(|| file("clip")), provider_id, cost_micros, ..scene }
        },
    )
}

/// Any job that may come.
fn any_job() -> impl Strategy<Value = JobImported> {
    let status = prop::sample::select(vec![JobStatus::Completed, JobStatus::Failed, JobStatus::Canceled]);
    let files = (any::<bool>(), any::<bool>(), any::<bool>());
    (status, prop::collection::vec(scene(), 0..5), files, 0_i64..9_000_000).prop_map(
        |(status, mut scenes, (video, audio, audio_merged), actual_cost_micros)| {
            for (number, scene) in (1..).zip(&mut scenes) {
                (scene.id, scene.number) = (id(number), number);
            }
            let video = (video || status == JobStatus::Completed).then(|| file("video"));
            let audio = audio.then(|| file("music"));
            JobImported { status, scenes, video, audio, audio_merged, actual_cost_micros, ..imported() }
        },
    )
}

fn anything() -> impl Strategy<Value = Command> {
    let scenes = || prop::collection::vec(1_u32..6, 0..3);
    let (scene, take) = (1_u32..6, 1_u32..3);
    let statuses = prop::sample::select(SceneStatus::ALL.to_vec());
    prop_oneof![
        Just(Command::Approve),
        Just(Command::Advance),
        Just(Command::Cancel { reason: None }),
        Just(Command::RegenerateSoundtrack),
        any::<bool>().prop_map(|merge| Command::WishSoundtrack { wish: SoundtrackWish { merge, ..wish() } }),
        scenes().prop_map(|scenes| harness::regenerate(&scenes)),
        scene.clone().prop_map(harness::remove),
        (scene.clone(), statuses).prop_map(|(scene, status)| harness::show_as(scene, status)),
        (scene.clone(), take.clone()).prop_map(|(scene, take)| harness::rendered(scene, take)),
        (scene, take.clone()).prop_map(|(scene, take)| harness::failed_with(scene, take, "no", 9_000_000)),
        take.clone().prop_map(harness::music_take),
        take.clone().prop_map(harness::cut_ready),
        take.prop_map(harness::mix_ready),
    ]
}

fn asks_for_nothing(job: &Job) {
    assert_eq!((plan(job), next(job)), (vec![], vec![]));
    assert!(!view::is_due(job) && !has_outstanding(job) && !has_next(job) && view::is_over(job));
    assert_eq!(job.status == JobStatus::Completed, job.master.is_some());
    assert_eq!(job.outcome.is_some(), job.master.is_some());
    for scene in &job.scenes {
        let shows = view::scene_status(job, scene);
        assert!(shows != SceneStatus::Completed || scene.clip().is_some(), "completed is what has a clip");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_job_that_came_asks_for_nothing_whatever_is_said_to_it(
        came in any_job(), commands in prop::collection::vec(anything(), 0..12),
    ) {
        let first = came.clone();
        let mut story = Story::default().after(bring(came));
        asks_for_nothing(story.job());
        prop_assert_eq!(view::actual_cost_micros(story.job()), first.actual_cost_micros);
        for command in commands {
            if decide(story.job.as_ref(), command.clone()).is_err() {
                continue;
            }
            let then = story.when(command);
            for kind in then.kinds() {
                // A worker that never was asked may still name a cost.
                prop_assert!(["SceneOverridden", "SceneTakeCharged", "SoundtrackCharged"].contains(&kind), "{kind}");
            }
            story = then.story;
            let overridden = story.job().scenes.iter().any(|scene| scene.overridden.is_some());
            if !overridden {
                asks_for_nothing(story.job());
            }
            prop_assert!(plan(story.job()).is_empty() && next(story.job()).is_empty());
        }
        let stored: Vec<(JobEvent, i64)> = story.events.iter().map(|(event, at_ms)| {
            (JobEvent::from_stored(event.kind(), &event.to_data().to_string()).expect("it reads back"), *at_ms)
        }).collect();
        let replayed = replay(stored.iter().map(|(event, at_ms)| (event, *at_ms)));
        prop_assert_eq!(replayed.as_ref(), story.job.as_ref());
        let snapshot = serde_json::to_value(story.job()).expect("it is written");
        prop_assert_eq!(&serde_json::from_value::<Job>(snapshot).expect("it reads"), story.job());
    }
}
