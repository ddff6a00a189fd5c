//! Making a job: the contract's checks in the contract's order, the storyboard, one append.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use jiff::{Timestamp, tz::TimeZone};
use job_domain::{
    Command, CreateJob, Job, JobId, SceneDraft,
    pipeline::{ForNewJob, JobTerms, VoiceTerms},
    state::JobKind,
    storyboard::PlanAsset,
    view,
    wishes::{RawWishes, Wishes},
};
use kit::{Code, ServiceError};
use parking_lot::Mutex;
use protos::{asset::v1 as asset, job::v1 as pb};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    app::{App, Done, Remember},
    assets::Assets,
    error::{database, refused},
    events::{Origin, millis as millis_of},
    photos,
    pipeline::{PipelineSettings, script::Writer},
    planner::{self, Brief, Choice, Plan, Planner},
    settings::Settings,
    store,
};

/// Seconds per clip and number of pairs when an image-pairs request names none.
const USUAL_CLIP_SECONDS: f64 = 5.0;
const USUAL_PAIRS: i64 = 10;
/// What the contract says of a campaign that says nothing of itself.
const NO_BRIEF: &str = "No brief provided";

/// What it takes to make a job.
#[derive(Debug)]
pub struct Creator {
    app: Arc<App>,
    assets: Assets,
    planner: Planner,
    default_model: String,
    soundtrack: bool,
    pipeline: PipelineSettings,
    writer: Option<Writer>,
    /// The commands that are being carried out, by id.
    turns: Mutex<HashMap<String, Weak<Turn>>>,
}

type Turn = tokio::sync::Mutex<()>;

/// What a job would be.
#[derive(Debug)]
pub struct Estimated {
    /// The job, without an id.
    pub job: Job,
    /// Whether its storyboard is the one that making it would draw from the same photos.
    pub planned: bool,
    /// Who would draw it.
    pub planner: &'static str,
    /// Until when its prices hold.
    pub valid_until: Timestamp,
}

/// A request that passed every check, with what it is about.
struct Checked {
    kind: JobKind,
    campaign: asset::Campaign,
    photos: Vec<PlanAsset>,
    images: u32,
    /// Assets of every type.
    assets: usize,
    wishes: Wishes,
    parameters: Map<String, Value>,
    settings: ForNewJob,
}

impl Creator {
    /// A maker of jobs.
    #[must_use]
    pub fn new(app: Arc<App>, assets: Assets, planner: Planner, settings: &Settings) -> Self {
        let (default_model, soundtrack) = (settings.default_model.clone(), settings.soundtrack);
        let pipeline = PipelineSettings::new(app.log().clone(), app.clock().clone());
        Self {
            app,
            assets,
            planner,
            default_model,
            soundtrack,
            pipeline,
            writer: None,
            turns: Mutex::default(),
        }
    }

    /// The same under these settings of the pipeline.
    #[must_use]
    pub fn under(self, pipeline: PipelineSettings, writer: Writer) -> Self {
        Self { pipeline, writer: Some(writer), ..self }
    }

    /// Whether the job gets a soundtrack.
    fn has_sound(&self, request: &pb::CreateJobRequest, checked: &Checked) -> bool {
        self.soundtrack && checked.settings.soundtrack && request.soundtrack.unwrap_or(true)
    }

    /// What a voice says over the job, when the settings want one and there is sound.
    async fn voice(
        &self,
        request: &pb::CreateJobRequest,
        checked: &Checked,
        plan: &Plan,
    ) -> Result<Option<VoiceTerms>, ServiceError> {
        let wanted = checked.settings.voice.as_ref().filter(|_| self.has_sound(request, checked));
        let (Some(voice), Some(writer)) = (wanted, &self.writer) else { return Ok(None) };
        let pipeline = self.pipeline.current().await?;
        let script = writer.for_job(&checked.campaign.name, plan, &pipeline).await?;
        Ok(Some(VoiceTerms { script, voice: voice.clone() }))
    }

