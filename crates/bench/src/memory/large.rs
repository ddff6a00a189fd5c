//! Films as real providers' clips make them: 1080p, one clip of another rate than the others, music under them, and a text
//! over all of it; two at one time, as many as a replica of stitch makes.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, bail, ensure};
use blobs::{BlobAddress, Blobs, S3Options};
use futures::future::try_join_all;
use protos::{
    common::v1::BlobRef,
    stitch::v1::{
        GetProductRequest, Overlay, Product, RequestCutRequest, RequestMixRequest, RequestOverlayRequest,
        overlay_service_client::OverlayServiceClient, stitch_service_client::StitchServiceClient,
    },
};
use stack::{Service, Stack};

use crate::progress;

/// Scenes of a film, and the seconds of each.
pub(super) const SCENES: usize = 6;
pub(super) const SECONDS: usize = 8;
/// Films that are made at one time: `at_once` of stitch.
pub(super) const FILMS: usize = 2;
/// Only a hang reaches it: everything shares the machine.
const PATIENCE: Duration = Duration::from_mins(20);
/// Between two questions whether a product is over.
const ASK: Duration = Duration::from_millis(500);

/// What films are made of, in the object store, and whom to ask for them.
pub(super) struct Studio {
    clips: Vec<BlobRef>,
    music: BlobRef,
    stitch: StitchServiceClient<kit::grpc::Channel>,
    overlays: OverlayServiceClient<kit::grpc::Channel>,
}

impl Studio {
    pub(super) async fn open(stack: &Stack) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let blobs = store(stack, directory.path())?;
        let mut clips = Vec::with_capacity(SCENES);
        for scene in 0..SCENES {
            progress!("making clip {} of {SCENES} in 1080p", scene + 1);
            clips.push(clip(&blobs, directory.path(), scene).await?);
        }
        let seconds = SCENES * SECONDS;
        let music = ["-f", "lavfi", "-i", &format!("sine=d={seconds}"), "-ac", "2"];
        let music = made(&blobs, &music, &directory.path().join("music.mp3"), "audio/mpeg").await?;
        let found = stack.replicas().find(|(service, index, _)| (*service, *index) == (Service::Stitch, 0));
        let (_, _, address) = found.context("stitch does not run")?;
        let channel = kit::grpc::channel(&address.to_string())?;
        let (stitch, overlays) =
            (StitchServiceClient::new(channel.clone()), OverlayServiceClient::new(channel));
        Ok(Self { clips, music, stitch, overlays })
    }

    /// Makes all films, each from its clips to its end.
    pub(super) async fn films(&self) -> anyhow::Result<()> {
        try_join_all((0..FILMS).map(|number| self.film(number))).await.map(drop)
    }

    async fn film(&self, number: usize) -> anyhow::Result<()> {
        let job_id = i32::try_from(number)?;
        let key = |what: &str| format!("large-{number}/{what}-1");
        let cut = RequestCutRequest {
            key: key("cut"),
            digest: "1".into(),
            job_id,
            clips: self.clips.clone(),
            overlay: None,
        };
        let cut = self.ready(self.stitch.clone().request_cut(cut).await?.into_inner()).await?;
        let mix = RequestMixRequest {
            key: key("mix"),
            digest: "1".into(),
            job_id,
            cut: cut.video,
            soundtrack: Some(self.music.clone()),
            ..RequestMixRequest::default()
        };
        let mix = self.ready(self.stitch.clone().request_mix(mix).await?.into_inner()).await?;
        let over = RequestOverlayRequest {
            key: key("overlay"),
            digest: "1".into(),
            job_id,
            video: mix.video,
            overlay: Some(Overlay { text: format!("Northwind Stays {number}"), ..Overlay::default() }),
        };
        self.ready(self.overlays.clone().request_overlay(over).await?.into_inner()).await.map(drop)
    }

    /// Waits until a product is there.
    async fn ready(&self, wanted: Product) -> anyhow::Result<Product> {
        let key = wanted.key;
        let waiting = async {
            loop {
                let request = GetProductRequest { key: key.clone() };
                let product = self.stitch.clone().get_product(request).await?.into_inner();
                match product.state.as_str() {
                    "ready" => return Ok(product),
                    "failed" | "canceled" => bail!("{key} was not made: {:?}", product.reason),
                    _ => tokio::time::sleep(ASK).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.with_context(|| format!("{key} takes too long"))?
    }
}

/// The stack's object store, for whoever puts bytes there beside it.
fn store(stack: &Stack, directory: &Path) -> anyhow::Result<Blobs> {
    let settings = stack.blobs();
    let options = S3Options {
        endpoint: settings.endpoint,
        access_key_id: settings.access_key_id,
        secret_access_key: settings.secret_access_key.into(),
        ..S3Options::default()
    };
    let address = BlobAddress::parse(&settings.url, options).context("the address of the object store")?;
    Blobs::at(&address, directory).context("opening the object store")
}

/// A clip of 1080p; the third one has another rate than the others, so that it has to be coded anew.
async fn clip(blobs: &Blobs, directory: &Path, scene: usize) -> anyhow::Result<BlobRef> {
    let rate = if scene == 2 { 30 } else { 24 };
    let source =
        format!("testsrc2=s=1920x1080:r={rate}:d={SECONDS},hue=h={},noise=alls=8:allf=t", scene * 50);
    let coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p"];
    let args: Vec<&str> = ["-f", "lavfi", "-i", &source].into_iter().chain(coding).collect();
    made(blobs, &args, &directory.join(format!("clip-{scene}.mp4")), "video/mp4").await
}

/// What ffmpeg makes of these arguments, in the object store.
async fn made(blobs: &Blobs, args: &[&str], file: &Path, content_type: &str) -> anyhow::Result<BlobRef> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-y", "-v", "error", "-threads", "2"]).args(args).arg(file);
    let status = tokio::task::spawn_blocking(move || command.status()).await?.context("starting ffmpeg")?;
    ensure!(status.success(), "ffmpeg could not make {}", file.display());
    blobs.put_file(file, content_type).await.context("storing what ffmpeg made")
}
