//! A gateway that runs, the scripted services behind it, and a client in front of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use blobs::Blobs;
use gateway::{Addresses, Backends, GatewayDeps, Running, Settings};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use kit::Clock;
use protos::{
    asset::v1::asset_service_server::AssetServiceServer,
    audio::v1::{audio_service_server::AudioServiceServer, voice_service_server::VoiceServiceServer},
    common::v1::BlobRef,
    job::v1::{
        self as job, job_service_server::JobServiceServer, pipeline_service_server::PipelineServiceServer,
    },
    render::v1::render_service_server::RenderServiceServer,
    stitch::v1::{overlay_service_server::OverlayServiceServer, stitch_service_server::StitchServiceServer},
};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::fakes::{
    FakeAsset, FakeAudio, FakeJob, FakeOverlay, FakePipeline, FakeRender, FakeStitch, FakeVoice, Feed, Script,
};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The key of a world with keys.
pub(crate) const KEY: &str = "k-correct";
pub(crate) const LINK_SECRET: &str = "a secret for links";

/// Everything a test needs.
pub(crate) struct World {
    pub(crate) asset: Arc<Script>,
    pub(crate) job: Arc<Script>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) render: Arc<Script>,
    pub(crate) stitch: Arc<Script>,
    pub(crate) audio: Arc<Script>,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    pub(crate) cancel: CancellationToken,
    pub(crate) running: Running,
    pub(crate) dir: TempDir,
    http: reqwest::Client,
}

impl World {
    /// A world without keys.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A world with one key.
    pub(crate) async fn locked() -> Self {
        Self::with(|settings| settings.api_keys = vec![KEY.into(), "k-other".into()]).await
    }

    /// A world whose settings are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(|dir| Blobs::local(dir).expect("a store"), change).await
    }

    /// A world over another store, which may use a directory.
    pub(crate) async fn over(
        store: impl FnOnce(&std::path::Path) -> Blobs,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::new(SecretString::from(LINK_SECRET));
        settings.drain = Duration::from_millis(100);
        // Tests change what services say from one moment to the next.
        settings.hold = Duration::ZERO;
        change(&mut settings);
        let cancel = CancellationToken::new();
        let scripts: [Arc<Script>; 5] = Default::default();
        let [asset, job, render, stitch, audio] = scripts;
        let feed = Arc::new(Feed::default());
        let mut routes = RoutesBuilder::default();
        routes
            .add_service(AssetServiceServer::new(FakeAsset { script: asset.clone() }))
            .add_service(JobServiceServer::new(FakeJob { script: job.clone(), feed: feed.clone() }))
            .add_service(RenderServiceServer::new(FakeRender { script: render.clone() }))
            .add_service(StitchServiceServer::new(FakeStitch { script: stitch.clone() }))
            .add_service(AudioServiceServer::new(FakeAudio { script: audio.clone() }))
            .add_service(PipelineServiceServer::new(FakePipeline { script: job.clone() }))
            .add_service(OverlayServiceServer::new(FakeOverlay { script: stitch.clone() }))
            .add_service(VoiceServiceServer::new(FakeVoice { script: audio.clone() }));
        let services = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = services.local_addr().expect("an address").to_string();
        tokio::spawn(kit::grpc::serve(services, routes, kit::Readiness::new(), cancel.clone()));
        let addresses = Addresses {
            asset: at.clone(),
            job: at.clone(),
            render: at.clone(),
            stitch: at.clone(),
            audio: at,
        };
        let dir = TempDir::new().expect("a directory");
        let blobs = store(dir.path());
        let clock = Clock::manual("2026-03-04T05:06:07Z".parse::<Timestamp>().expect("a time"));
        let deps = GatewayDeps {
            listener: TcpListener::bind("127.0.0.1:0").await.expect("a port"),
            blobs: blobs.clone(),
            clock: clock.clone(),
            readiness: kit::Readiness::new(),
            cancel: cancel.clone(),
            backends: Backends::new(&addresses).expect("addresses"),
        };
        let running = gateway::build(settings, deps).expect("a gateway");
        let address = running.address;
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { asset, job, feed, render, stitch, audio, blobs, clock, address, cancel, running, dir, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request to be filled in and sent with [`answer`].
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::GET, path);
        answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Puts bytes into the store.
    pub(crate) async fn blob(&self, bytes: &[u8], content_type: &str) -> BlobRef {
        self.blobs.put_bytes(bytes.to_vec(), content_type).await.expect("a blob")
    }

    /// Files in the store, spool included.
    pub(crate) fn stored_files(&self) -> usize {
        files(self.dir.path())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn files(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| !entry.file_name().to_string_lossy().contains("lock"))
        .map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 })
        .sum()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// Sends a request and reads the answer whole.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body").to_vec();
    Answer { status, headers, bytes }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The body of a success with this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        self.json()
    }

    /// The body of a problem: its status, its type, and all that every problem has.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!(self.status, status, "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["type"], format!("/errors/{code}"), "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["success"], false);
        assert!(body["retryable"].is_boolean(), "{body}");
        assert!(is_trace_id(&body["trace_id"]), "{body}");
        for text in ["title", "detail"] {
            assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {body}");
        }
        assert!(gateway::error_codes().contains(&code));
        body
    }
}

/// Whether it could be the id of a trace: 32 hexadecimal digits, not all of them zero.
pub(crate) fn is_trace_id(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 32
            && u128::from_str_radix(text, 16).is_ok_and(|id| id != 0)
            && *text == text.to_lowercase()
    })
}

/// A processing job with two scenes, the first with a clip.
pub(crate) fn a_job(clip: Option<BlobRef>) -> job::Job {
    job::Job {
        id: 43,
        kind: "image_pairs".into(),
        status: "processing".into(),
        video_name: "Spring 2".into(),
        campaign_id: "c-1".into(),
        client_id: Some("cl-1".into()),
        progress: Some(job::Progress {
            percentage: 42,
            stage: "starting_render".into(),
            total_scenes: 2,
            completed_scenes: 1,
            processing_scenes: 1,
            failed_scenes: 0,
        }),
        parameters_json: r#"{"campaign_id":"c-1","clip_duration":6.0,"num_pairs":2}"#.into(),
        storyboard_json: r#"{"scenes":[{"title":"Pool"}],"total_duration":12.0}"#.into(),
        scenes: vec![
            job::Scene {
                clip,
                status: "completed".into(),
                provider_id: Some("p-1".into()),
                take: 1,
                ..a_scene("s-1", 0)
            },
            a_scene("s-2", 1),
        ],
        estimated_cost_micros: 2_400_000,
        actual_cost_micros: 1_000_000,
        audio: Some(job::AudioState { status: "generating".into(), ..Default::default() }),
        position: 7,
        created_at: "2026-03-04T05:00:00Z".into(),
        updated_at: "2026-03-04T05:06:00Z".into(),
        planner: "template".into(),
        video_model: "veo3".into(),
        total_assets: 4,
        ..Default::default()
    }
}

/// A scene that is being rendered.
pub(crate) fn a_scene(id: &str, index: i32) -> job::Scene {
    job::Scene {
        id: id.into(),
        index,
        status: "processing".into(),
        title: "Pool".into(),
        prompt: "Slow push-in".into(),
        billed_seconds: 6,
        first_asset_id: "a-1".into(),
        last_asset_id: "a-2".into(),
        scene_type: "exterior".into(),
        created_at: "2026-03-04T05:00:00Z".into(),
        updated_at: "2026-03-04T05:06:00Z".into(),
        ..Default::default()
    }
}
