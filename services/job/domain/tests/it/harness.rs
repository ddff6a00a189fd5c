//! Given, when, then: a job brought to a state by its own commands, and short names for what happens to it.

use job_domain::command::{Failure, Overdue};
use job_domain::scene::{Frame, Music};
use job_domain::state::{JobKind, Override, Stage};
use job_domain::watch::{Patience, watch};
use job_domain::{
    BlobRef, Command, CreateJob, CutOutcome, Job, JobEvent, JobStatus, JobTerms, Refusal, SceneDraft,
    SceneOutcome, SceneStatus, SoundtrackOutcome, decide, digest::digest, evolve, plan, progress, replay,
    view,
};

/// The job that the tests are about.
pub(crate) const JOB: i32 = 43;

/// A job and every event that made it.
#[derive(Clone, Default)]
pub(crate) struct Story {
    pub(crate) job: Option<Job>,
    pub(crate) events: Vec<(JobEvent, i64)>,
}

/// What a command came to.
pub(crate) struct Then {
    pub(crate) story: Story,
    pub(crate) events: Vec<JobEvent>,
}

/// No job yet.
pub(crate) fn nothing() -> Story {
    Story::default()
}

/// A pending job with so many scenes.
pub(crate) fn pending(scenes: usize) -> Story {
    nothing().after(Command::Create(Box::new(creation(scenes))))
}

/// A job whose takes and soundtrack were asked for.
pub(crate) fn started(scenes: usize) -> Story {
    pending(scenes).after(Command::Approve).after(Command::Advance)
}

/// A job with every clip and a soundtrack, whose cut was asked for.
pub(crate) fn cutting(scenes: usize) -> Story {
    (1..=scenes as u32).fold(started(scenes).after(music()), |story, scene| story.after(rendered(scene, 1)))
}

/// A job whose video can be played.
pub(crate) fn completed(scenes: usize) -> Story {
    cutting(scenes).after(cut_ready(1)).after(mix_ready(1))
}

/// A completed job in which these scenes failed.
pub(crate) fn partial(scenes: usize, failing: &[u32]) -> Story {
    let story = (1..=scenes as u32).fold(started(scenes).after(music()), |story, scene| {
        if failing.contains(&scene) { story.after(failed(scene, 1)) } else { story.after(rendered(scene, 1)) }
    });
    story.after(cut_ready(1)).after(mix_ready(1))
}

/// A job in which every scene failed.
pub(crate) fn all_failed(scenes: usize) -> Story {
    (1..=scenes as u32).fold(started(scenes).after(music()), |story, scene| story.after(failed(scene, 1)))
}

/// A canceled job whose takes were out.
pub(crate) fn canceled(scenes: usize) -> Story {
    started(scenes).after(Command::Cancel { reason: None })
}

impl Story {
    /// Carries out a command; the events' times count up by a second.
    pub(crate) fn when(mut self, command: Command) -> Then {
        let events = decide(self.job.as_ref(), command).expect("the command is accepted");
        for event in &events {
            let at_ms = 1_000 * (self.events.len() as i64 + 1);
            self.job = evolve(self.job.take(), event, at_ms);
            self.events.push((event.clone(), at_ms));
        }
        Then { story: self, events }
    }

    pub(crate) fn after(self, command: Command) -> Self {
        self.when(command).story
    }

    pub(crate) fn refusal(&self, command: Command) -> Refusal {
        decide(self.job.as_ref(), command).expect_err("the command is refused")
    }

    pub(crate) fn job(&self) -> &Job {
        self.job.as_ref().expect("there is a job")
    }

    pub(crate) fn status(&self) -> JobStatus {
        self.job().status
    }

    pub(crate) fn scene_status(&self, number: u32) -> SceneStatus {
        let job = self.job();
        view::scene_status(job, job.scene_numbered(number).expect("the scene exists"))
    }

    pub(crate) fn percentage(&self) -> u8 {
        progress::progress(self.job()).percentage
    }

