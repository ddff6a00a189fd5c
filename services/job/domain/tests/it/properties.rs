//! Any order of commands and reports, with repeats and replays, keeps the laws.

mod laws;
mod watched;

use crate::harness::{self, Story, id};
use job_domain::state::{Product, Stage};
use job_domain::{
    Command, Effect, Job, JobEvent, JobStatus, SceneChanges, SceneStatus, SoundtrackWish, carry_out, decide,
    has_next, has_outstanding, next, plan, replay, view,
};
use laws::Laws;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;

/// One thing that happens to a job.
#[derive(Clone, Debug)]
enum Step {
    Person(Command),
    /// A worker reports whatever it likes.
    Report(Command),
    /// A worker answers one of the requests that are outstanding.
    Answer(Index, bool),
    /// A report that came before comes again.
    Again(Index),
    Advance,
    /// Nobody moved the job in time.
    Overdue,
}

fn person() -> impl Strategy<Value = Command> {
    let scene = 1_u32..5;
    let scenes = || prop::collection::vec(1_u32..5, 0..3);
    let edit = |(scene, requested_ms): (u32, i64)| Command::EditScene {
        scene: id(scene),
        changes: SceneChanges { requested_ms: Some(requested_ms), ..SceneChanges::default() },
    };
    prop_oneof![
        4 => Just(Command::Approve),
        1 => Just(Command::Cancel { reason: None }),
        6 => scenes().prop_map(|scenes| harness::regenerate(&scenes)),
        2 => Just(Command::RegenerateSoundtrack),
        1 => any::<bool>().prop_map(|merge| Command::WishSoundtrack {
            wish: SoundtrackWish { merge, ..crate::golden::wish() },
        }),
        2 => scene.clone().prop_map(harness::remove),
        3 => (scene.clone(), 0_usize..4).prop_map(|(scene, status)| harness::show_as(scene, STATUSES[status])),
        1 => (scene, 1_i64..9_000).prop_map(edit),
        1 => Just(vec![3, 1, 2, 4]).prop_shuffle().prop_map(|order| Command::ReorderScenes {
            order: order.into_iter().map(id).collect(),
        }),
    ]
}

const STATUSES: [SceneStatus; 4] =
    [SceneStatus::Pending, SceneStatus::Processing, SceneStatus::Completed, SceneStatus::Failed];

fn report() -> impl Strategy<Value = Command> {
    let take = (1_u32..6, 1_u32..4);
    prop_oneof![
        take.clone().prop_map(|(scene, take)| harness::rendered(scene, take)),
        (take.clone(), 0_i64..1_000_000)
            .prop_map(|((scene, take), cost)| { harness::failed_with(scene, take, "no", cost) }),
        (take, 1_u32..3).prop_map(|((scene, take), attempt)| harness::attempt(scene, take, attempt)),
        (1_u32..3).prop_map(harness::music_take),
        (1_u32..3).prop_map(harness::no_music_take),
        (1_u32..5).prop_map(harness::cut_ready),
        (1_u32..5).prop_map(harness::cut_failed),
        (1_u32..5).prop_map(harness::mix_ready),
        (1_u32..5).prop_map(harness::mix_failed),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => person().prop_map(Step::Person),
        2 => report().prop_map(Step::Report),
        8 => (any::<Index>(), prop::bool::weighted(0.75)).prop_map(|(which, well)| Step::Answer(which, well)),
        1 => any::<Index>().prop_map(Step::Again),
        3 => Just(Step::Advance),
        2 => Just(Step::Overdue),
    ]
}

