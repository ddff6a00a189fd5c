//! A soundstage, photos, and render services that come and go over one database.

use std::time::Duration;

use blobs::Blobs;
use bus::InProcessBus;
use eventlog::{Log, open_log};
use kit::{Clock, Deps, Running, grpc::Channel};
use predictions::ReplicateConfig;
use protos::{
    common::v1::BlobRef,
    render::v1::{
        CancelRenderRequest, GetRenderRequest, Render, RequestRenderRequest,
        render_service_client::RenderServiceClient,
    },
};
use render::Settings;
use serde_json::Value;
use soundstage::{Stage, StageOptions, client::StageControl, report::Ledger};
use tempfile::TempDir;
use testservers::PostgresServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a wait may take before it is a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) control: StageControl,
    pub(crate) blobs: Blobs,
    pub(crate) photo: BlobRef,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    /// A file, or an address at a server of its own.
    database: String,
    server: Option<PostgresServer>,
    stop_stage: CancellationToken,
    _dir: TempDir,
}

/// A running service with a client.
pub(crate) struct Service {
    pub(crate) client: RenderServiceClient<Channel>,
    pub(crate) log: Log,
    running: Running,
    cancel: CancellationToken,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at_pace(1.0).await
    }

    /// A stage and a service whose time runs `scale` times as fast as the machine's.
    pub(crate) async fn at_pace(scale: f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stop_stage = CancellationToken::new();
        let options = StageOptions {
            dir: dir.path().join("stage"),
            listen: ([127, 0, 0, 1], 0).into(),
            draft: true,
            seed: 1,
            instant: true,
            time_scale: scale,
        };
        let stage = soundstage::start(options, stop_stage.clone()).await.unwrap();
        let control = StageControl::new(&stage.base_url());
        let blobs = Blobs::local(dir.path().join("blobs")).unwrap();
        let photo = put_photo(&blobs, 320, 180).await;
        let mut replicate = ReplicateConfig::soundstage(stage.replicate_url().parse().unwrap());
        replicate.post_timeout = Duration::from_secs(5);
        replicate.orphan_margin = Duration::from_millis(500);
        let mut settings = Settings::new(replicate);
        settings.replicate = settings.replicate.scaled_for(scale);
        settings.account.starts_per_second = 200;
        settings.policy.backoff_first = Duration::from_millis(20);
        settings.policy.poll_first = Duration::from_millis(20);
        settings.policy.poll_most = Duration::from_millis(200);
        let clock = if (scale - 1.0).abs() < f64::EPSILON { Clock::system() } else { Clock::scaled(scale) };
        let database = dir.path().join("render.db").to_string_lossy().into_owned();
        let server = None;
        Self { stage, control, blobs, photo, settings, clock, database, server, stop_stage, _dir: dir }
    }

    /// The same on PostgreSQL, for any number of services at once.
    pub(crate) async fn on_postgres() -> Self {
        let mut world = Self::new().await;
        let server = PostgresServer::start().await.unwrap();
        server.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        world.database = format!("{}?schema=render", server.url("film", "postgres"));
        world.server = Some(server);
        world
    }

    pub(crate) async fn faults(&self, rules: Value) {
        self.control.faults(rules).await.unwrap();
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        self.control.ledger().await.unwrap()
    }

    /// Builds the service; what was unfinished in its database goes on.
    pub(crate) async fn service(&self) -> Service {
        self.service_as(&self.settings.owner).await
    }

    /// One of several, by its name.
    pub(crate) async fn service_as(&self, owner: &str) -> Service {
        let log = open_log(&self.database, &render::MIGRATIONS).await.unwrap();
        let cancel = CancellationToken::new();
        let deps = Deps {
            log: log.clone(),
            bus: InProcessBus::new(),
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            cancel: cancel.clone(),
            readiness: kit::Readiness::new(),
        };
        let settings = Settings { owner: owner.to_owned(), ..self.settings.clone() };
        let running = render::build(settings, deps).await.unwrap();
        let channel = kit::grpc::channel(&running.address.to_string()).unwrap();
        Service { client: RenderServiceClient::new(channel), log, running, cancel }
    }

    pub(crate) async fn stop(self) {
        drop(self.server);
        self.stop_stage.cancel();
        self.stage.wait().await;
    }

    /// A wish for 4 s of video; the prompt is the key, so that faults can name it.
    pub(crate) fn wish(&self, scene: u32) -> RequestRenderRequest {
        let key = format!("job-7/scene-{scene}/take-1");
        RequestRenderRequest {
            prompt: key.clone(),
            key,
            digest: "d1".into(),
            job_id: 7,
            campaign_id: format!("campaign-{}", scene % 3),
            scene_index: i32::try_from(scene).unwrap(),
            scene_id: format!("scene-{scene}"),
            take: 1,
            model: "google/veo-3.1".into(),
            first_frame: Some(self.photo.clone()),
            last_frame: Some(self.photo.clone()),
            seconds: 4,
            aspect_ratio: "16:9".into(),
            resolution: "1080p".into(),
            price_per_second_micros: 200_000,
        }
    }
}

/// A JPEG of this size with something on it.
pub(crate) async fn put_photo(blobs: &Blobs, width: u32, height: u32) -> BlobRef {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 120])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    blobs.put_bytes(bytes.into_inner(), "image/jpeg").await.unwrap()
}

impl Service {
    pub(crate) async fn request(&self, wish: RequestRenderRequest) -> Render {
        self.client.clone().request_render(wish).await.unwrap().into_inner()
    }

    pub(crate) async fn refused(&self, wish: RequestRenderRequest) -> kit::ServiceError {
        self.client.clone().request_render(wish).await.unwrap_err().into()
    }

    pub(crate) async fn get(&self, key: &str) -> Render {
        self.client.clone().get_render(GetRenderRequest { key: key.into() }).await.unwrap().into_inner()
    }

    pub(crate) async fn cancel(&self, key: &str) -> Render {
        let request = CancelRenderRequest { key: key.into(), reason: "job canceled".into() };
        self.client.clone().cancel_render(request).await.unwrap().into_inner()
    }

    /// Waits until the render of this key is in a state that `right` accepts.
    pub(crate) async fn until(&self, key: &str, right: impl Fn(&Render) -> bool) -> Render {
        let mut appended = self.log.appended();
        let waiting = async {
            loop {
                appended.borrow_and_update();
                let render = self.get(key).await;
                if right(&render) {
                    return render;
                }
                appended.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(render) => render,
            Err(_) => panic!("{key} stays {:?}", self.get(key).await),
        }
    }

    pub(crate) async fn settled(&self, key: &str) -> Render {
        let over = |render: &Render| matches!(render.state.as_str(), "rendered" | "failed" | "canceled");
        self.until(key, over).await
    }

    /// Stops the service and waits until nothing of it is left.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.running.stopped()).await.expect("it stops");
    }
}
