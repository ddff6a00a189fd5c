//! The people who use it meanwhile: they insist, so that nothing they asked for is lost by them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use filmstrip::client::{Client, answer, is_over};
use futures::future::join_all;
use reqwest::{StatusCode, multipart};
use serde_json::{Value, json};

use super::{
    super::{approve, draft, insist},
    PATIENCE,
    jobs::{House, Kind, LONG_SCENES, ORDINARY, Outcome, Wanted},
    losses::Thief,
    material::{self, Material},
};
use crate::world::{pause, photos, room, until_at_any};

/// A room whose clips the provider refuses; of a sort that storyboards show.
pub(super) const REFUSED_ROOM: &str = "forbidden bedroom";
/// A room whose music it refuses.
pub(super) const SILENT_ROOM: &str = "crypt";
/// A room whose clips and music take so long that a cancel or a loss meanwhile is in time.
pub(super) const SLOW_ROOM: &str = "lighthouse bedroom";
/// Photographs of a house.
const PHOTOS: usize = 4;

/// Where people live.
pub(super) struct World {
    clients: Vec<Client>,
    houses: BTreeMap<House, String>,
    material: Material,
    thief: Thief,
}

impl World {
    /// Makes the campaigns that all jobs are made from; `scratch` is for files that are uploaded.
    pub(super) async fn new(clients: Vec<Client>, thief: Thief, scratch: &Path) -> Self {
        let material = Material::make(scratch).await;
        let houses = houses(&clients, &material).await;
        Self { clients, houses, material, thief }
    }
}

/// A job and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Lived {
    pub(super) wanted: Wanted,
    pub(super) id: i64,
    /// None: it ended as nothing that a job may end as.
    pub(super) outcome: Option<Outcome>,
    /// Clips that it must have: its scenes, and those made anew.
    pub(super) takes: usize,
    /// As the API shows it at the end.
    pub(super) job: Value,
}

impl Lived {
    /// What is wrong with how it ended.
    pub(super) fn wrong(&self) -> Option<String> {
        let Wanted { number, kind, .. } = self.wanted;
        match self.outcome {
            Some(outcome) if kind.allows(outcome) => None,
            outcome => {
                Some(format!("job {} (the {number}th, {kind:?}) ended as {outcome:?}: {}", self.id, self.job))
            }
        }
    }
}

async fn houses(clients: &[Client], material: &Material) -> BTreeMap<House, String> {
    let ordinary = (0..ORDINARY).map(House::Ordinary);
    let others = [House::Refused, House::Mixed, House::Silent, House::Lost, House::Slow, House::Long];
    let all = ordinary.chain(others).enumerate();
    join_all(all.map(|(number, house)| one_house(clients, material, number, house)))
        .await
        .into_iter()
        .collect()
}

async fn one_house(clients: &[Client], material: &Material, number: usize, house: House) -> (House, String) {
    let id = campaign(clients, number).await;
    let photos = photos();
    let of_house: Vec<PathBuf> = match house {
        House::Lost => material.pictures.iter().take(PHOTOS).cloned().collect(),
        House::Slow => material.pictures.iter().skip(PHOTOS).cloned().collect(),
        House::Long => photos.into_iter().take(2 * LONG_SCENES).collect(),
        _ => photos.iter().cycle().skip(number * PHOTOS).take(PHOTOS).cloned().collect(),
    };
    for (nth, photo) in of_house.iter().enumerate() {
        let tag = match house {
            House::Refused => REFUSED_ROOM.to_owned(),
            House::Mixed if nth % 2 == 0 => REFUSED_ROOM.to_owned(),
            House::Mixed => "kitchen".to_owned(),
            House::Silent => SILENT_ROOM.to_owned(),
            House::Lost | House::Slow if nth % 2 == 0 => SLOW_ROOM.to_owned(),
            House::Lost | House::Slow => "quarry kitchen".to_owned(),
            House::Ordinary(_) | House::Long => room(photo),
        };
        upload(clients, &id, photo, material::JPEG, &tag, &format!("photo-{number}-{nth}")).await;
    }
    (house, id)
}

async fn campaign(clients: &[Client], number: usize) -> String {
    let made =
        insist(clients, "/api/v3/clients", &format!("client-{number}"), Some(json!({"name": "Northwind"})))
            .await;
    let client = id(made.expect(StatusCode::CREATED, "a client").unwrap());
    let body = json!({"name": format!("House {number}"), "client_id": client, "brief": "A bright house by the water"});
    let made = insist(clients, "/api/v3/campaigns", &format!("campaign-{number}"), Some(body)).await;
    id(made.expect(StatusCode::CREATED, "a campaign").unwrap())
}

