//! Making a job: every term is checked before the first fact is recorded.

use super::edit::check_scene;
use crate::estimate::{self, MAX_TOTAL_SECONDS};
use crate::models::{self, Model};
use crate::{CreateJob, JobCreated, JobEvent, Refusal, SceneDraft, SceneSpec, Violation, parameters};
use serde_json::json;
use std::collections::HashSet;

pub(super) fn create(create: CreateJob) -> Result<Vec<JobEvent>, Refusal> {
    let model =
        models::require("video_model", &create.model).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let violations = check(&create, model);
    if !violations.is_empty() {
        return Err(Refusal::Invalid(violations));
    }
    let scenes: Vec<SceneSpec> = (0..)
        .zip(create.scenes)
        .map(|(index, (id, draft))| SceneSpec { id, number: index + 1, index, draft: billed(model, draft) })
        .collect();
    let estimate_micros =
        estimate::micros(scenes.iter().map(|scene| &scene.draft), model.price_micros_per_second);
    let mut server = create.server_parameters;
    server.insert("campaign_id".to_owned(), json!(create.campaign_id));
    server.insert("campaign_name".to_owned(), json!(create.campaign_name));
    server.insert("video_model".to_owned(), json!(model.key));
    server.insert("video_name".to_owned(), json!(create.video_name));
    if let Some(client) = &create.client_id {
        server.insert("client_id".to_owned(), json!(client));
    }
    let created = JobCreated {
        job: create.job,
        job_kind: create.kind,
        campaign_id: create.campaign_id,
        campaign_name: create.campaign_name,
        client_id: create.client_id,
        video_name: create.video_name,
        model: model.key.to_owned(),
        price_micros_per_second: model.price_micros_per_second,
        aspect_ratio: create.aspect_ratio,
        resolution: create.resolution,
        scene_count: u32::try_from(scenes.len()).unwrap_or(u32::MAX),
        estimate_micros,
        total_assets: create.total_assets,
        soundtrack: create.soundtrack,
        music_prompt: create.music_prompt,
        parameters: parameters::merge(&create.parameters, &server),
        terms: create.terms,
    };
    let drafted = JobEvent::StoryboardDrafted { planner: create.planner, scenes, estimate_micros };
    Ok(vec![JobEvent::JobCreated(Box::new(created)), drafted])
}

/// What is billed follows from the registry, whatever the draft says.
fn billed(model: &Model, mut draft: SceneDraft) -> SceneDraft {
    draft.billed_seconds = model.billed(draft.requested_ms);
    draft
}

fn check(create: &CreateJob, model: &Model) -> Vec<Violation> {
    let mut wrong = Vec::new();
    if create.campaign_id.trim().is_empty() {
        wrong.push(Violation::new("campaign_id", "is required"));
    }
    if create.client_id.as_ref().is_some_and(|client| client.contains('\0')) {
        wrong.push(Violation::new("client_id", "is invalid"));
    }
    if create.scenes.is_empty() {
        wrong.push(Violation::new("scenes", "must not be empty"));
    }
    let lengths: Vec<u32> = create.scenes.iter().map(|(_, scene)| model.billed(scene.requested_ms)).collect();
    if let Some(ratio) = &create.aspect_ratio {
        wrong.extend(model.check_aspect("aspect_ratio", ratio).err());
    }
    if let Some(resolution) = &create.resolution {
        wrong.extend(model.check_resolution("resolution", resolution, &lengths).err());
    }
    wrong.extend(check_total("scenes", lengths.iter().sum()));
    let mut ids = HashSet::new();
    for (index, (id, draft)) in create.scenes.iter().enumerate() {
        let at = format!("scenes[{index}]");
        if id.is_empty() || !ids.insert(id) {
            wrong.push(Violation::new(format!("{at}.id"), "must be given once per scene"));
        }
        wrong.extend(check_scene(&at, model, draft));
    }
    wrong.extend(create.terms.check());
    wrong
}

/// A video may not be longer than the limit.
pub(super) fn check_total(field: &str, seconds: u32) -> Option<Violation> {
    (seconds > MAX_TOTAL_SECONDS).then(|| {
        Violation::new(
            field,
            format!("last {seconds} seconds together; a video may last at most {MAX_TOTAL_SECONDS}"),
        )
    })
}
