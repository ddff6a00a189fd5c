//! The service on scratch ground, with what a test needs around it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blobs::Blobs;
use bus::{Bus, InProcessBus, Message};
use eventlog::{Log, StoredEvent, open_log};
use kit::{Clock, Deps, Running};
use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;
use protos::stitch::v1::{
    overlay_service_client::OverlayServiceClient, stitch_service_client::StitchServiceClient,
};
use stitch::Settings;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A running service.
pub(crate) struct Stage {
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) client: StitchServiceClient<kit::grpc::Channel>,
    pub(crate) overlays: OverlayServiceClient<kit::grpc::Channel>,
    bus: Bus,
    cancel: CancellationToken,
    running: Running,
}

impl Stage {
    /// On the database and the blobs in a directory, new or not.
    pub(crate) async fn open(dir: &Path, change: impl FnOnce(&mut Settings)) -> Self {
        let log = open_log(&dir.join("stitch.db").to_string_lossy(), &stitch::MIGRATIONS).await.unwrap();
        Self::on(log, Blobs::local(dir.join("blobs")).unwrap(), change).await
    }

    /// One of several on the same database and the same blobs.
    pub(crate) async fn replica(
        url: &str,
        dir: &Path,
        owner: &str,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let log = open_log(url, &stitch::MIGRATIONS).await.unwrap();
        Self::on(log, Blobs::local(dir.join("blobs")).unwrap(), |settings| {
            owner.clone_into(&mut settings.owner);
            change(settings);
        })
        .await
    }

    pub(crate) async fn on(log: Log, blobs: Blobs, change: impl FnOnce(&mut Settings)) -> Self {
        let bus: Bus = InProcessBus::new();
        let cancel = CancellationToken::new();
        let deps = Deps {
            log: log.clone(),
            bus: bus.clone(),
            blobs: blobs.clone(),
            clock: Clock::system(),
            listener: kit::grpc::bind(([127, 0, 0, 1], 0).into()).await.unwrap(),
            cancel: cancel.clone(),
            readiness: kit::Readiness::new(),
        };
        let mut settings = Settings::default();
        change(&mut settings);
        let running = stitch::build(settings, deps).await.unwrap();
        let channel = kit::grpc::channel(&running.address.to_string()).unwrap();
        let overlays = OverlayServiceClient::new(channel.clone());
        Self { log, blobs, client: StitchServiceClient::new(channel), overlays, bus, cancel, running }
    }

