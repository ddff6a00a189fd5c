//! What a gateway says beside what the source is known to hold.

use std::collections::BTreeMap;

use filmstrip::client::Client;
use legacysources::{
    AssetBytes, AssetTruth, CampaignTruth, ClientTruth, Family, IMPORTED_CLIENT, JobTruth, Orphans, Owners,
    SceneTruth, Truth,
};
use serde_json::{Map, Value, json};

use super::{
    place::{bytes, digest, listed, status},
    report::loose,
};

/// What is called an image there and is none to be decoded: a document here.
const SVG: &str = "image/svg+xml";

/// Every client, campaign, asset, key and job of a source, asked for one after the other at the gateway. The jobs have
/// the numbers that they had.
pub(super) async fn everything(client: &Client, truth: &Truth, orphans: Orphans) {
    owners(client, truth, orphans).await;
    assets(client, truth, orphans).await;
    keys(client, truth).await;
    jobs(client, truth, |job| job.number).await;
}

/// The clients and campaigns are those of the source, and no others.
pub(super) async fn owners(client: &Client, truth: &Truth, orphans: Orphans) {
    let mut rows = by_id(listed(client, "/api/v3/clients").await);
    let keeper = rows.remove(IMPORTED_CLIENT);
    let needed = orphans == Orphans::Keep && truth.orphans().next().is_some();
    assert_eq!(keeper.is_some(), needed, "{keeper:?}");
    assert!(keeper.is_none_or(|keeper| keeper["name"] == "Imported"));
    assert_eq!(rows.len(), truth.clients.len());
    for wanted in &truth.clients {
        same_client(&rows[&wanted.id], wanted);
    }
    let rows = by_id(listed(client, "/api/v3/campaigns").await);
    assert_eq!(rows.len(), truth.campaigns(orphans).count());
    for (wanted, owner) in truth.campaigns(orphans) {
        same_campaign(&rows[&wanted.id], wanted, owner);
    }
}

fn same_client(row: &Value, wanted: &ClientTruth) {
    let told = json!([
        row["name"],
        row["description"],
        row["homepage"],
        row["brand_guidelines"],
        kept(&row["metadata"]),
        row["inserted_at"],
        row["updated_at"]
    ]);
    let updated = wanted.updated_at.as_ref().unwrap_or(&wanted.created_at);
    let want = json!([
        wanted.name,
        filled(&wanted.description),
        filled(&wanted.homepage),
        filled(&wanted.brand_guidelines),
        kept(&json!(wanted.metadata)),
        wanted.created_at,
        updated
    ]);
    assert_eq!(told, want, "client {}", wanted.id);
}

fn same_campaign(row: &Value, wanted: &CampaignTruth, owner: &str) {
    let told = json!([
        row["clientId"],
        row["name"],
        row["goal"],
        row["status"],
        row["productUrl"],
        row["brief"],
        kept(&row["metadata"]),
        row["createdAt"],
        row["updatedAt"]
    ]);
    // The API decodes a brief that is a JSON object or array.
    let decoded = |text: &str| match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() || value.is_array() => value,
        _ => json!(text),
    };
    let updated = wanted.updated_at.as_ref().unwrap_or(&wanted.created_at);
    let want = json!([
        owner,
        wanted.name,
        filled(&wanted.goal),
        filled(&wanted.status),
        filled(&wanted.product_url),
        filled(&wanted.brief).map(decoded),
        kept(&json!(wanted.metadata)),
        wanted.created_at,
        updated
    ]);
    assert_eq!(told, want, "campaign {}", wanted.id);
}

/// The assets are those of the source and no others; their bytes are the same under the old addresses and the new ones.
pub(super) async fn assets(client: &Client, truth: &Truth, orphans: Orphans) {
    let rows = by_id(listed(client, "/api/v3/assets").await);
    let made: Vec<_> = loose(truth, orphans).0;
    assert_eq!(rows.len(), truth.assets(orphans).count() + made.len());
    for wanted in made {
        let here = wanted.bytes.as_ref().unwrap();
        let row = rows.values().find(|row| row["sha256"] == json!(here.sha256)).unwrap();
        assert_eq!(
            (&row["uploadedAt"], &row["name"]),
            (&json!(wanted.created_at), &json!(wanted.prompt)),
            "{row}"
        );
    }
    for (wanted, owners) in truth.assets(orphans) {
        same_asset(&rows[&wanted.id], wanted, &here(truth, orphans, owners));
        same_bytes(client, wanted).await;
    }
}

/// Whose an asset is here: the campaign that it is in has one client, whatever else its row says.
fn here(truth: &Truth, orphans: Orphans, owners: &Owners) -> Owners {
    let campaign = owners.campaign.as_ref();
    let of_it = truth.campaigns(orphans).find(|(of, _)| Some(&of.id) == campaign);
    let client = of_it.map(|(_, client)| client.to_owned()).or_else(|| owners.client.clone());
    Owners { client, campaign: owners.campaign.clone() }
}

