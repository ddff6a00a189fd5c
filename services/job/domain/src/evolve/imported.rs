//! The fold of a job that was brought over: it is over, and nothing of it is out, wanted or due.

use crate::digest::digest;
use crate::estimate::CURRENCY;
use crate::imported::{Imported, ImportedFile, ImportedFrame, ImportedScene, JobImported};
use crate::input::{RenderInput, SoundtrackInput, SoundtrackPart};
use crate::keys::Key;
use crate::scene::{Frame, Music, SceneDraft, SceneSpec};
use crate::state::{
    Clip, CutFile, Job, JobStatus, Master, Outcome, Scene, SceneStatus, Shown, Soundtrack, SoundtrackState,
    SoundtrackTake, Take, TakeState,
};
use crate::{BlobRef, JobTerms, view};
use serde_json::{Map, Value, json};

/// The only take of a scene, the only take of the soundtrack, and the only cut.
const ONLY: u32 = 1;
/// Who drew the storyboard: nobody knows any more.
const PLANNER: &str = "imported";

/// The whole job, as the older database tells it.
pub(crate) fn job(came: &JobImported) -> Job {
    let is_completed = came.status == JobStatus::Completed;
    let scenes = scenes(came);
    let master = came.video.as_ref().filter(|_| is_completed).map(|video| master(came, video));
    let is_whole = |master: &Master| master.shown.len() == scenes.len();
    let outcome = master.as_ref().map(|all| if is_whole(all) { Outcome::Full } else { Outcome::Partial });
    let of_scenes: i64 = came.scenes.iter().map(|scene| scene.cost_micros).sum();
    Job {
        id: came.job,
        kind: came.job_kind,
        campaign_id: came.campaign_id.clone(),
        campaign_name: came.campaign_name.clone(),
        client_id: came.client_id.clone().filter(|id| !id.is_empty()),
        video_name: video_name(came),
        model: came.model.clone(),
        price_micros_per_second: 0,
        aspect_ratio: came.aspect_ratio.clone(),
        resolution: came.resolution.clone(),
        parameters: parameters(came),
        total_assets: 0,
        terms: JobTerms::default(),
        planner: PLANNER.to_owned(),
        status: came.status,
        outcome,
        error: error(came),
        removed: Vec::new(),
        estimate_micros: came.estimate_micros,
        soundtrack: soundtrack(came, is_completed),
        making: None,
        unwanted: Vec::new(),
        cuts: if is_completed { ONLY } else { 0 },
        reached: if is_completed { 100 } else { 0 },
        last_cut: master.as_ref().map(silent),
        master,
        next_cut_error: None,
        warnings: warnings(came, is_completed),
        created_at_ms: millis(came.created_at_us),
        updated_at_ms: millis(came.updated_at_us),
        moved_at_ms: millis(came.updated_at_us),
        unfinished_since_ms: millis(came.created_at_us),
        approved_at_ms: None,
        stall: None,
        imported: Some(Imported {
            origin: came.origin.clone(),
            legacy_id: came.legacy_id,
            number: came.number,
            cost_micros: came.actual_cost_micros - of_scenes,
        }),
        scenes,
    }
}

/// The whole job once more, with bytes that were found later. What a person wrote down of a scene here stays.
pub(crate) fn again(before: &Job, came: &JobImported) -> Job {
    let mut job = job(came);
    for noted in before.scenes.iter().filter(|scene| scene.overridden.is_some()) {
        let Some(scene) = job.scenes.iter_mut().find(|scene| scene.spec.id == noted.spec.id) else {
            continue;
        };
        scene.overridden.clone_from(&noted.overridden);
        scene.updated_at_ms = scene.updated_at_ms.max(noted.updated_at_ms);
        job.updated_at_ms = job.updated_at_ms.max(before.updated_at_ms);
    }
    job
}

fn millis(micros: i64) -> i64 {
    micros.div_euclid(1_000)
}

fn video_name(came: &JobImported) -> String {
    if came.video_name.trim().is_empty() {
        return view::video_name(&came.campaign_name, came.legacy_id.into());
    }
    came.video_name.clone()
}