    /// Told to stop, as on SIGTERM.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.running.stopped()).await.expect("it stops");
    }

    pub(crate) async fn cut(&self, key: &str, clips: &[BlobRef]) -> Result<pb::Product, tonic::Status> {
        self.cut_as(key, "d1", clips).await
    }

    pub(crate) async fn cut_as(
        &self,
        key: &str,
        digest: &str,
        clips: &[BlobRef],
    ) -> Result<pb::Product, tonic::Status> {
        let request = pb::RequestCutRequest {
            key: key.into(),
            digest: digest.into(),
            job_id: 43,
            clips: clips.to_vec(),
            overlay: None,
        };
        self.client.clone().request_cut(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn mix(
        &self,
        key: &str,
        cut: &BlobRef,
        soundtrack: &BlobRef,
    ) -> Result<pb::Product, tonic::Status> {
        let request = pb::RequestMixRequest {
            key: key.into(),
            digest: "d1".into(),
            job_id: 43,
            cut: Some(cut.clone()),
            soundtrack: Some(soundtrack.clone()),
            sync_mode: String::new(),
            fade_ms: None,
        };
        self.client.clone().request_mix(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn overlay(
        &self,
        key: &str,
        video: &BlobRef,
        overlay: pb::Overlay,
    ) -> Result<pb::Product, tonic::Status> {
        let request = pb::RequestOverlayRequest {
            key: key.into(),
            digest: "d1".into(),
            job_id: 43,
            video: Some(video.clone()),
            overlay: Some(overlay),
        };
        self.overlays.clone().request_overlay(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn get(&self, key: &str) -> pb::Product {
        let request = pb::GetProductRequest { key: key.into() };
        self.client.clone().get_product(request).await.unwrap().into_inner()
    }

    pub(crate) async fn cancel(&self, key: &str, reason: &str) -> pb::Product {
        let request = pb::CancelProductRequest { key: key.into(), reason: reason.into() };
        self.client.clone().cancel_product(request).await.unwrap().into_inner()
    }

    /// The product once it is over.
    pub(crate) async fn settled(&self, key: &str) -> pb::Product {
        let over = async {
            let mut appended = self.log.appended();
            loop {
                appended.borrow_and_update();
                let product = self.get(key).await;
                if !["waiting", "working"].contains(&product.state.as_str()) {
                    return product;
                }
                appended.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, over).await.expect("it settles")
    }

    pub(crate) async fn stored(&self) -> Vec<StoredEvent> {
        self.log.read_all(0, 1000).await.unwrap()
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        self.stored().await.into_iter().map(|event| event.kind).collect()
    }

    /// The first message that is published.
    pub(crate) async fn published(&self) -> Message {
        let (consumer, _dir) = eventlog::testing::scratch_log(&eventlog::testing::NO_TABLES).await;
        let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
        let subscription = self.bus.subscribe(bus::subjects::source::STITCH, "test-stitch", consumer);
        let cancel = CancellationToken::new();
        let listening = tokio::spawn(subscription.run(cancel.clone(), move |message| {
            let _ = sender.send(message);
            std::future::ready(Ok(()))
        }));
        let message = tokio::time::timeout(DEADLINE, received.recv()).await.expect("a message").unwrap();
        cancel.cancel();
        listening.await.unwrap();
        message
    }

    /// Puts what ffmpeg makes of these arguments into the object store.
    pub(crate) async fn make(&self, args: &str, extension: &str, content_type: &str) -> BlobRef {
        let work = tempfile::tempdir().unwrap();
        let file = work.path().join(format!("made.{extension}"));
        let made = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-y", "-v", "error"])
            .args(args.split_whitespace())
            .arg(&file)
            .status()
            .unwrap();
        assert!(made.success(), "{args}");
        self.blobs.put_file(file, content_type).await.unwrap()
    }

    /// A clip of so many frames at 24 a second; `look` makes clips differ.
    pub(crate) async fn clip(&self, frames: u32, look: u32) -> BlobRef {
        let args = format!(
            "-f lavfi -i testsrc2=s=64x36:r=24,hue=h={look} -frames:v {frames} -c:v libx264 -preset ultrafast -pix_fmt yuv420p"
        );
        self.make(&args, "mp4", "video/mp4").await
    }

    pub(crate) async fn music(&self, seconds: f64) -> BlobRef {
        self.make(&format!("-f lavfi -i sine=d={seconds}"), "mp3", "audio/mpeg").await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// A stand-in for ffmpeg that never ends, and says when it was started and when it is gone.
pub(crate) struct Stuck {
    pub(crate) tool: PathBuf,
    pipe: PathBuf,
    _dir: tempfile::TempDir,
}

/// A stuck tool that was started.
pub(crate) struct Started(BufReader<tokio::fs::File>);

impl Stuck {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (tool, pipe) = (dir.path().join("ffmpeg"), dir.path().join("pipe"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let text = format!("#!/bin/sh\nexec 3>{}\necho started >&3\nexec sleep 1000\n", pipe.display());
        std::fs::write(&tool, text).unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { tool, pipe, _dir: dir }
    }

    pub(crate) async fn started(&self) -> Started {
        let opened = async {
            let mut pipe = BufReader::new(tokio::fs::File::open(&self.pipe).await.unwrap());
            let mut line = String::new();
            pipe.read_line(&mut line).await.unwrap();
            assert_eq!(line, "started\n");
            Started(pipe)
        };
        tokio::time::timeout(DEADLINE, opened).await.expect("the tool is started")
    }
}

impl Started {
    /// Waits until nobody holds the pipe open any more.
    pub(crate) async fn gone(mut self) {
        let rest = tokio::time::timeout(DEADLINE, self.0.read_to_end(&mut Vec::new())).await;
        assert_eq!(rest.expect("the tool is killed").unwrap(), 0);
    }
}