/// What a worker would say to a request or a cancel.
fn answer(effect: &Effect, well: bool) -> Command {
    match effect {
        Effect::RenderScene { number, take, .. } if well => harness::rendered(*number, *take),
        Effect::RenderScene { number, take, .. } => harness::failed_with(*number, *take, "no", 100_000),
        Effect::CancelScene { number, take, .. } => harness::failed_with(*number, *take, "canceled", 50_000),
        Effect::MakeSoundtrack { take, .. } if well => harness::music_take(*take),
        Effect::MakeSoundtrack { take, .. } | Effect::CancelSoundtrack { take, .. } => {
            harness::no_music_take(*take)
        }
        Effect::Cut { cut, .. } if well => harness::cut_ready(*cut),
        Effect::Cut { cut, .. } => harness::cut_failed(*cut),
        Effect::Mix { cut, .. } if well => harness::mix_ready(*cut),
        Effect::Mix { cut, .. } => harness::mix_failed(*cut),
        Effect::CancelProduct { product: Product::Cut, cut, .. } if well => harness::cut_ready(*cut),
        Effect::CancelProduct { product: Product::Cut, cut, .. } => harness::cut_failed(*cut),
        Effect::CancelProduct { product: Product::Mix, cut, .. } => harness::mix_failed(*cut),
    }
}

fn command(step: &Step, story: &Story, reports: &[Command]) -> Option<Command> {
    match step {
        Step::Person(command) | Step::Report(command) => Some(command.clone()),
        Step::Advance => Some(Command::Advance),
        Step::Overdue => harness::overdue(story.job()),
        Step::Answer(which, well) => {
            let effects = plan(story.job());
            (!effects.is_empty()).then(|| answer(which.get(&effects), *well))
        }
        Step::Again(which) => (!reports.is_empty()).then(|| which.get(reports).clone()),
    }
}

/// Takes a step and checks every law. A refused command must be a person's.
fn take(story: Story, command: Command, laws: &mut Laws) -> Story {
    let Ok(events) = decide(story.job.as_ref(), command.clone()) else { return story };
    let is_report = matches!(
        command,
        Command::SceneReported { .. }
            | Command::SoundtrackReported { .. }
            | Command::CutReported { .. }
            | Command::MixReported { .. }
            | Command::Advance
            | Command::Overdue(_)
    );
    carried_out(story.job(), &command, &events);
    laws.reported(story.job(), &command);
    watched::resumes(story.job(), &events);
    let mut before = story.job().clone();
    let then = story.when(command.clone());
    assert_eq!(then.events, events, "deciding is a pure function");
    let recorded = &then.story.events[then.story.events.len() - events.len()..];
    for (event, at_ms) in recorded {
        let after = job_domain::evolve(Some(before.clone()), event, *at_ms).expect("the job stays");
        laws.happened(&before, event, &after);
        watched::happened(&before, (event, *at_ms), &after);
        before = after;
    }
    laws.stands(then.story.job());
    watched::stands(then.story.job());
    if is_report {
        let again = decide(then.story.job.as_ref(), command).expect("a report is never refused");
        assert!(again.is_empty(), "the same report again says nothing new, but: {again:?}");
    }
    then.story
}

/// Carrying a command out is deciding it and folding what it causes.
fn carried_out(before: &Job, command: &Command, events: &[JobEvent]) {
    let (mut job, at_ms) = (before.clone(), before.updated_at_ms + 1);
    let caused = carry_out(&mut job, command.clone(), at_ms).expect("it is refused by both or by none");
    assert_eq!(caused, events);
    let mut folded = before.clone();
    for event in events {
        folded = job_domain::evolve(Some(folded), event, at_ms).expect("the job stays");
    }
    assert_eq!(job, folded);
    assert_eq!(has_outstanding(&job), !plan(&job).is_empty());
    assert_eq!(has_next(&job), !next(&job).is_empty());
}

/// A job of four scenes, of which at most `most` may be rendered at one time.
fn live(steps: &[Step], most: Option<u32>) -> (Story, Laws) {
    let mut story = harness::nothing().after(harness::create(|job| {
        *job = harness::creation(4);
        job.terms.max_in_flight = most;
    }));
    let mut laws = Laws::new(story.job());
    let mut reports = Vec::new();
    for step in steps {
        let Some(command) = command(step, &story, &reports) else { continue };
        if matches!(step, Step::Report(_) | Step::Answer(..)) {
            reports.push(command.clone());
        }
        story = take(story, command, &mut laws);
    }
    (story, laws)
}