    /// Makes the job. Nothing is stored unless everything went well.
    ///
    /// # Errors
    /// The request is refused, a service is away, or the planner failed.
    pub async fn create(
        &self,
        request: &pb::CreateJobRequest,
        remember: Remember<'_>,
    ) -> Result<Done, ServiceError> {
        // A repeat waits for the first call and gets its reply, instead of a storyboard of its own.
        let turn = self.turn(remember.id);
        let _mine = match &turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        if let Some(before) = self.app.repeated(remember).await? {
            return Ok(Done::Before(before));
        }
        let checked = self.check(request).await?;
        let choice = self.choice(request, &checked)?;
        let plan = self.planner.draw(brief(request, &checked), choice).await?;
        let voice = self.voice(request, &checked, &plan).await?;
        let scenes = with_ids(&plan);
        let command =
            |id, number: u32| self.command(request, &checked, &plan, &scenes, voice.as_ref(), (id, number));
        self.app.create(&checked.campaign.id, command, &Origin::api(&request.command_id), remember).await
    }

    /// What making the job would come to: the same checks, the same storyboard, the same price. Nothing is stored.
    /// A language model is asked only when `plan` says so; without it the number and the lengths of its scenes are
    /// those that it would be asked for.
    ///
    /// # Errors
    /// The request would be refused, a service is away, or the planner failed.
    pub async fn estimate(
        &self,
        request: &pb::CreateJobRequest,
        plan: bool,
    ) -> Result<Estimated, ServiceError> {
        let checked = self.check(request).await?;
        let choice = self.choice(request, &checked)?;
        let planned = plan || !self.planner.asks_a_model(choice);
        let plan = if planned {
            self.planner.draw(brief(request, &checked), choice).await?
        } else {
            planner::foreseen(brief(request, &checked))?
        };
        let number = store::campaign_number(self.app.log(), &checked.campaign.id).await.map_err(database)?;
        let command = self.command(request, &checked, &plan, &with_ids(&plan), None, (0, number));
        let events = job_domain::decide(None, command).map_err(|no| refused(&no))?;
        let now = self.app.clock().now();
        let at_ms = millis_of(now);
        let job = job_domain::replay(events.iter().map(|event| (event, at_ms)));
        let job = job.ok_or_else(|| ServiceError::internal(anyhow::anyhow!("no job was made")))?;
        Ok(Estimated { job, planned, planner: plan.planner, valid_until: end_of_day(now) })
    }

    /// Who draws the storyboard.
    fn choice(&self, request: &pb::CreateJobRequest, checked: &Checked) -> Result<Choice, ServiceError> {
        match self.planner.choice(&request.planner)? {
            // Who asks for a planner by name gets it.
            _ if request.planner.trim().is_empty() && !checked.settings.use_ai => Ok(Choice::Templates),
            choice => Ok(choice),
        }
    }

    /// The command that makes the job, under an id and with the campaign's number.
    fn command(
        &self,
        request: &pb::CreateJobRequest,
        checked: &Checked,
        plan: &Plan,
        scenes: &[(String, SceneDraft)],
        voice: Option<&VoiceTerms>,
        (job, number): (JobId, u32),
    ) -> Command {
        let video_name = view::video_name(&checked.campaign.name, i64::from(number));
        let scenes = scenes.to_vec();
        let terms = JobTerms { voice: voice.cloned(), ..checked.settings.terms.clone() };
        Command::Create(Box::new(CreateJob {
            job,
            video_name,
            scenes,
            terms,
            ..self.terms(request, checked, plan)
        }))
    }

    fn turn(&self, command_id: &str) -> Option<Arc<Turn>> {
        if command_id.is_empty() {
            return None;
        }
        let mut turns = self.turns.lock();
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.entry(command_id.to_owned()).or_default();
        Some(known.upgrade().unwrap_or_else(|| {
            let turn = Arc::<Turn>::default();
            *known = Arc::downgrade(&turn);
            turn
        }))
    }