/// What the older database had, under what the server knows.
fn parameters(came: &JobImported) -> Map<String, Value> {
    // It was checked when it was brought over.
    let mut parameters: Map<String, Value> = serde_json::from_str(&came.parameters_json).unwrap_or_default();
    let mut put = |name: &str, text: &str| {
        if !text.is_empty() {
            parameters.insert(name.to_owned(), json!(text));
        }
    };
    put("campaign_id", &came.campaign_id);
    put("campaign_name", &came.campaign_name);
    put("client_id", came.client_id.as_deref().unwrap_or_default());
    put("video_model", &came.model);
    put("video_name", &video_name(came));
    put("cost_currency", CURRENCY);
    put("legacy_source", &came.origin.source);
    parameters.insert("legacy_id".to_owned(), json!(came.legacy_id));
    parameters
}

fn error(came: &JobImported) -> Option<String> {
    let said = Some(came.error.clone()).filter(|error| !error.trim().is_empty());
    match came.status {
        JobStatus::Completed => None,
        JobStatus::Canceled => Some(said.unwrap_or_else(|| "canceled".to_owned())),
        _ => Some(said.unwrap_or_else(|| "It had no video when it was brought over.".to_owned())),
    }
}

fn warnings(came: &JobImported, is_completed: bool) -> Vec<String> {
    let unshown = came.video.is_some() && !is_completed;
    let unshown = unshown.then(|| {
        let status = came.status.as_str();
        format!("The older database has a video of it, which is not shown because the job is {status}")
    });
    came.warnings.iter().cloned().chain(unshown).collect()
}

fn scenes(came: &JobImported) -> Vec<Scene> {
    in_order(came).zip(0..).map(|(scene, index)| self::scene(came, scene, index)).collect()
}

fn in_order(came: &JobImported) -> impl Iterator<Item = &ImportedScene> {
    let mut scenes: Vec<&ImportedScene> = came.scenes.iter().collect();
    scenes.sort_by_key(|scene| scene.number);
    scenes.into_iter()
}

fn scene(came: &JobImported, scene: &ImportedScene, index: u32) -> Scene {
    Scene {
        spec: SceneSpec { id: scene.id.clone(), number: scene.number, index, draft: draft(scene) },
        wanted: false,
        takes: take(came, scene).into_iter().collect(),
        chosen: scene.clip.as_ref().map(|_| ONLY),
        overridden: None,
        created_at_ms: millis(scene.created_at_us),
        updated_at_ms: millis(scene.updated_at_us),
    }
}

fn draft(scene: &ImportedScene) -> SceneDraft {
    SceneDraft {
        title: scene.title.clone(),
        description: scene.description.clone(),
        prompt: scene.prompt.clone(),
        scene_type: scene.scene_type.clone(),
        transition: scene.transition.clone(),
        camera_movement: scene.camera_movement.clone(),
        motion_goal: scene.motion_goal.clone(),
        group_name: scene.group_name.clone(),
        highlights: scene.highlights.clone(),
        time_start_ms: None,
        time_end_ms: None,
        music: Music::default(),
        requested_ms: scene.duration_ms,
        billed_seconds: whole_seconds(scene.duration_ms),
        first_frame: frame(scene.frames.first()),
        last_frame: frame(scene.frames.last()),
    }
}

/// What was billed nobody knows; the seconds begun are the nearest.
fn whole_seconds(ms: i64) -> u32 {
    u32::try_from((ms + 999).div_euclid(1_000)).unwrap_or_default()
}

/// A frame that nothing is known of has no asset, one whose bytes are gone no hash.
fn frame(frame: Option<&ImportedFrame>) -> Frame {
    let nothing = || BlobRef { sha256: String::new(), size: 0, content_type: String::new() };
    match frame {
        None => Frame { asset_id: String::new(), blob: nothing(), width: 0, height: 0 },
        Some(known) => Frame {
            asset_id: known.asset_id.clone(),
            blob: known.blob.clone().unwrap_or_else(nothing),
            width: known.width,
            height: known.height,
        },
    }
}

/// What was bought of the scene; none when nothing was.
fn take(came: &JobImported, scene: &ImportedScene) -> Option<Take> {
    let draft = draft(scene);
    let input = RenderInput {
        model: came.model.clone(),
        prompt: draft.prompt,
        seconds: draft.billed_seconds,
        aspect_ratio: came.aspect_ratio.clone(),
        resolution: came.resolution.clone().unwrap_or_default(),
        first_frame: draft.first_frame,
        last_frame: draft.last_frame,
    };
    Some(Take {
        number: ONLY,
        cut: ONLY,
        key: Key::Take { job: came.job, scene: scene.number, take: ONLY }.to_string(),
        digest: digest(&input),
        input,
        state: take_state(scene)?,
        attempt: u32::from(scene.provider_id.is_some()),
        provider_id: scene.provider_id.clone(),
        cost_micros: scene.cost_micros,
        requested_at_ms: millis(scene.created_at_us),
        settled_at_ms: Some(millis(scene.updated_at_us)),
    })
}