fn same_asset(row: &Value, wanted: &AssetTruth, owners: &Owners) {
    let id = &wanted.id;
    let is_svg = wanted.bytes.here().is_some_and(|here| here.content_type == SVG);
    assert_eq!(row["type"], if is_svg { "document" } else { wanted.asset_type }, "{row}");
    assert_eq!(row["campaignId"], json!(owners.campaign), "{row}");
    assert_eq!(row["clientId"], json!(owners.client), "{row}");
    if wanted.name.is_some() {
        assert_eq!(row["name"], json!(wanted.name), "{row}");
    }
    assert_eq!(row["description"], json!(filled(&wanted.description)), "{row}");
    assert_eq!(row["tags"], json!(wanted.tags), "{row}");
    let at_url = match &wanted.bytes {
        AssetBytes::AtUrl(url) => Some(url),
        _ => None,
    };
    assert_eq!(row["sourceUrl"], json!(wanted.source_url.as_ref().or(at_url)), "{row}");
    assert_eq!(row["uploadedAt"], wanted.created_at, "{row}");
    assert_eq!(row["url"], format!("/api/v3/assets/{id}/data"), "rebuilt from the id: {row}");
    if row["type"] == "image" {
        assert_eq!((&row["width"], &row["height"]), (&json!(wanted.width), &json!(wanted.height)), "{row}");
    }
    if let Some(here) = wanted.bytes.here() {
        assert_eq!((&row["sha256"], &row["size"]), (&json!(here.sha256), &json!(here.size)), "{row}");
        if !here.content_type.is_empty() {
            assert_eq!(row["contentType"], here.content_type, "{row}");
        }
    }
    if let Some(thumbnail) = &wanted.thumbnail {
        assert_eq!(row["thumbnailBlobId"], json!(thumbnail.sha256), "{row}");
    }
}

async fn same_bytes(client: &Client, wanted: &AssetTruth) {
    for version in ["v3", "v2"] {
        let path = format!("/api/{version}/assets/{}/data", wanted.id);
        match wanted.bytes.here() {
            Some(here) => assert_eq!(digest(&bytes(client, &path).await), here.sha256, "{path}"),
            None => assert_eq!(status(client, &path).await, 502, "{path}"),
        }
    }
    if let Some(thumbnail) = &wanted.thumbnail {
        let path = format!("/api/v3/assets/{}/thumbnail", wanted.id);
        assert_eq!(digest(&bytes(client, &path).await), thumbnail.sha256, "{path}");
    }
}

/// The keys are listed, and every one of them is revoked.
pub(super) async fn keys(client: &Client, truth: &Truth) {
    let rows = listed(client, "/api/v3/keys").await;
    assert_eq!(rows.len(), truth.keys.len(), "{rows:?}");
    let mut told: Vec<_> = rows
        .iter()
        .inspect(|row| assert!(row["revoked_at"].is_string(), "{row}"))
        .map(|row| {
            (text(&row["name"]), text(&row["created_at"]), row["expires_at"].as_str().map(str::to_owned))
        })
        .collect();
    let mut wanted: Vec<_> = truth
        .keys
        .iter()
        .map(|key| (key.name.clone(), key.created_at.clone(), key.expires_at.as_deref().map(seconds)))
        .collect();
    told.sort();
    wanted.sort();
    assert_eq!(told, wanted);
}

/// The jobs of a source are there under these numbers, with their scenes, their media and what they cost.
pub(super) async fn jobs(client: &Client, truth: &Truth, number: impl Fn(&JobTruth) -> i64) {
    for wanted in &truth.jobs {
        let number = number(wanted);
        let job = client.job(number).await.unwrap();
        same_job(&job, wanted);
        for (kind, path, media) in [
            ("video", format!("/api/v3/videos/{number}/combined"), &wanted.video),
            ("audio", format!("/api/v3/audio/{number}/download"), &wanted.audio),
        ] {
            // What failed has no video to show, whatever was left of it.
            match media.as_ref().filter(|_| kind == "audio" || job["status"] == "completed") {
                Some(here) => assert_eq!(digest(&bytes(client, &path).await), here.sha256, "{kind} of {job}"),
                None => assert_eq!(status(client, &path).await, 404, "{kind} of {job}"),
            }
        }
        same_scenes(client, &job, number, wanted).await;
    }
}