fn id(made: Value) -> String {
    made["data"]["id"].as_str().unwrap_or_else(|| panic!("no id: {made}")).to_owned()
}

/// Uploads one file again and again until it is there.
async fn upload(clients: &[Client], campaign: &str, file: &Path, content_type: &str, tag: &str, key: &str) {
    let uploading = async {
        for client in clients.iter().cycle() {
            let part = multipart::Part::file(file).await.unwrap().mime_str(content_type).unwrap();
            let form =
                multipart::Form::new().text("campaign_id", campaign.to_owned()).text("tags", tag.to_owned());
            let request =
                client.request(reqwest::Method::POST, "/api/v3/assets").header("idempotency-key", key);
            if let Ok(response) = request.multipart(form.part("file", part)).send().await
                && let Ok(answered) = answer(response).await
                && !answered.status.is_server_error()
            {
                answered.expect(StatusCode::CREATED, "an upload").unwrap();
                return;
            }
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, uploading).await.expect("it is uploaded");
}

/// Makes a job and stays with it to its end.
pub(super) async fn live(world: &World, wanted: Wanted) -> Lived {
    // Not everybody begins at the same gateway.
    let mut clients = world.clients.clone();
    let first = wanted.number % clients.len();
    clients.rotate_left(first);
    let Wanted { number, kind, house, scenes } = wanted;
    let house = &world.houses[&house];
    let id = match kind {
        Kind::CanceledBefore => {
            goes_on_adding(&clients, &world.material, number).await;
            draft(&clients, house, scenes, &number.to_string()).await
        }
        Kind::Long => long_draft(&clients, house, scenes, number).await,
        _ => draft(&clients, house, scenes, &number.to_string()).await,
    };
    if kind == Kind::CanceledBefore {
        cancel(&clients, id).await;
    } else {
        approve(&clients, id, &number.to_string()).await;
    }
    meanwhile(world, &clients, wanted, id).await;
    let mut job = until_at_any(PATIENCE, &clients, id, is_over).await;
    let mut takes = scenes;
    if kind == Kind::Regenerated && Outcome::of(&job) == Some(Outcome::Full) {
        let scene = job["scenes"][0]["id"].as_str().unwrap_or_else(|| panic!("no scene: {job}"));
        let path = format!("/api/v3/jobs/{id}/scenes/{scene}/regenerate");
        let asked = insist(&clients, &path, &format!("regenerate-{number}"), None).await;
        asked.expect(StatusCode::OK, &path).unwrap();
        takes += 1;
        let again = |job: &Value| is_over(job) && job["scenes"][0]["take"] == 2;
        job = until_at_any(PATIENCE, &clients, id, again).await;
    }
    if kind == Kind::Plain {
        picture(&clients, &job).await;
    }
    Lived { wanted, id, outcome: Outcome::of(&job), takes, job }
}

/// Somebody who looks at a picture of the first clip, again and again until it comes. It is drawn when it is asked for.
async fn picture(clients: &[Client], job: &Value) {
    let Some(path) = job["scenes"][0]["thumbnail_url"].as_str() else { return };
    let looking = async {
        for client in clients.iter().cycle() {
            let asked = client.request(reqwest::Method::GET, path).send().await;
            if asked.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            pause().await;
        }
    };
    let looked = tokio::time::timeout(PATIENCE, looking).await;
    assert!(looked.is_ok(), "no picture at {path}");
}

/// What is done to a job that goes on.
async fn meanwhile(world: &World, clients: &[Client], wanted: Wanted, job: i64) {
    match wanted.kind {
        Kind::CanceledDuring => {
            let taken_on = |scene: &Value| scene["provider_id"].is_string();
            let begun =
                |job: &Value| is_over(job) || job["scenes"].as_array().into_iter().flatten().any(taken_on);
            until_at_any(PATIENCE, clients, job, begun).await;
        }
        Kind::CanceledMusic => {
            let music = |job: &Value| is_over(job) || job["audio_status"] == "generating";
            until_at_any(PATIENCE, clients, job, music).await;
        }
        Kind::CanceledCut => {
            let stitching = |job: &Value| is_over(job) || job["progress_percentage"].as_f64() >= Some(80.0);
            until_at_any(PATIENCE, clients, job, stitching).await;
        }
        Kind::ClipLost => return world.thief.takes(job, "SceneRendered", "clip", "CutReady").await,
        Kind::TrackLost => return world.thief.takes(job, "SoundtrackReady", "audio", "MixReady").await,
        _ => return,
    }
    cancel(clients, job).await;
}

/// Somebody who adds a campaign, a photograph, a film and a sound.
async fn goes_on_adding(clients: &[Client], material: &Material, number: usize) {
    let id = campaign(clients, 100 + number).await;
    let files = [
        (&photos()[0], material::JPEG),
        (&material.film, material::FILM),
        (&material.sound, material::SOUND),
    ];
    for (nth, (file, content_type)) in files.into_iter().enumerate() {
        upload(clients, &id, file, content_type, "hall", &format!("more-{number}-{nth}")).await;
    }
}

/// A job of clips that keep the shape of their photographs, with more music than is made in one piece.
async fn long_draft(clients: &[Client], campaign: &str, scenes: usize, number: usize) -> i64 {
    let body = json!({"campaign_id": campaign, "num_pairs": scenes, "clip_duration": 10,
                      "video_model": "hailuo-02", "resolution": "768p"});
    let path = "/api/v3/jobs/from-image-pairs";
    let created = insist(clients, path, &format!("create-{number}"), Some(body)).await;
    let created = created.expect(StatusCode::CREATED, path).unwrap();
    created["job_id"].as_i64().unwrap_or_else(|| panic!("no job: {created}"))
}

/// A cancel that comes too late is answered with 422.
async fn cancel(clients: &[Client], job: i64) {
    let path = format!("/api/v3/jobs/{job}/cancel");
    let answered = insist(clients, &path, &format!("cancel-{job}"), None).await;
    let status = answered.status;
    assert!(
        matches!(status, StatusCode::ACCEPTED | StatusCode::UNPROCESSABLE_ENTITY),
        "{status}: {}",
        answered.body
    );
}

/// What the outside world does wrong meanwhile. Nothing of it may cost a job its end.
pub(super) fn faults() -> Value {
    let now_and_then = |kind: &str, probability: f64, then: Value| json!({"when": {"kind": kind, "probability": probability, "seed": probability.to_bits() % 1000}, "then": then});
    let refuse = |kind: &str, room: &str| {
        json!({"when": {"kind": kind, "prompt_contains": room},
               "then": {"fault": "fail", "error": "The input was flagged as sensitive", "code": "E005"}})
    };
    let slow = |kind: &str, seconds: f64| json!({"when": {"kind": kind, "prompt_contains": SLOW_ROOM}, "then": {"fault": "slow", "seconds": seconds}});
    json!([
        refuse("video", REFUSED_ROOM),
        refuse("music", SILENT_ROOM),
        slow("video", 12.0),
        slow("music", 5.0),
        now_and_then("video", 0.06, json!({"fault": "status", "code": 429, "retry_after": 1})),
        now_and_then("video", 0.04, json!({"fault": "accept_then_drop"})),
        now_and_then("video", 0.03, json!({"fault": "status", "code": 502, "accepted": true})),
        // The webhook comes before the answer.
        now_and_then("video", 0.08, json!({"fault": "delayed_answer", "seconds": 4.0})),
        now_and_then("video", 0.035, json!({"fault": "status", "code": 503})),
        now_and_then(
            "video",
            0.05,
            json!({"fault": "fail", "error": "Timeout starting prediction", "code": "E6716"})
        ),
        now_and_then("video", 0.3, json!({"fault": "slow", "seconds": 3.0})),
        now_and_then("music", 0.045, json!({"fault": "accept_then_drop"})),
        now_and_then("music", 0.15, json!({"fault": "delayed_answer", "seconds": 4.0})),
        now_and_then("download", 0.045, json!({"fault": "truncated_body"})),
        now_and_then("get", 0.02, json!({"fault": "status", "code": 500})),
        now_and_then("list", 0.05, json!({"fault": "status", "code": 500})),
        now_and_then("files", 0.025, json!({"fault": "status", "code": 500})),
        now_and_then("webhook", 0.1, json!({"fault": "webhook_duplicate"})),
        now_and_then("webhook", 0.12, json!({"fault": "webhook_forged"})),
        now_and_then("webhook", 0.15, json!({"fault": "webhook_out_of_order"})),
        now_and_then("cancel", 0.2, json!({"fault": "status", "code": 500})),
    ])
}
