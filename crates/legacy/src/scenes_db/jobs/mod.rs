//! Jobs: everything that the table `generated_videos` holds, with scenes from wherever its flow kept them.
//!
//! | module | what it reads |
//! | --- | --- |
//! | `end` | how a job ended |
//! | `said` | what is said in its parameters: whose it is, of what kind, how large |
//! | `scenes` | scenes of all flows |
//! | `clips`, `drafts`, `storyboard` | scenes of one flow each: rendered pairs, drafted scenes, storyboards |

mod clips;
mod drafts;
mod end;
mod said;
mod scenes;
mod storyboard;

use protos::job::v1::LegacyJob;
use serde_json::{Map, Value};

use super::{
    facts::Facts,
    owners::{TIMES, times},
};
use crate::{
    model::{Broken, Bytes, Found, Row, Slot, Thing},
    outline::{JobOwner, Outline},
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record},
    },
    urls,
};
use said::Said;
use scenes::Scenes;

/// Columns that have a place of their own here, or are read as JSON.
const PLACED: &[&str] = &[
    "id",
    "parameters",
    "metadata",
    "progress",
    "storyboard_data",
    "created_at",
    "updated_at",
    "estimated_cost",
    "actual_cost",
    "download_attempted",
];

/// Columns that hold JSON.
const JSON: [&str; 4] = ["parameters", "metadata", "progress", "storyboard_data"];

/// A job. It comes whether or not its client and its campaign exist.
pub(super) fn job(reader: &Reader, outline: &Outline, row: &Record) -> Result<Row, Fault> {
    let parameters = row.object("parameters")?.unwrap_or_default();
    let metadata = row.json("metadata")?;
    let said = Said::read(row, &parameters, metadata.as_ref())?;
    let owner = outline.owner_of_job(said.client.as_deref(), said.campaign.as_deref());
    let scenes = Scenes::read(reader, row)?;
    let video = row.bytes("video_data");
    let has_video = video.is_some();
    let missing = end::says_completed(row)? && !has_video && !end::made_a_text(row)?;
    let still = row.bytes("thumbnail_data");
    let still_alone = still.is_some() && !has_video;
    let files = [(Slot::Video, video), (Slot::Poster, still.filter(|_| has_video))];
    let mut bytes: Vec<Bytes> =
        files.into_iter().filter_map(|(slot, place)| Some(Bytes { slot, place: place? })).collect();
    bytes.extend(scenes.clips.iter().cloned());
    let origin = row.origin(reader.source(), &scenes.rows);
    let mut job = fields(row, &said, owner, outline)?;
    end::write(row, metadata.as_ref(), has_video, &mut job)?;
    if still_alone {
        job.warnings.push("the still of its video is left out, as there is no video".to_owned());
    }
    money(row, metadata.as_ref(), &scenes, &mut job)?;
    let (kept, cut) = kept(row, parameters, metadata, &job, scenes.facts)?;
    job.parameters_json = kept;
    if cut > 0 {
        job.warnings.push(format!(
            "its row holds pictures that were written out as texts: of {cut} only the beginning is kept"
        ));
    }
    job.warnings.extend(notes::of(row, &JSON, &TIMES));
    job.warnings.extend(scenes.warnings);
    job.scenes = scenes.scenes;
    job.origin = Some(origin);
    let missing = missing.then(|| job.error.clone());
    Ok(Row::Found(Box::new(Found { thing: Thing::Job(Box::new(job)), bytes, missing })))
}

fn fields(row: &Record, said: &Said, owner: JobOwner, outline: &Outline) -> Result<LegacyJob, Broken> {
    let number = row.integer("id")?.and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0);
    let legacy_id = number.ok_or_else(|| row.broken("id", "is no number of a job (from 1 to 2147483647)"))?;
    let campaign_id = owner.campaign.unwrap_or_default();
    let campaign_name = outline.campaign_name(&campaign_id).to_owned();
    let video_name = said.name.clone().unwrap_or_else(|| {
        let of = if campaign_name.is_empty() { "Video" } else { &campaign_name };
        format!("{of} {legacy_id}")
    });
    let (created_at, updated_at) = times(row)?;
    Ok(LegacyJob {
        legacy_id,
        kind: said.kind.to_owned(),
        campaign_id,
        campaign_name,
        client_id: owner.client,
        video_name,
        model: row.filled("model_id")?.unwrap_or_default().to_owned(),
        aspect_ratio: said.aspect_ratio.clone(),
        resolution: said.resolution.clone(),
        created_at,
        updated_at,
        warnings: owner.note.into_iter().collect(),
        ..LegacyJob::default()
    })
}

/// What it was thought to cost, and what it did: pair jobs tell the latter in their metadata alone, which may have
/// stayed at 0 while their scenes were paid for.
fn money(row: &Record, metadata: Option<&Value>, scenes: &Scenes, job: &mut LegacyJob) -> Result<(), Broken> {
    let of_scenes: i64 = scenes.scenes.iter().map(|scene| scene.actual_micros).sum();
    job.estimate_micros = micros(row, "estimated_cost")?;
    job.actual_micros = micros(row, "actual_cost")?;
    if job.actual_micros == 0 {
        let total = metadata.and_then(|metadata| metadata.get("total_cost")).and_then(Value::as_f64);
        let total = total.unwrap_or_default();
        let total = as_micros(total).ok_or_else(|| {
            row.broken("metadata", format!("has a total_cost of {total}, which no job can cost"))
        })?;
        job.actual_micros = total.max(of_scenes);
    }
    Ok(())
}

/// Everything else that the row and its scenes say, and how many texts of it were cut.
fn kept(
    row: &Record,
    parameters: Map<String, Value>,
    metadata: Option<Value>,
    job: &LegacyJob,
    scenes: Vec<Value>,
) -> Result<(String, usize), Broken> {
    let mut facts = Facts::of(row.others(PLACED)?);
    facts.drop_if("model_id", |model| model.as_str() == Some(job.model.as_str()));
    facts.drop_if("error_message", |error| error.as_str() == Some(job.error.as_str()));
    facts.drop_if("campaign_id", |id| id.as_str() == Some(job.campaign_id.as_str()));
    facts.drop_if("client_id", |id| id.as_str() == job.client_id.as_deref());
    facts.put("parameters", Some(parameters).filter(|parameters| !parameters.is_empty()));
    facts.put("metadata", metadata);
    facts.put("progress", row.json("progress")?);
    facts.put("storyboard_data", row.json("storyboard_data")?);
    facts.put("scenes", Some(scenes).filter(|scenes| !scenes.is_empty()));
    Ok(facts.alone())
}

/// A column of dollars in micro-dollars.
fn micros(row: &Record, column: &'static str) -> Result<i64, Broken> {
    let Some(dollars) = row.real(column)? else { return Ok(0) };
    as_micros(dollars).ok_or_else(|| row.broken(column, format!("holds {dollars}, which nothing can cost")))
}

fn as_micros(dollars: f64) -> Option<i64> {
    let micros = (dollars * 1e6).round();
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and well within 64 bits")]
    (0.0..=1e15).contains(&micros).then_some(micros as i64)
}

/// Seconds in milliseconds; what is no length is none.
pub(super) fn milliseconds(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative numbers become 0")]
    let ms = (seconds * 1e3).round() as u64;
    ms
}

/// Where the provider had something, for a warning; none when a row names no place outside the service.
fn at_provider(url: Option<&str>) -> Option<String> {
    url.filter(|url| urls::external(url)).map(urls::bare)
}