    async fn check(&self, request: &pb::CreateJobRequest) -> Result<Checked, ServiceError> {
        let kind = kind(&request.kind)?;
        if request.campaign_id.trim().is_empty() {
            return Err(refusal(Code::Invalid, "campaign_id_required", "campaign_id is required"));
        }
        let campaign = self.assets.campaign(&request.campaign_id).await?;
        let campaign =
            campaign.ok_or_else(|| refusal(Code::NotFound, "campaign_not_found", "Campaign not found"))?;
        let assets = photos::only(self.assets.of_campaign(&campaign.id).await?, &request.asset_ids)?;
        let images = photos::enough(kind, &assets)?;
        let parameters = parameters(&request.parameters_json)?;
        let settings = self.pipeline.current().await?.for_new_job(&campaign.name);
        let mut raw = wishes(kind, request, &parameters);
        let unsaid = request.num_pairs.is_none() && request.total_seconds.is_none();
        let usual = settings.scene_count.filter(|_| unsaid);
        raw.num_pairs = raw.num_pairs.or(usual.map(i64::from));
        let model = settings.model.as_deref().unwrap_or(&self.default_model);
        let mut wishes = raw.check(model).map_err(invalid)?;
        if usual.is_some() {
            // Nobody asked for more than fits.
            let most = u32::try_from(wishes.most_scenes()).unwrap_or(u32::MAX);
            wishes.num_pairs = wishes.num_pairs.map(|count| count.min(most));
        }
        let photos = photos::usable(kind, &assets)?;
        wishes.scene_count(photos.len()).map_err(|wrong| invalid(vec![wrong]))?;
        Ok(Checked { kind, campaign, photos, images, assets: assets.len(), wishes, parameters, settings })
    }

    /// The terms of the job, but for what is only known once it has its place.
    fn terms(&self, request: &pb::CreateJobRequest, checked: &Checked, plan: &Plan) -> CreateJob {
        let client = request.client_id.clone().filter(|client| !client.trim().is_empty());
        let music = checked.parameters.get("music_prompt").and_then(Value::as_str);
        let music = music.map(str::trim).filter(|words| !words.is_empty());
        CreateJob {
            job: 0,
            kind: checked.kind,
            campaign_id: checked.campaign.id.clone(),
            campaign_name: checked.campaign.name.clone(),
            client_id: client
                .or_else(|| Some(checked.campaign.client_id.clone()))
                .filter(|id| !id.is_empty()),
            video_name: String::new(),
            total_assets: checked.images,
            model: checked.wishes.model.key.to_owned(),
            aspect_ratio: checked.wishes.aspect_ratio.clone(),
            resolution: checked.wishes.resolution.clone(),
            soundtrack: self.has_sound(request, checked),
            terms: checked.settings.terms.clone(),
            music_prompt: music.or(checked.wishes.music_genre.as_deref()).map(str::to_owned),
            parameters: checked.parameters.clone(),
            server_parameters: server_parameters(request, checked, plan),
            planner: plan.planner.to_owned(),
            scenes: Vec::new(),
        }
    }
}

fn brief<'a>(request: &'a pb::CreateJobRequest, checked: &'a Checked) -> Brief<'a> {
    let own = Some(request.brief.as_str()).filter(|text| !text.trim().is_empty());
    Brief {
        kind: checked.kind,
        wishes: &checked.wishes,
        photos: &checked.photos,
        text: own.unwrap_or_else(|| about(&checked.campaign)),
    }
}

fn with_ids(plan: &Plan) -> Vec<(String, SceneDraft)> {
    plan.scenes.iter().map(|draft| (Uuid::new_v4().to_string(), draft.clone())).collect()
}

/// The last second of the day, in UTC: prices are promised by the day.
fn end_of_day(now: Timestamp) -> Timestamp {
    let last = TimeZone::UTC.to_datetime(now).date().at(23, 59, 59, 0);
    TimeZone::UTC.to_timestamp(last).unwrap_or(now)
}

fn kind(word: &str) -> Result<JobKind, ServiceError> {
    [JobKind::ImagePairs, JobKind::PropertyPhotos]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| ServiceError::validation([("kind", "is invalid; use image_pairs or property_photos")]))
}