    pub(crate) fn stage(&self) -> &'static str {
        progress::progress(self.job()).stage
    }

    pub(crate) fn making(&self) -> Option<&Stage> {
        self.job().making.as_ref().map(|making| &making.stage)
    }

    /// Keys of everything that should be outstanding.
    pub(crate) fn outstanding(&self) -> Vec<String> {
        plan(self.job()).iter().map(|effect| effect.key().to_owned()).collect()
    }

    pub(crate) fn replayed(&self) -> Option<Job> {
        replay(self.events.iter().map(|(event, at_ms)| (event, *at_ms)))
    }
}

impl Then {
    /// The kinds of the events that were recorded.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(JobEvent::kind).collect()
    }

    /// Checks the kinds of the events.
    #[track_caller]
    pub(crate) fn then(self, kinds: &[&str]) -> Story {
        assert_eq!(self.kinds(), kinds);
        self.story
    }

    /// Checks that nothing was recorded.
    #[track_caller]
    pub(crate) fn then_nothing(self) -> Story {
        self.then(&[])
    }
}

/// A scene's id.
pub(crate) fn id(scene: u32) -> String {
    format!("5ce00000-0000-7000-8000-{scene:012}")
}

pub(crate) fn blob(name: &str, content_type: &str) -> BlobRef {
    BlobRef { sha256: digest(&name), size: name.len() as u64, content_type: content_type.to_owned() }
}

pub(crate) fn frame(name: &str) -> Frame {
    Frame { asset_id: format!("asset-{name}"), blob: blob(name, "image/jpeg"), width: 1600, height: 1067 }
}

pub(crate) fn draft(scene: u32) -> SceneDraft {
    SceneDraft {
        title: format!("Scene {scene}"),
        description: format!("What scene {scene} shows"),
        prompt: format!("A slow move\n through room {scene}"),
        scene_type: Some("bedroom".to_owned()),
        transition: Some("fade".to_owned()),
        camera_movement: None,
        motion_goal: None,
        group_name: None,
        highlights: Vec::new(),
        time_start_ms: None,
        time_end_ms: None,
        music: Music { style: "calm".to_owned(), ..Music::default() },
        requested_ms: 5_000,
        billed_seconds: 4,
        first_frame: frame(&format!("{scene}a")),
        last_frame: frame(&format!("{scene}b")),
    }
}

pub(crate) fn creation(scenes: usize) -> CreateJob {
    CreateJob {
        job: JOB,
        kind: JobKind::ImagePairs,
        campaign_id: "campaign-1".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("client-1".to_owned()),
        video_name: "Spring 2".to_owned(),
        model: "veo3".to_owned(),
        aspect_ratio: None,
        resolution: None,
        soundtrack: true,
        music_prompt: None,
        parameters: serde_json::Map::new(),
        server_parameters: serde_json::Map::new(),
        total_assets: 12,
        planner: "template".to_owned(),
        terms: JobTerms::default(),
        scenes: (1..=scenes as u32).map(|scene| (id(scene), draft(scene))).collect(),
    }
}

pub(crate) fn create(change: impl FnOnce(&mut CreateJob)) -> Command {
    let mut creation = creation(2);
    change(&mut creation);
    Command::Create(Box::new(creation))
}

pub(crate) fn failure(reason: &str) -> Failure {
    Failure { code: "provider_failed".to_owned(), reason: reason.to_owned(), retryable: true }
}

pub(crate) fn attempt(scene: u32, take: u32, attempt: u32) -> Command {
    let provider_id = format!("prediction-{scene}-{take}-{attempt}");
    Command::SceneReported { scene: id(scene), take, outcome: SceneOutcome::Started { attempt, provider_id } }
}

