//! What a frontend asks for, and what it must be answered.

use std::{collections::HashMap, sync::LazyLock};

use bytes::Bytes;
use filmstrip::client::Client;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header, multipart};
use serde_json::{Value, json};

use super::answers::{Answers, Made};
use crate::world::photos;

/// Requests in one turn of the mix, which takes a second.
const TURN: u32 = 200;
/// Has no divisor in common with [`TURN`], so that one kind's requests are spread over the turn.
const STRIDE: u32 = 77;
/// From one new job to the next, in requests.
const NEW_JOB: u32 = 4000;
/// From one upload to the next, in requests.
const UPLOAD: u32 = 400;
/// Asks for [`WHOLE`] when it is set.
const WHOLE_MIX: &str = "FILMSTRIP_RESTART_WHOLE_MIX";
/// A piece that a player asks for.
const PIECE: usize = 64 * 1024;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    Job,
    Scenes,
    Videos,
    Assets,
    Photo,
    Thumbnail,
    Unchanged,
    Range,
    GetClient,
    NewClient,
    /// What the gateway answers by itself.
    Page,
    Upload,
    NewJob,
}

/// How many of each there are in a turn: what a frontend asks for.
const WHOLE: [(Asks, u32); 9] = [
    (Asks::Job, 60),
    (Asks::Scenes, 10),
    (Asks::Videos, 20),
    (Asks::Assets, 20),
    (Asks::Photo, 6),
    (Asks::Thumbnail, 10),
    (Asks::Range, 5),
    (Asks::GetClient, 20),
    (Asks::NewClient, 20),
];
/// The same with less of all: twelve unoptimised processes on two cores can answer it.
const LIGHT: [(Asks, u32); 9] = [
    (Asks::Job, 10),
    (Asks::Scenes, 4),
    (Asks::Videos, 4),
    (Asks::Assets, 4),
    (Asks::Photo, 1),
    (Asks::Thumbnail, 1),
    (Asks::Range, 1),
    (Asks::GetClient, 6),
    (Asks::NewClient, 4),
];
/// Pages besides; the rest are photos that the caller has already.
const PAGES: u32 = 158;

/// How many of each there are in a turn.
fn mix() -> &'static [(Asks, u32)] {
    static WHOLE_WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os(WHOLE_MIX).is_some());
    if *WHOLE_WANTED { &WHOLE } else { &LIGHT }
}

/// What is there before the load, and does not change under it.
pub(super) struct Known {
    campaign: String,
    client_id: String,
    job: i64,
    scenes: usize,
    asset: String,
    photo: Bytes,
    photo_tag: String,
    thumbnail: Bytes,
    video: Bytes,
    upload: Bytes,
    page: Bytes,
}

impl Known {
    /// Looks at a campaign and its finished job of so many scenes.
    pub(super) async fn look(client: &Client, campaign: &str, job: i64, scenes: usize) -> Self {
        let assets = client.get(&format!("/api/v3/assets?campaign_id={campaign}&limit=1")).await.unwrap();
        let asset = assets["data"][0]["id"].as_str().unwrap().to_owned();
        let clients = client.get("/api/v3/clients").await.unwrap();
        let photo =
            client.request(Method::GET, &format!("/api/v3/assets/{asset}/data")).send().await.unwrap();
        let photo_tag = photo.headers()[header::ETAG].to_str().unwrap().to_owned();
        let fetched = async |path: String| {
            let answer = client.request(Method::GET, &path).send().await.unwrap();
            answer.error_for_status().unwrap().bytes().await.unwrap()
        };
        let mut small = photos();
        small.sort_by_key(|photo| photo.metadata().unwrap().len());
        Self {
            campaign: campaign.to_owned(),
            client_id: clients["data"][0]["id"].as_str().unwrap().to_owned(),
            job,
            scenes,
            photo: photo.bytes().await.unwrap(),
            photo_tag,
            thumbnail: fetched(format!("/api/v3/assets/{asset}/thumbnail")).await,
            video: fetched(format!("/api/v3/videos/{job}/combined")).await,
            page: fetched("/errors/job_not_found".to_owned()).await,
            upload: std::fs::read(&small[0]).unwrap().into(),
            asset,
        }
    }

    /// Every write that was answered well was done, once.
    pub(super) async fn every_write_is_there(&self, client: &Client, asked: &Answers) {
        let clients = client.get("/api/v3/clients").await.unwrap();
        let mut names: HashMap<&str, usize> = HashMap::new();
        for made in clients["data"].as_array().unwrap() {
            *names.entry(made["name"].as_str().unwrap()).or_default() += 1;
        }
        let made = asked.clients();
        assert!(!made.is_empty(), "no client was made");
        let wrong: Vec<_> = made.iter().filter(|name| names.get(name.as_str()) != Some(&1)).collect();
        assert!(wrong.is_empty(), "not there once: {wrong:?}");
        // One more: whom the campaign belongs to.
        assert_eq!(names.values().sum::<usize>(), made.len() + 1, "nobody else was made");
        for asset in asked.assets() {
            let asset = client.get(&format!("/api/v3/assets/{asset}")).await.unwrap();
            assert_eq!(asset["data"]["size"].as_u64(), Some(self.upload.len() as u64), "{asset}");
        }
    }
}

impl Asks {
    /// What the request with this number asks for.
    pub(super) fn of(number: u32) -> Self {
        if number % NEW_JOB == NEW_JOB / 2 {
            return Self::NewJob;
        }
        if number % UPLOAD == UPLOAD / 2 {
            return Self::Upload;
        }
        let mut place = number.wrapping_mul(STRIDE) % TURN;
        for (asks, count) in mix() {
            if place < *count {
                return *asks;
            }
            place -= count;
        }
        if mix() == LIGHT && place < PAGES { Self::Page } else { Self::Unchanged }
    }

