//! Jobs with their scenes, videos and sound.
//!
//! What a job cost was never recorded there. Its campaign and its client are said in its parameters alone.

use protos::job::v1::LegacyJob;
use serde_json::Value;

use super::{
    ending::{self, Ending, Video},
    json::{self, Members},
    owners::{TIMES, UNNAMED_CAMPAIGN, times},
    scenes, storyboard,
};
use crate::{
    model::{Broken, Bytes, Found, Place, Row, RowKey, Slot, Thing},
    outline::{JobOwner, Outline},
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record, quoted},
    },
};

/// Columns that have a place of their own here.
const PLACED: &[&str] = &[
    "id",
    "type",
    "status",
    "parameters",
    "storyboard",
    "progress",
    "result",
    "audio_blob",
    "video_name",
    "estimated_cost",
    super::CREATED,
    "updated_at",
];

/// The parameters that name a job's client and campaign.
const OWNERS: [&[&str]; 2] = [&["client_id", "clientId"], &["campaign_id", "campaignId"]];

/// The most bytes of a video that may turn out to be a sentence.
const LONGEST_SENTENCE: u64 = 4_096;

/// The JSON columns of a job.
struct Told {
    parameters: Members,
    storyboard: Option<Members>,
    progress: Option<Members>,
}

/// The bytes of a job, and what has to be said of them.
#[derive(Default)]
struct Files {
    bytes: Vec<Bytes>,
    warnings: Vec<String>,
}

/// Reads a job.
pub(super) fn job(reader: &Reader, outline: &Outline, key: &RowKey) -> Result<Row, Fault> {
    let record = reader.row(key)?;
    let number =
        record.integer("id")?.and_then(|number| i32::try_from(number).ok()).filter(|number| *number > 0);
    let number = number.ok_or_else(|| record.broken("id", "is no number from 1 to 2147483647"))?;
    let mut told = Told {
        parameters: json::object(&record, "parameters")?.unwrap_or_default(),
        storyboard: json::object(&record, "storyboard")?,
        progress: json::object(&record, "progress")?,
    };
    let parameters = Some(&told.parameters);
    let [client, campaign] = OWNERS.map(|names| json::text(parameters, names));
    let owner = outline.owner_of_job(client, campaign);
    let status = record.text("status")?;
    let video = video(reader, &record, key)?;
    let ending = ending::of(status, told.progress.as_ref(), &video).ok_or_else(|| {
        let reason = format!(
            "holds {} where pending, approved, processing, completed or failed should be",
            quoted(status)
        );
        record.broken("status", reason)
    })?;
    let drawn = storyboard::read(told.storyboard.take());
    let rows = reader.all("sub_jobs", "job_id", &number, super::CREATED)?;
    let made = rows.iter().map(scenes::made).collect::<Result<Vec<_>, _>>()?;
    let mut files = files(&record, &video, &ending, told.progress.as_mut());
    files.warnings.extend(uneven(drawn.scenes.len(), made.len()));
    files.warnings.extend(noted(&record, &rows));

    let mut found = described(&record, number, &told, &drawn.scenes)?;
    let (mut scenes, clips) = scenes::join(&of(reader, key, &found, &told), drawn.scenes, made);
    files.bytes.extend(clips);
    files.warnings.extend(scenes::look_up(reader, &mut scenes)?);
    found.scenes = scenes;
    let mut facts = record.others(PLACED)?;
    if status != ending.status {
        facts.insert("status".to_owned(), Value::from(status));
    }
    owned(&mut found, &told.parameters, outline, owner, &mut facts);
    found.parameters_json = parameters_json(&record, told, drawn.rest, facts)?;
    found.status = ending.status.to_owned();
    found.error = ending.error;
    found.warnings.extend(files.warnings);
    found.origin = Some(record.origin(reader.source(), &rows));
    let thing = Thing::Job(Box::new(found));
    Ok(Row::Found(Box::new(Found { thing, bytes: files.bytes, missing: ending.missing })))
}

/// What the row says of the job itself; scenes, owner and ending are to be filled in.
fn described(
    record: &Record,
    number: i32,
    told: &Told,
    drawn: &[storyboard::Drawn],
) -> Result<LegacyJob, Broken> {
    let parameters = Some(&told.parameters);
    let (created_at, updated_at) = times(record)?;
    let model = json::text(parameters, &["video_model", "video_generation_model", "model"]);
    let model = model.or_else(|| drawn.iter().find_map(|scene| scene.model.as_deref()));
    let aspect_ratio = json::text(parameters, &["aspect_ratio"]);
    let aspect_ratio = aspect_ratio.or_else(|| drawn.iter().find_map(|scene| scene.aspect_ratio.as_deref()));
    Ok(LegacyJob {
        legacy_id: number,
        kind: kind(record)?,
        video_name: video_name(record, number, parameters)?,
        model: model.unwrap_or_default().to_owned(),
        aspect_ratio: aspect_ratio.map(str::to_owned),
        resolution: json::text(parameters, &["resolution"]).map(str::to_owned),
        estimate_micros: estimate(record, told)?,
        audio_merged: ending::audio_merged(told.progress.as_ref()),
        created_at,
        updated_at,
        ..LegacyJob::default()
    })
}

/// Says whose the job is. What its parameters say of that is kept in `facts` where it is something else here.
fn owned(job: &mut LegacyJob, parameters: &Members, outline: &Outline, owner: JobOwner, facts: &mut Members) {
    if owner.note.is_some() {
        for name in OWNERS.into_iter().flatten() {
            if let Some(id) = parameters.get(*name) {
                facts.insert((*name).to_owned(), id.clone());
            }
        }
    }
    job.campaign_name = match &owner.campaign {
        Some(id) if outline.has_campaign(id) => match outline.campaign_name(id) {
            "" => UNNAMED_CAMPAIGN.to_owned(),
            name => name.to_owned(),
        },
        _ => json::text(Some(parameters), &["campaign_name"]).unwrap_or_default().to_owned(),
    };
    job.campaign_id = owner.campaign.unwrap_or_default();
    job.client_id = owner.client;
    job.warnings.extend(owner.note);
}

