//! Routes for trying out the parts of the pipeline: previews, settings, texts over videos, music, voices.
//!
//! They are there when the settings say so. Their errors are problems with `success` and `error` beside them.

mod campaigns;
mod images;
mod jobs;
mod media;
mod music;
mod overlay;
mod pipeline;
mod templates;
mod ui;
mod voiceover;

use kit::{Code, ServiceError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tonic::Status;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    params::{Fields, Params},
    problem::{Family, Kind, Problem},
};

/// The error shape of these routes: `success` and `error`, a text.
const FAMILY: Family = Family::Flat;

/// Routes that want a key.
pub(crate) fn keyed() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(templates::list))
        .routes(routes!(templates::adapt))
        .routes(routes!(templates::preview_prompt))
        .routes(routes!(images::select))
        .routes(routes!(music::single_scene))
        .routes(routes!(music::multi_scene))
        .routes(routes!(music::from_templates))
        .routes(routes!(overlay::lay))
        .routes(routes!(overlay::preview))
        .routes(routes!(voiceover::script))
        .routes(routes!(voiceover::generate))
        .routes(routes!(voiceover::avatar))
        .routes(routes!(pipeline::show, pipeline::configure))
        .routes(routes!(campaigns::list))
        .routes(routes!(campaigns::assets))
        .routes(routes!(jobs::preview))
}

/// Routes that a browser opens by itself: a key, or a signed link.
pub(crate) fn linked() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(media::fetch))
}

/// The page, which asks for a key itself.
pub(crate) fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ui::page))
}

/// A required field that is not there.
fn missing(name: &str) -> Problem {
    Problem::framework(Kind::MissingField)
        .with("error", format!("{name} is required"))
        .detail(format!("{name} is required."))
}

/// A text that has to be there.
fn required_text(params: &Params, name: &str) -> Result<String, Problem> {
    let mut fields = Fields::of(params);
    if fields.present(name, &[]).is_none() {
        return Err(missing(name));
    }
    let text = fields.text(name, &[]);
    fields.finish(FAMILY)?;
    Ok(text.unwrap_or_default())
}

/// A list of texts; none when it is not there.
fn texts(fields: &mut Fields<'_>, name: &str) -> Option<Vec<String>> {
    match fields.present(name, &[])? {
        Value::Array(items) => fields.texts_of(name, items),
        _ => fields.reject(name, "must be an array of strings"),
    }
}

/// A finite number, also as text; anything else is rejected.
fn number(fields: &mut Fields<'_>, name: &str) -> Option<f64> {
    let value = fields.present(name, &[])?;
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number.filter(|number: &f64| number.is_finite()) {
        Some(number) => Some(number),
        None => fields.reject(name, "must be a number"),
    }
}

/// Seconds that are not negative, as milliseconds.
fn millis(fields: &mut Fields<'_>, name: &str) -> Option<u64> {
    let seconds = number(fields, name)?;
    if (0.0..=86_400.0).contains(&seconds) {
        Some((seconds * 1000.0).round() as u64)
    } else {
        fields.reject(name, "must be from 0 to 86400 seconds")
    }
}

/// The members of an object field, both spellings of their names; empty when it is not there.
fn nested(fields: &mut Fields<'_>, name: &str) -> Params {
    Params::of_object(fields.object(name).cloned().unwrap_or_default())
}

/// Fields of an object inside the request: what is wrong with them is told under its name.
fn inside<T>(outer: &mut Fields<'_>, name: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
    let params = nested(outer, name);
    let mut inner = Fields::of(&params);
    let value = read(&mut inner);
    for (field, message) in inner.into_violations() {
        outer.reject::<()>(&format!("{name}.{field}"), &message);
    }
    value
}

/// The answer for a call that failed, in the contract's words for what is not there.
fn refused(status: Status, missing: Kind, text: &str) -> Problem {
    let error = ServiceError::from(status);
    let detail = error.to_string();
    if let Some(source) = &error.source {
        tracing::warn!(code = ?error.code, reason = error.reason, source = format!("{source:#}"), "a call failed");
    }
    let kind = match (error.code, error.reason.as_str()) {
        (Code::Validation, _) => return Problem::validation(FAMILY, error.violations),
        (Code::NotFound, _) => return Problem::new(FAMILY, missing, text).detail(detail),
        (Code::Internal, _) => return Problem::internal(),
        (Code::Invalid, "step_not_found") => Kind::StepNotFound,
        (Code::Invalid, "no_images") => Kind::CampaignHasNoAssets,
        (Code::Invalid, _) => Kind::BadRequest,
        (Code::Precondition, _) => Kind::NotAllowed,
        // What is asked for under a key is made once; the key comes from the caller's.
        (Code::Conflict, "digest_mismatch" | "idempotency_key_reused") => Kind::IdempotencyKeyReused,
        (Code::Conflict, _) => Kind::Conflict,
        (Code::Exhausted, _) => Kind::TooManyRequests,
        (Code::Unavailable, _) => Kind::Unavailable,
        (Code::Deadline, _) => Kind::Deadline,
    };
    Problem::new(FAMILY, kind, error.message).detail(detail)
}

/// A call that names nothing that could be missing.
fn failed(status: Status) -> Problem {
    refused(status, Kind::NotFound, "Not found")
}

/// The start of a digest of texts: names what is made from them.
fn name_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A JSON object as text, members sorted by name.
fn canonical(object: &Map<String, Value>) -> String {
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    Value::Object(members.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        .to_string()
}