    /// Asks, once. What it made; or what is wrong with the answer.
    pub(super) async fn ask(
        self,
        client: &Client,
        known: &Known,
        number: u32,
    ) -> Result<Option<Made>, String> {
        let get = |path: String| client.request(Method::GET, &path);
        let Known { campaign, job, asset, .. } = known;
        match self {
            Self::Job => {
                let body = read(get(format!("/api/v3/jobs/{job}")), StatusCode::OK).await?;
                right(&body, body["job_id"] == *job && body["status"] == "completed")
            }
            Self::Scenes => {
                let body = read(get(format!("/api/v3/jobs/{job}/scenes")), StatusCode::OK).await?;
                right(&body, body["scenes"].as_array().is_some_and(|scenes| scenes.len() == known.scenes))
            }
            Self::Videos => {
                let body = read(get("/api/v3/generated-videos?limit=10".to_owned()), StatusCode::OK).await?;
                right(&body, body["data"].as_array().is_some_and(|videos| !videos.is_empty()))
            }
            Self::Assets => {
                let path = format!("/api/v3/assets?campaign_id={campaign}&limit=8");
                let body = read(get(path), StatusCode::OK).await?;
                right(&body, body["data"].as_array().is_some_and(|assets| assets.len() == 8))
            }
            Self::GetClient => {
                let body = read(get(format!("/api/v3/clients/{}", known.client_id)), StatusCode::OK).await?;
                right(&body, body["data"]["id"] == known.client_id)
            }
            Self::Photo => {
                let bytes = whole(get(format!("/api/v3/assets/{asset}/data")), StatusCode::OK).await?;
                same(&bytes, &known.photo)
            }
            Self::Thumbnail => {
                let bytes = whole(get(format!("/api/v3/assets/{asset}/thumbnail")), StatusCode::OK).await?;
                same(&bytes, &known.thumbnail)
            }
            Self::Unchanged => {
                let request = get(format!("/api/v3/assets/{asset}/data"));
                let request = request.header(header::IF_NONE_MATCH, &known.photo_tag);
                same(&whole(request, StatusCode::NOT_MODIFIED).await?, &[])
            }
            Self::Page => {
                let page = whole(get("/errors/job_not_found".to_owned()), StatusCode::OK).await?;
                same(&page, &known.page)
            }
            Self::Range => {
                let start = number as usize * 1021 % known.video.len().saturating_sub(PIECE).max(1);
                let end = (start + PIECE).min(known.video.len());
                let request = get(format!("/api/v3/videos/{job}/combined"));
                let request = request.header(header::RANGE, format!("bytes={start}-{}", end - 1));
                same(&whole(request, StatusCode::PARTIAL_CONTENT).await?, &known.video[start..end])
            }
            Self::NewClient => {
                let name = format!("Client {number}");
                let request = client.request(Method::POST, "/api/v3/clients").json(&json!({ "name": name }));
                let body = read(request, StatusCode::CREATED).await?;
                right(&body, body["data"]["name"] == name)?;
                Ok(Some(Made::Client(name)))
            }
            Self::Upload => upload(client, known).await,
            Self::NewJob => new_job(client, known).await,
        }
    }
}

async fn upload(client: &Client, known: &Known) -> Result<Option<Made>, String> {
    let file = multipart::Part::stream(known.upload.clone()).file_name("small.jpg");
    // Not of the campaign: its list must stay as it was.
    let form = multipart::Form::new().text("client_id", known.client_id.clone()).part("file", file);
    let request = client.request(Method::POST, "/api/v3/assets").multipart(form);
    let body = read(request, StatusCode::CREATED).await?;
    let id = body["data"]["id"].as_str().ok_or_else(|| format!("no id: {body}"))?;
    Ok(Some(Made::Asset(id.to_owned())))
}

async fn new_job(client: &Client, known: &Known) -> Result<Option<Made>, String> {
    let body = json!({"campaign_id": known.campaign, "num_pairs": known.scenes, "clip_duration": 4});
    let request = client.request(Method::POST, "/api/v3/jobs/from-image-pairs").json(&body);
    let created = read(request, StatusCode::CREATED).await?;
    let job = created["job_id"].as_i64().ok_or_else(|| format!("no job: {created}"))?;
    let approve = client.request(Method::POST, &format!("/api/v3/jobs/{job}/approve"));
    read(approve, StatusCode::OK).await?;
    Ok(Some(Made::Job(job)))
}

/// The whole body of an answer that must have this status.
async fn whole(request: RequestBuilder, wanted: StatusCode) -> Result<Bytes, String> {
    let answer: Response = request.send().await.map_err(|error| chain(&error))?;
    let (status, size) = (answer.status(), answer.content_length());
    let bytes = answer.bytes().await.map_err(|error| format!("{status}, then {}", chain(&error)))?;
    if status != wanted {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(600)])));
    }
    match size {
        Some(size) if size != bytes.len() as u64 => Err(format!("{} of {size} bytes", bytes.len())),
        _ => Ok(bytes),
    }
}

async fn read(request: RequestBuilder, wanted: StatusCode) -> Result<Value, String> {
    let bytes = whole(request, wanted).await?;
    serde_json::from_slice(&bytes).map_err(|error| format!("no JSON: {error}"))
}

fn right(body: &Value, right: bool) -> Result<Option<Made>, String> {
    if right { Ok(None) } else { Err(format!("the wrong answer: {body}")) }
}

fn same(got: &[u8], wanted: &[u8]) -> Result<Option<Made>, String> {
    if got == wanted { Ok(None) } else { Err(format!("{} other bytes than the {}", got.len(), wanted.len())) }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