fn kind(record: &Record) -> Result<String, Broken> {
    let text = record.text("type")?;
    if ["image_pairs", "property_photos"].contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(record
            .broken("type", format!("holds {} where image_pairs or property_photos should be", quoted(text))))
    }
}

/// The video's name; those from before there was a column got theirs from the campaign and the number.
fn video_name(record: &Record, number: i32, parameters: Option<&Members>) -> Result<String, Broken> {
    let told = record.filled("video_name")?.or_else(|| json::text(parameters, &["video_name"]));
    Ok(told.map_or_else(
        || format!("{} {number}", json::text(parameters, &["campaign_name"]).unwrap_or("Video")),
        str::to_owned,
    ))
}

/// What it was expected to cost, in micro-dollars: of its column, its parameters or its progress.
fn estimate(record: &Record, told: &Told) -> Result<i64, Broken> {
    /// Dollars.
    const MOST: f64 = 1e6;
    let told = || {
        let parameter = told.parameters.get("estimated_cost").and_then(json::number);
        parameter.or_else(|| json::number(told.progress.as_ref()?.get("costs")?.get("estimated")?))
    };
    let dollars = match record.real("estimated_cost")? {
        Some(dollars) if (0.0..=MOST).contains(&dollars) => dollars,
        Some(dollars) => {
            return Err(
                record.broken("estimated_cost", format!("holds {dollars}, which is no price of a video"))
            );
        }
        None => told().filter(|dollars| *dollars <= MOST).unwrap_or_default(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e12")]
    let micros = (dollars * 1e6).round() as i64;
    Ok(micros)
}

/// What is in the place of the video.
fn video(reader: &Reader, record: &Record, key: &RowKey) -> Result<Video, Fault> {
    let Some(Place::Column { size, .. }) = record.bytes("result") else { return Ok(Video::Absent) };
    if size > LONGEST_SENTENCE {
        return Ok(Video::There);
    }
    let query = "SELECT CAST(result AS BLOB) FROM jobs WHERE rowid = ?1";
    let bytes: Vec<u8> =
        reader.connection().query_row(query, [key.rowid], |row| row.get(0)).map_err(|error| {
            reader.unusable(&format!("table jobs, row {}: its result cannot be read ({error})", key.row))
        })?;
    Ok(ending::sentence(&bytes).map_or(Video::There, Video::Sentence))
}

/// Where the job's own bytes are. The still is taken out of the progress.
fn files(record: &Record, video: &Video, ending: &Ending, progress: Option<&mut Members>) -> Files {
    let mut files = Files::default();
    if ending.status == "completed" {
        files.warnings.extend(ending::audio_warning(progress.as_deref()));
    }
    let there = *video == Video::There;
    if there {
        files.bytes.extend(record.bytes("result").map(|place| Bytes { slot: Slot::Video, place }));
    }
    match progress.map(ending::take_poster) {
        Some(Ok(Some(still))) if there => {
            files.bytes.push(Bytes { slot: Slot::Poster, place: Place::Text(still) });
        }
        Some(Ok(Some(_))) => {
            files.warnings.push("the still of its video is left out, as there is no video".to_owned())
        }
        Some(Err(warning)) => files.warnings.push(warning),
        Some(Ok(None)) | None => {}
    }
    files.bytes.extend(record.bytes("audio_blob").map(|place| Bytes { slot: Slot::Audio, place }));
    files
}

/// What is to be noted of how the row and those of its scenes were read.
fn noted(record: &Record, scenes: &[Record]) -> Vec<String> {
    let mut all = notes::of(record, &["parameters", "storyboard", "progress"], &TIMES);
    for (number, scene) in (1_u32..).zip(scenes) {
        all.extend(notes::of_scene(number, scene, &[], &TIMES));
    }
    all
}

/// That scenes may have got the wrong words.
fn uneven(drawn: usize, made: usize) -> Option<String> {
    (drawn != made && drawn > 0 && made > 0).then(|| {
        format!(
            "its storyboard has {drawn} scenes, but {made} were there to be made: they were matched by their order, so \
             titles may be those of other scenes"
        )
    })
}

fn of<'a>(reader: &'a Reader, key: &'a RowKey, job: &'a LegacyJob, told: &Told) -> scenes::Of<'a> {
    let duration = told.parameters.get("clip_duration").and_then(json::milliseconds);
    scenes::Of {
        source: reader.source(),
        job: &key.row,
        created_at: &job.created_at,
        updated_at: &job.updated_at,
        duration_ms: duration.unwrap_or_default(),
    }
}

/// The job's parameters as they were; under `legacy` what of the row has no place here.
fn parameters_json(
    record: &Record,
    told: Told,
    storyboard: Members,
    mut facts: Members,
) -> Result<String, Broken> {
    for (name, members) in [("storyboard", storyboard), ("progress", told.progress.unwrap_or_default())] {
        if !members.is_empty() {
            facts.insert(name.to_owned(), Value::Object(members));
        }
    }
    Ok(json::kept(record, "parameters", facts)?.unwrap_or_else(|| "{}".to_owned()))
}

/// That a scene is left out whose job is not there.
pub(super) fn lone_scene(record: &Record) -> Result<Row, Broken> {
    let job = record.integer("job_id")?.map_or_else(|| "NULL".to_owned(), |job| job.to_string());
    Ok(record.skipped(format!("its job {job} is not in the source"), false))
}