/// A take delivered a clip of 4 seconds for 0.80 USD.
pub(crate) fn rendered(scene: u32, take: u32) -> Command {
    let outcome = SceneOutcome::Rendered {
        clip: blob(&format!("clip-{scene}-{take}"), "video/mp4"),
        poster: None,
        duration_ms: 4_000,
        cost_micros: 800_000,
        provider_id: Some(format!("prediction-{scene}-{take}")),
    };
    Command::SceneReported { scene: id(scene), take, outcome }
}

pub(crate) fn failed_with(scene: u32, take: u32, reason: &str, cost_micros: i64) -> Command {
    let outcome = SceneOutcome::Failed { failure: failure(reason), cost_micros, provider_id: None };
    Command::SceneReported { scene: id(scene), take, outcome }
}

pub(crate) fn failed(scene: u32, take: u32) -> Command {
    failed_with(scene, take, "the provider refused the photo", 0)
}

pub(crate) fn music_take(take: u32) -> Command {
    music_without(take, None)
}

/// A soundtrack that is there, but for something.
pub(crate) fn music_without(take: u32, missing: Option<&str>) -> Command {
    let (duration_ms, cost_micros, shortfall) = (12_000, 50_000, missing.map(str::to_owned));
    let audio = blob(&format!("music-{take}"), "audio/mpeg");
    let outcome = SoundtrackOutcome::Ready { audio, duration_ms, cost_micros, shortfall };
    Command::SoundtrackReported { take, outcome }
}

pub(crate) fn music() -> Command {
    music_take(1)
}

pub(crate) fn no_music_take(take: u32) -> Command {
    let outcome = SoundtrackOutcome::Failed { failure: failure("the music model is down"), cost_micros: 0 };
    Command::SoundtrackReported { take, outcome }
}

pub(crate) fn no_music() -> Command {
    no_music_take(1)
}

fn video(name: String) -> CutOutcome {
    CutOutcome::Ready {
        video: blob(&name, "video/mp4"),
        poster: Some(blob("poster", "image/jpeg")),
        duration_ms: 12_000,
    }
}

pub(crate) fn cut_ready(cut: u32) -> Command {
    Command::CutReported { cut, outcome: video(format!("cut-{cut}")) }
}

pub(crate) fn cut_failed(cut: u32) -> Command {
    Command::CutReported { cut, outcome: CutOutcome::Failed(failure("ffmpeg ran out of disk space")) }
}

pub(crate) fn mix_ready(cut: u32) -> Command {
    Command::MixReported { cut, outcome: video(format!("mix-{cut}")) }
}

pub(crate) fn mix_failed(cut: u32) -> Command {
    Command::MixReported { cut, outcome: CutOutcome::Failed(failure("the soundtrack cannot be read")) }
}

pub(crate) fn regenerate(scenes: &[u32]) -> Command {
    Command::Regenerate { scenes: scenes.iter().copied().map(id).collect() }
}

/// A person wants the scene to be shown with this status.
pub(crate) fn show_as(scene: u32, status: SceneStatus) -> Command {
    let shown = Override { status: Some(status), provider_id: None };
    Command::OverrideScene { scene: id(scene), shown }
}

/// A person wants the scene to be shown with this prediction.
pub(crate) fn show_prediction(scene: u32, provider_id: &str) -> Command {
    let shown = Override { status: None, provider_id: Some(provider_id.to_owned()) };
    Command::OverrideScene { scene: id(scene), shown }
}

/// The job, as it stands, was not moved in time by whoever has to move it next.
pub(crate) fn overdue(job: &Job) -> Option<Command> {
    let watch = watch(job, &Patience::default())?;
    Some(Command::Overdue(Box::new(Overdue {
        owner: watch.owner,
        what: watch.what,
        cause: "it takes too long".to_owned(),
        since_ms: watch.since_ms,
        deadline_ms: watch.deadline_ms,
        times: job.stall.as_ref().map_or(0, |stall| stall.times) + 1,
    })))
}

pub(crate) fn remove(scene: u32) -> Command {
    Command::RemoveScene { scene: id(scene) }
}