fn same_job(job: &Value, wanted: &JobTruth) {
    let name = format!("{} {} ({:?})", wanted.table, wanted.number, wanted.family);
    // What lost its video is not complete.
    let wanted_status = if wanted.video_missing { "failed" } else { wanted.status };
    assert_eq!(job["status"], wanted_status, "{name}: {job}");
    assert_eq!(job["parameters"]["legacy_id"], wanted.number, "{name}: {job}");
    assert_eq!(job["created_at"], wanted.created_at, "{name}: {job}");
    if let Some(kind) = wanted.kind {
        assert_eq!(job["type"], kind, "{name}: {job}");
    }
    if let Some(video_name) = &wanted.video_name {
        assert_eq!(job["video_name"], json!(video_name), "{name}: {job}");
    }
    assert_eq!(cents(&job["estimated_cost"]), in_cents(wanted.estimate_micros), "{name}: {job}");
    // Where the job itself does not say what it cost, its scenes do.
    let of_scenes = wanted.scenes.iter().map(|scene| scene.actual_micros).sum();
    let cost = if wanted.actual_micros == 0 { of_scenes } else { wanted.actual_micros };
    assert_eq!(cents(&job["actual_cost"]), in_cents(cost), "{name}: {job}");
    match (wanted_status, &wanted.error) {
        ("failed", Some(reason)) => {
            assert!(text(&job["error"]).contains(reason.as_str()), "{name}: {reason}: {job}");
        }
        ("failed", None) => assert!(!text(&job["error"]).is_empty(), "{name} has a reason: {job}"),
        _ => {}
    }
}

async fn same_scenes(client: &Client, job: &Value, number: i64, wanted: &JobTruth) {
    let rows = job["scenes"].as_array().unwrap();
    if wanted.family == Family::V2 {
        // They are in the job's own row there, and have no ids.
        assert!(wanted.scenes.is_empty());
        return;
    }
    assert_eq!(rows.len(), wanted.scenes.len(), "{job}");
    for (row, scene) in rows.iter().zip(&wanted.scenes) {
        same_scene(row, scene);
        let path = format!("/api/v3/videos/{number}/clips/{}.mp4", scene.id);
        match &scene.clip {
            Some(here) => assert_eq!(digest(&bytes(client, &path).await), here.sha256, "{path}"),
            None => assert_eq!(status(client, &path).await, 404, "{path}"),
        }
    }
}

fn same_scene(row: &Value, wanted: &SceneTruth) {
    assert_eq!(row["id"], json!(wanted.id), "{row}");
    // A scene whose clip was not kept has none to show: it says so.
    let lost = wanted.status == "completed" && wanted.clip.is_none();
    assert_eq!(row["status"], if lost { "failed" } else { wanted.status }, "{row}");
    assert_eq!(row["error"].is_string(), lost || wanted.status == "failed", "{row}");
    assert_eq!(row["has_video"], wanted.clip.is_some(), "{row}");
    assert_eq!(row["provider_id"], json!(wanted.provider_id), "{row}");
    assert_eq!(cents(&row["actual_cost"]), in_cents(wanted.actual_micros), "{row}");
    if let Some(reason) = &wanted.error {
        assert!(text(&row["error"]).contains(reason.as_str()), "{reason}: {row}");
    }
    let mut frames: Vec<_> = wanted.frames.iter().map(|frame| frame.asset_id.clone()).collect();
    frames.dedup();
    let mut shown: Vec<_> = row["asset_ids"].as_array().into_iter().flatten().map(text).collect();
    shown.dedup();
    assert_eq!(shown, frames, "{row}");
}

/// Everything that there is, each list in its own order.
pub(super) type Census = BTreeMap<&'static str, Vec<Value>>;

/// Two places have the same, in the same order.
pub(super) fn same(one: &Census, other: &Census) {
    for ((list, one), other) in one.iter().zip(other.values()) {
        for (one, other) in one.iter().zip(other) {
            assert_eq!(one, other, "{list}");
        }
        assert_eq!(one.len(), other.len(), "{list}");
    }
}

/// Asks for everything that there is.
pub(super) async fn census(client: &Client) -> Census {
    let mut census = BTreeMap::new();
    for list in ["clients", "campaigns", "assets", "keys"] {
        let mut rows = listed(client, &format!("/api/v3/{list}")).await;
        for row in &mut rows {
            // A key is revoked by coming over: when that was is of the run, not of the source.
            row.as_object_mut().unwrap().remove("revoked_at");
        }
        census.insert(list, rows);
    }
    let mut jobs = listed(client, "/api/v3/jobs").await;
    for job in &mut jobs {
        // Links end an hour after they are asked for.
        job.as_object_mut().unwrap().remove("links");
    }
    census.insert("jobs", jobs);
    census
}

fn by_id(rows: Vec<Value>) -> BTreeMap<String, Value> {
    let count = rows.len();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (text(&row["id"]), row)).collect();
    assert_eq!(rows.len(), count, "each once");
    rows
}

/// A time as the API shows it.
fn seconds(time: &str) -> String {
    let whole = time.trim_end_matches('Z').split('.').next().unwrap();
    format!("{whole}Z")
}

/// A text that says something: an empty one is none here.
fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

/// Metadata without what the importer adds: the columns of the row that have no place of their own here.
fn kept(metadata: &Value) -> Value {
    let mut kept: Map<String, Value> = metadata.as_object().cloned().unwrap_or_default();
    kept.remove("legacy");
    json!(kept)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Dollars of an answer in cents.
fn cents(value: &Value) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "a price")]
    let cents = (value.as_f64().unwrap_or_default() * 100.0).round() as i64;
    cents
}

/// Micro-dollars in cents, rounded as the API does.
fn in_cents(micros: i64) -> i64 {
    (micros + 5_000).div_euclid(10_000)
}