/// The caller's own parameters.
fn parameters(text: &str) -> Result<Map<String, Value>, ServiceError> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    // A job travels whole, and so does a page of them.
    if text.len() > 16 * 1024 {
        return Err(ServiceError::validation([("parameters", "should be at most 16384 byte(s)")]));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(ServiceError::validation([("parameters", "is invalid")])),
    }
}

/// What the caller asks for: its own fields first, then what its parameters say.
fn wishes(kind: JobKind, request: &pb::CreateJobRequest, parameters: &Map<String, Value>) -> RawWishes {
    let named = |name: &str| parameters.get(name).and_then(Value::as_str).map(str::to_owned);
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    // A length of the whole says how long its clips are.
    let usual_clip =
        (kind == JobKind::ImagePairs && request.total_seconds.is_none()).then_some(USUAL_CLIP_SECONDS);
    RawWishes {
        video_model: filled(request.video_model.clone())
            .or_else(|| filled(named("video_model")))
            .or_else(|| filled(named("video_generation_model"))),
        clip_duration_ms: request.clip_duration.or(usual_clip).map(millis),
        num_pairs: request.num_pairs.map(i64::from),
        aspect_ratio: filled(request.aspect_ratio.clone()).or_else(|| filled(named("aspect_ratio"))),
        resolution: filled(request.resolution.clone()).or_else(|| filled(named("resolution"))),
        property_types: Some(request.property_types.clone()).filter(|types| !types.is_empty()),
        total_ms: request.total_seconds.map(millis),
        style: request.style.clone(),
        music_genre: request.music_genre.clone(),
    }
}

/// What is no number of seconds becomes 0, which no model makes.
pub(crate) fn millis(seconds: f64) -> i64 {
    if seconds.is_finite() { (seconds * 1_000.0).round() as i64 } else { 0 }
}

/// What the server says of the job in its parameters.
fn server_parameters(request: &pb::CreateJobRequest, checked: &Checked, plan: &Plan) -> Map<String, Value> {
    let pairs = checked.kind == JobKind::ImagePairs;
    let wishes = &checked.wishes;
    let mut server = Map::new();
    let mut put = |name: &str, value: Value| server.insert(name.to_owned(), value);
    let shared_out = request.total_seconds.and(wishes.clip_duration_ms).map(|ms| ms as f64 / 1_000.0);
    if let Some(seconds) = request.clip_duration.or(shared_out).or(pairs.then_some(USUAL_CLIP_SECONDS)) {
        put("clip_duration", json!(seconds));
    }
    let shared_out = request.total_seconds.and(wishes.num_pairs).map(i64::from);
    let asked = request.num_pairs.map(i64::from).or(shared_out);
    let usual = checked.settings.scene_count.map(i64::from).or(pairs.then_some(USUAL_PAIRS));
    if let Some(number) = asked.or(usual) {
        put("num_pairs", json!(number));
    }
    for (name, words) in [("style", &wishes.style), ("music_genre", &wishes.music_genre)] {
        if let Some(words) = words {
            put(name, json!(words));
        }
    }
    if let Some(seconds) = request.total_seconds {
        put("duration_seconds", json!(seconds));
    }
    if request.keep_campaign {
        let brief = checked.campaign.brief.as_deref().filter(|brief| !brief.trim().is_empty());
        put("campaign_brief", json!(brief.unwrap_or(NO_BRIEF)));
        put("asset_count", json!(checked.assets));
    }
    if !pairs {
        put("property_types", json!(checked.wishes.property_types));
    }
    if plan.calls > 0 {
        put("planner_calls", json!(plan.calls));
    }
    server
}

/// What the campaign says of itself.
fn about(campaign: &asset::Campaign) -> &str {
    let said = [campaign.brief.as_deref(), campaign.goal.as_deref(), Some(campaign.name.as_str())];
    said.into_iter().flatten().find(|text| !text.trim().is_empty()).unwrap_or_default()
}

fn invalid(violations: Vec<job_domain::Violation>) -> ServiceError {
    ServiceError::validation(violations.into_iter().map(|wrong| (wrong.field, wrong.message)))
}

fn refusal(code: Code, reason: &str, text: &str) -> ServiceError {
    ServiceError::new(code, reason, text)
}
