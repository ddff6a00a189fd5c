//! A stage in a scratch directory, photos for it, and calls to it.

use std::io::Cursor;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use soundstage::client::StageControl;
use soundstage::report::Ledger;
use soundstage::{Stage, StageOptions};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running stage and the means to talk to it.
pub(crate) struct Scratch {
    pub(crate) http: reqwest::Client,
    pub(crate) control: StageControl,
    pub(crate) stage: Stage,
    pub(crate) dir: TempDir,
    cancel: CancellationToken,
}

pub(crate) fn options(dir: &TempDir) -> StageOptions {
    StageOptions {
        dir: dir.path().to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        draft: true,
        seed: 7,
        instant: true,
        time_scale: 1.0,
    }
}

impl Scratch {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let options = options(&dir);
        Self::with(dir, options).await
    }

    /// A stage on which an hour passes in `3600 / scale` seconds.
    pub(crate) async fn scaled(scale: f64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let options = StageOptions { time_scale: scale, ..options(&dir) };
        Self::with(dir, options).await
    }

    pub(crate) async fn with(dir: TempDir, options: StageOptions) -> Self {
        let cancel = CancellationToken::new();
        let stage = soundstage::start(options, cancel.clone()).await.expect("a stage");
        let control = StageControl::new(&stage.base_url());
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        Self { http, control, stage, dir, cancel }
    }

    /// Stops the stage and gives back its directory.
    pub(crate) async fn stop(self) -> TempDir {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.stage.wait()).await.expect("the stage ends");
        self.dir
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.base_url())
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).bearer_auth("key").send().await.expect("an answer")
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json().await.expect("JSON")
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        self.http.post(self.url(path)).bearer_auth("key").json(body).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        self.try_post(path, body).await.expect("an answer")
    }

    pub(crate) async fn faults(&self, rules: Value) {
        self.control.faults(json!({ "rules": rules })).await.expect("rules");
    }

    /// Uploads a photo and returns what the files API says of it.
    pub(crate) async fn upload(&self, bytes: Vec<u8>) -> Value {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("frame.jpg");
        let part = part.mime_str("image/jpeg").expect("a type");
        let form =
            reqwest::multipart::Form::new().part("content", part).text("metadata", r#"{"attempt":"a1"}"#);
        let request = self.http.post(self.url("/v1/files")).bearer_auth("key").multipart(form);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
        answer.json().await.expect("JSON")
    }

    /// Creates a prediction and returns its id.
    pub(crate) async fn create(&self, model: &str, input: Value) -> String {
        let answer = self.post("/v1/predictions", &json!({"version": model, "input": input})).await;
        assert_eq!(answer.status(), 201);
        let body: Value = answer.json().await.expect("JSON");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until a prediction is over.
    pub(crate) async fn finished(&self, id: &str) -> Value {
        self.until(id, |body| !body["completed_at"].is_null()).await
    }

    /// Waits until a prediction is as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                pause.tick().await;
                let body = self.get_json(&format!("/v1/predictions/{id}")).await;
                if wanted(&body) {
                    return body;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the prediction gets there")
    }

    /// Waits until the ledger is as wanted.
    pub(crate) async fn ledger_when(&self, wanted: impl Fn(&Ledger) -> bool) -> Ledger {
        let looking = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                pause.tick().await;
                let ledger = self.control.ledger().await.expect("a ledger");
                if wanted(&ledger) {
                    return ledger;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the ledger gets there")
    }

    pub(crate) async fn run(&self, model: &str, input: Value) -> Value {
        let id = self.create(model, input).await;
        self.finished(&id).await
    }

    /// Downloads an output into the scratch directory.
    pub(crate) async fn download(&self, prediction: &Value) -> std::path::PathBuf {
        let url = prediction["output"].as_str().expect("an output");
        let bytes = self.http.get(url).send().await.expect("an answer").bytes().await.expect("a body");
        let extension = url.rsplit('.').next().expect("an extension");
        let path = self.dir.path().join(format!("downloaded-{}.{extension}", prediction["id"]));
        std::fs::write(&path, bytes).expect("written");
        path
    }
}

/// A small photo: a gradient and a block, so that moves and dissolves can be seen.
pub(crate) fn jpeg(tint: u8) -> Vec<u8> {
    let image = image::RgbImage::from_fn(240, 150, |x, y| {
        let block = (60..120).contains(&x) && (45..100).contains(&y);
        image::Rgb([tint, x as u8, if block { 250 } else { y as u8 }])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a JPEG");
    bytes.into_inner()
}

/// The same as a data URI.
pub(crate) fn photo(tint: u8) -> String {
    format!("data:image/jpeg;base64,{}", base64::engine::general_purpose::STANDARD.encode(jpeg(tint)))
}

pub(crate) const VEO: &str = "google/veo-3.1";
pub(crate) const HAILUO: &str = "minimax/hailuo-02";
pub(crate) const MUSICGEN: &str =
    "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb";

/// Input for a silent four-second clip.
pub(crate) fn clip(prompt: &str) -> Value {
    json!({"prompt": prompt, "image": photo(20), "last_frame": photo(200), "duration": 4, "generate_audio": false})
}

/// Runs a program and returns its standard output.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Vec<u8> {
    let run = std::process::Command::new(program).args(arguments).output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

pub(crate) fn probe(path: &std::path::Path, entries: &str) -> String {
    let path = path.to_str().expect("a path");
    let out = output_of("ffprobe", &["-v", "error", "-show_entries", entries, "-of", "csv=p=0", path]);
    String::from_utf8(out).expect("text").trim().to_owned()
}
