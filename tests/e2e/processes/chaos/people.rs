//! The people who use it meanwhile: they insist, so that nothing they asked for is lost by them.

use std::{collections::BTreeMap, path::Path};

use filmstrip::client::{Client, answer, is_over};
use reqwest::{StatusCode, multipart};
use serde_json::{Value, json};

use super::{
    super::{approve, draft, insist},
    PATIENCE,
    jobs::{House, Kind, ORDINARY, Outcome, Wanted},
};
use crate::world::{pause, photos, room, until_at_any};

/// A room whose clips the provider refuses; of a sort that storyboards show.
pub(super) const REFUSED_ROOM: &str = "forbidden bedroom";
/// A room whose music it refuses.
pub(super) const SILENT_ROOM: &str = "crypt";
/// Photographs of a house.
const PHOTOS: usize = 4;

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

/// Makes the campaigns that all jobs are made from.
pub(super) async fn houses(clients: &[Client]) -> BTreeMap<House, String> {
    let photos = photos();
    let mut houses = BTreeMap::new();
    let ordinary = (0..ORDINARY).map(House::Ordinary);
    for (number, house) in ordinary.chain([House::Refused, House::Mixed, House::Silent]).enumerate() {
        let id = campaign(clients, number).await;
        for (nth, photo) in photos.iter().cycle().skip(number * PHOTOS).take(PHOTOS).enumerate() {
            let tag = match house {
                House::Refused => REFUSED_ROOM.to_owned(),
                House::Mixed if nth % 2 == 0 => REFUSED_ROOM.to_owned(),
                House::Mixed => "kitchen".to_owned(),
                House::Silent => SILENT_ROOM.to_owned(),
                House::Ordinary(_) => room(photo),
            };
            upload(clients, &id, photo, &tag, &format!("photo-{number}-{nth}")).await;
        }
        houses.insert(house, id);
    }
    houses
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
async fn upload(clients: &[Client], campaign: &str, file: &Path, tag: &str, key: &str) {
    let uploading = async {
        for client in clients.iter().cycle() {
            let part = multipart::Part::file(file).await.unwrap();
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
pub(super) async fn live(clients: &[Client], houses: &BTreeMap<House, String>, wanted: Wanted) -> Lived {
    // Not everybody begins at the same gateway.
    let mut clients = clients.to_vec();
    let first = wanted.number % clients.len();
    clients.rotate_left(first);
    let Wanted { number, kind, house, scenes } = wanted;
    if kind == Kind::CanceledBefore {
        // Somebody goes on adding campaigns and photographs, too.
        let id = campaign(&clients, 100 + number).await;
        upload(&clients, &id, &photos()[0], "hall", &format!("more-{number}")).await;
    }
    let id = draft(&clients, &houses[&house], scenes, &number.to_string()).await;
    match kind {
        Kind::CanceledBefore => cancel(&clients, id).await,
        _ => approve(&clients, id, &number.to_string()).await,
    }
    if kind == Kind::CanceledDuring {
        let begun = |job: &Value| is_over(job) || job["progress_percentage"].as_f64() >= Some(5.0);
        until_at_any(PATIENCE, &clients, id, begun).await;
        cancel(&clients, id).await;
    }
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
    Lived { wanted, id, outcome: Outcome::of(&job), takes, job }
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
    json!([
        refuse("video", REFUSED_ROOM),
        refuse("music", SILENT_ROOM),
        now_and_then("video", 0.06, json!({"fault": "status", "code": 429, "retry_after": 1})),
        now_and_then("video", 0.04, json!({"fault": "accept_then_drop"})),
        now_and_then("video", 0.03, json!({"fault": "status", "code": 502, "accepted": true})),
        now_and_then("video", 0.035, json!({"fault": "status", "code": 503})),
        now_and_then(
            "video",
            0.05,
            json!({"fault": "fail", "error": "Timeout starting prediction", "code": "E6716"})
        ),
        now_and_then("video", 0.3, json!({"fault": "slow", "seconds": 3.0})),
        now_and_then("music", 0.045, json!({"fault": "accept_then_drop"})),
        now_and_then("download", 0.045, json!({"fault": "truncated_body"})),
        now_and_then("get", 0.02, json!({"fault": "status", "code": 500})),
        now_and_then("list", 0.05, json!({"fault": "status", "code": 500})),
        now_and_then("files", 0.025, json!({"fault": "status", "code": 500})),
        now_and_then("cancel", 0.2, json!({"fault": "status", "code": 500})),
    ])
}