/// Lets the workers answer everything until nothing is asked for any more.
fn to_rest(mut story: Story, laws: &mut Laws, well: bool) -> Story {
    for _ in 0..200 {
        story = take(story, Command::Advance, laws);
        let Some(effect) = plan(story.job()).into_iter().next() else { return story };
        story = take(story, answer(&effect, well), laws);
    }
    panic!("the job does not come to rest: {:?}", plan(story.job()));
}

/// Kinds that the properties must come by, or they prove little.
const SEEN: [&str; 26] = [
    "SceneEdited",
    "SceneOverridden",
    "SceneRemoved",
    "SceneReordered",
    "JobApproved",
    "JobCanceled",
    "RegenerationRequested",
    "SceneTakeRequested",
    "SceneAttemptStarted",
    "SceneRendered",
    "SceneFailed",
    "SceneTakeClosed",
    "SceneTakeCharged",
    "SoundtrackRequested",
    "SoundtrackReady",
    "SoundtrackFailed",
    "CutRequested",
    "CutReady",
    "CutFailed",
    "MixRequested",
    "MixFailed",
    "ProductClosed",
    "JobFailed",
    "CutReplaced",
    "JobStalled",
    "JobResumed",
];

#[test]
fn the_properties_come_by_every_kind_of_event() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 30..70);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let steps = steps.new_tree(&mut runner).expect("steps are made").current();
        let (story, mut laws) = live(&steps, None);
        let story = to_rest(story, &mut laws, true);
        seen.extend(story.events.iter().map(|(event, _)| event.kind()));
    }
    let unseen: Vec<_> = SEEN.iter().filter(|kind| !seen.contains(*kind)).collect();
    assert!(unseen.is_empty(), "never came by {unseen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_of_commands_and_reports_keeps_the_laws(
        steps in prop::collection::vec(step(), 1..70), well in any::<bool>(),
        most in prop::option::of(1_u32..4),
    ) {
        let (story, mut laws) = live(&steps, most);
        let story = to_rest(story, &mut laws, well);
        let job = story.job();
        let at_rest = job.status.is_terminal() || job.status == JobStatus::Pending;
        prop_assert!(at_rest, "a job with every answer in is over: {:?}", job.status);
        prop_assert!(next(job).is_empty() && plan(job).is_empty());
        prop_assert!(job.making.is_none(), "no cut is left unfinished");
        prop_assert_eq!(view::actual_cost_micros(job), laws.charged());
    }

    #[test]
    fn a_replay_of_the_stored_events_is_the_job(
        steps in prop::collection::vec(step(), 1..70), most in prop::option::of(1_u32..4),
    ) {
        let (story, _) = live(&steps, most);
        let replayed = story.replayed();
        prop_assert_eq!(replayed.as_ref(), story.job.as_ref());
        let stored: Vec<(JobEvent, i64)> = story.events.iter().map(|(event, at_ms)| {
            (JobEvent::from_stored(event.kind(), &event.to_data().to_string()).expect("it reads back"), *at_ms)
        }).collect();
        let replayed = replay(stored.iter().map(|(event, at_ms)| (event, *at_ms)));
        prop_assert_eq!(replayed.as_ref(), story.job.as_ref());
        let snapshot = serde_json::to_value(story.job()).expect("it is written");
        prop_assert_eq!(&serde_json::from_value::<job_domain::Job>(snapshot).expect("it reads"), story.job());
    }

    #[test]
    fn the_order_of_the_reports_does_not_change_the_video(
        order in Just(vec![1_u32, 2, 3, 4, 5]).prop_shuffle(), failing in 1_u32..5, repeat in any::<Index>(),
    ) {
        let answer = |what: u32| match what {
            5 => harness::music(),
            scene if scene == failing => harness::failed(scene, 1),
            scene => harness::rendered(scene, 1),
        };
        let mut story = harness::started(4);
        for what in &order {
            story = story.after(answer(*what)).after(answer(*repeat.get(&order[..1])));
        }
        let shown: Vec<u32> = match story.making() {
            Some(Stage::Cutting { clips, .. }) => clips.iter().map(|clip| clip.number).collect(),
            other => panic!("the cut is asked for, but: {other:?}"),
        };
        prop_assert_eq!(shown, (1..5).filter(|scene| *scene != failing).collect::<Vec<_>>());
    }
}