fn take_state(scene: &ImportedScene) -> Option<TakeState> {
    if let Some(ImportedFile { blob, poster, duration_ms }) = &scene.clip {
        let clip = Clip { video: blob.clone(), poster: poster.clone(), duration_ms: *duration_ms };
        return Some(TakeState::Rendered(clip));
    }
    let (code, usual) = match scene.status {
        SceneStatus::Completed => ("clip_missing", "Its clip was not in the older database."),
        SceneStatus::Failed => ("failed", "It failed; the older database does not say why."),
        _ if scene.cost_micros == 0 && scene.provider_id.is_none() => return None,
        _ => ("unfinished", "It was not finished when the job was brought over."),
    };
    let said = Some(scene.error.as_str()).filter(|error| !error.trim().is_empty());
    let (code, reason) = (code.to_owned(), said.unwrap_or(usual).to_owned());
    Some(TakeState::Failed { code, reason, retryable: false })
}

/// The video shows a scene that was completed, also when the clip by itself is gone.
fn shown(came: &JobImported) -> Vec<Shown> {
    let is_shown = |scene: &&ImportedScene| scene.clip.is_some() || scene.status == SceneStatus::Completed;
    in_order(came).filter(is_shown).map(|scene| Shown { scene: scene.id.clone(), take: ONLY }).collect()
}

/// There is one video. Without sound under it, it is the silent one too; with sound, the silent one is lost, and the
/// same video stands in its place. Nothing is ever made from it: see [`crate::imported::STAYS`].
fn master(came: &JobImported, video: &ImportedFile) -> Master {
    Master {
        video: video.blob.clone(),
        poster: video.poster.clone(),
        duration_ms: video.duration_ms,
        silent: video.blob.clone(),
        soundtrack_take: came.audio.as_ref().filter(|_| came.audio_merged).map(|_| ONLY),
        shown: shown(came),
    }
}

fn silent(master: &Master) -> CutFile {
    CutFile {
        shown: master.shown.clone(),
        video: master.silent.clone(),
        poster: master.poster.clone(),
        duration_ms: master.duration_ms,
    }
}

fn soundtrack(came: &JobImported, is_completed: bool) -> Soundtrack {
    let state = match &came.audio {
        Some(file) => {
            let (audio, duration_ms) = (file.blob.clone(), file.duration_ms);
            Some(SoundtrackState::Ready { audio, duration_ms, shortfall: None })
        }
        None if came.audio_merged && is_completed => Some(SoundtrackState::Failed {
            code: "audio_missing".to_owned(),
            reason: "The soundtrack by itself was not in the older database; the video has it.".to_owned(),
            retryable: false,
        }),
        None => None,
    };
    let takes: Vec<SoundtrackTake> = state.map(|state| soundtrack_take(came, state)).into_iter().collect();
    Soundtrack { enabled: !takes.is_empty(), takes, ..Soundtrack::default() }
}

fn soundtrack_take(came: &JobImported, state: SoundtrackState) -> SoundtrackTake {
    let part = |scene: &ImportedScene| SoundtrackPart {
        title: scene.title.clone(),
        description: scene.description.clone(),
        music: Music::default(),
        duration_ms: scene.duration_ms,
    };
    let parts: Vec<SoundtrackPart> = in_order(came).map(part).collect();
    let duration_ms = parts.iter().map(|part| part.duration_ms).sum();
    let input =
        SoundtrackInput { duration_ms, prompt: None, parts, on_error: None, fade_ms: None, voice: None };
    SoundtrackTake {
        number: ONLY,
        key: Key::Soundtrack { job: came.job, take: ONLY }.to_string(),
        digest: digest(&input),
        input,
        wish: None,
        state,
        cost_micros: 0,
        requested_at_ms: millis(came.created_at_us),
        settled_at_ms: Some(millis(came.updated_at_us)),
    }
}
