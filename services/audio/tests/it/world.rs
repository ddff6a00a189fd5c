//! A stand-in provider, a service that can be stopped and started again, and what tests look at.

use std::sync::Arc;
use std::time::Duration;

use audio::Settings;
use audio::order::AudioBuyer;
use audio::voice::ElevenLabsConfig;
use blobs::Blobs;
use bus::{Bus, InProcessBus};
use eventlog::{Log, open_log};
use kit::grpc::Channel;
use kit::{Clock, Deps, Running};
use media::{Media, MediaSettings};
use predictions::engine::EngineParts;
use predictions::{Engine, Policy, ReplicateConfig, replicate};
use protos::audio::v1::audio_service_client::AudioServiceClient;
use protos::audio::v1::voice_service_client::VoiceServiceClient;
use protos::audio::v1::{MusicScene, RequestSoundtrackRequest, Soundtrack};
use soundstage::client::StageControl;
use soundstage::report::LedgerEntry;
use soundstage::{Stage, StageOptions};
use tempfile::TempDir;
use testservers::PostgresServer;
use tokio_util::sync::CancellationToken;

/// How long anything may take on a loaded machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The provider and a directory that outlives the service.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) control: StageControl,
    stage: Stage,
    stop: CancellationToken,
    /// A file, or an address at a server of its own.
    database: String,
    lease: Duration,
    _server: Option<PostgresServer>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let options = StageOptions {
            dir: dir.path().join("stage"),
            listen: "127.0.0.1:0".parse().unwrap(),
            draft: true,
            seed: 7,
            instant: true,
            time_scale: 1.0,
        };
        let stage = soundstage::start(options, stop.clone()).await.unwrap();
        let database = dir.path().join("audio.db").to_string_lossy().into_owned();
        let control = StageControl::new(&stage.base_url());
        Self { dir, control, stage, stop, database, lease: Policy::default().lease, _server: None }
    }

    /// The same on PostgreSQL, for any number of services at once, with leases that last so long.
    pub(crate) async fn on_postgres(lease: Duration) -> Self {
        let server = PostgresServer::start().await.unwrap();
        server.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        let database = format!("{}?schema=audio", server.url("film", "postgres"));
        Self { database, lease, _server: Some(server), ..Self::new().await }
    }

    /// Starts the service on this world's directory.
    pub(crate) async fn start(&self) -> Audio {
        self.start_as("audio").await
    }

    /// One of several, by its name.
    pub(crate) async fn start_as(&self, owner: &str) -> Audio {
        self.start_on(self.open().await, owner, &self.provider()).await
    }

    /// One that writes to this log, and has scripts spoken at this address.
    pub(crate) async fn start_on(&self, log: Log, owner: &str, speech: &str) -> Audio {
        let blobs = Blobs::local(self.dir.path().join("blobs")).unwrap();
        let bus: Bus = InProcessBus::new();
        let cancel = CancellationToken::new();
        let listener = kit::grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let deps = Deps {
            log: log.clone(),
            bus: bus.clone(),
            blobs: blobs.clone(),
            clock: Clock::system(),
            listener,
            cancel: cancel.clone(),
            readiness: kit::Readiness::new(),
        };
        let replicate = ReplicateConfig::soundstage(self.stage.replicate_url().parse().unwrap());
        let mut settings = Settings::new(replicate);
        settings.policy = Policy {
            // Some tests stop as often as they can.
            max_stopped: 1000,
            backoff_first: Duration::from_millis(20),
            backoff_most: Duration::from_millis(50),
            poll_first: Duration::from_millis(20),
            poll_most: Duration::from_millis(100),
            lease: self.lease,
            ..Policy::default()
        };
        settings.account.starts_per_second = 100;
        settings.owner = owner.to_owned();
        settings.voices = Some(ElevenLabsConfig::new(speech.parse().unwrap(), "xi".into()));
        let running = audio::build(settings, deps).await.unwrap();
        let channel = kit::grpc::channel(&running.address.to_string()).unwrap();
        let voices = VoiceServiceClient::new(channel.clone());
        Audio { client: AudioServiceClient::new(channel), voices, log, blobs, bus, running, cancel }
    }

    /// Where the provider listens.
    pub(crate) fn provider(&self) -> String {
        self.stage.base_url()
    }

    /// The service's database, opened beside it.
    pub(crate) async fn open(&self) -> Log {
        open_log(&self.database, &audio::MIGRATIONS).await.unwrap()
    }

    /// The engine as the service has it; it places orders and does not run.
    pub(crate) fn engine(&self, log: Log) -> Engine {
        let replicate = ReplicateConfig::soundstage(self.stage.replicate_url().parse().unwrap());
        let blobs = Blobs::local(self.dir.path().join("blobs")).unwrap();
        let settings = Settings::new(replicate.clone());
        let client = replicate::Client::new(&replicate, blobs.clone(), Clock::system()).unwrap();
        let media = Media::new(MediaSettings::new(blobs.scratch_dir())).unwrap();
        Engine::new(EngineParts {
            log,
            blobs,
            clock: Clock::system(),
            provider: Arc::new(client),
            replicate,
            account: settings.account,
            policy: settings.policy,
            owner: "beside".into(),
            buyer: Arc::new(AudioBuyer { media }),
        })
    }

    /// The music predictions that the provider accepted, oldest first.
    pub(crate) async fn bought(&self) -> Vec<LedgerEntry> {
        self.control.ledger().await.unwrap().of_kind("music").cloned().collect()
    }

    /// Ends the provider; everything it started has ended afterwards.
    pub(crate) async fn end(self, audio: Audio) {
        audio.stop().await;
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.stage.wait()).await.expect("the stage ends");
    }
}

/// A service that runs.
pub(crate) struct Audio {
    pub(crate) client: AudioServiceClient<Channel>,
    pub(crate) voices: VoiceServiceClient<Channel>,
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) bus: Bus,
    running: Running,
    cancel: CancellationToken,
}

impl Audio {
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.running.stopped()).await.expect("the service ends");
    }

    pub(crate) async fn request(
        &self,
        request: RequestSoundtrackRequest,
    ) -> Result<Soundtrack, tonic::Status> {
        self.client.clone().request_soundtrack(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn get(&self, key: &str) -> Soundtrack {
        let request = protos::audio::v1::GetSoundtrackRequest { key: key.into() };
        self.client.clone().get_soundtrack(request).await.unwrap().into_inner()
    }

    pub(crate) async fn cancel(&self, key: &str) -> Soundtrack {
        let request =
            protos::audio::v1::CancelSoundtrackRequest { key: key.into(), reason: "not wanted".into() };
        self.client.clone().cancel_soundtrack(request).await.unwrap().into_inner()
    }

    /// Waits until the soundtrack is in one of these states.
    pub(crate) async fn until(&self, key: &str, states: &[&str]) -> Soundtrack {
        self.until_that(key, |soundtrack| states.contains(&soundtrack.state.as_str())).await
    }

    /// Waits until the soundtrack is as wanted; looks again after each write.
    pub(crate) async fn until_that(&self, key: &str, wanted: impl Fn(&Soundtrack) -> bool) -> Soundtrack {
        let mut appended = self.log.appended();
        let mut last = None;
        let waiting = async {
            loop {
                appended.borrow_and_update();
                let soundtrack = self.get(key).await;
                if wanted(&soundtrack) {
                    return soundtrack;
                }
                last = Some(soundtrack);
                appended.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(soundtrack) => soundtrack,
            Err(_) => panic!("{key} did not get there: {last:?}"),
        }
    }

    /// Waits until the log holds so many events of this kind, over all streams.
    pub(crate) async fn until_events(&self, kind: &str, count: usize) {
        let mut appended = self.log.appended();
        let waiting = async {
            loop {
                appended.borrow_and_update();
                let events = self.log.read_all(0, 10_000).await.unwrap();
                if events.iter().filter(|event| event.kind == kind).count() >= count {
                    return;
                }
                appended.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("no {count} events {kind}"));
    }

    /// Waits until the log has grown beyond this position, and returns the new one.
    pub(crate) async fn beyond(&self, position: i64) -> i64 {
        let mut appended = self.log.appended();
        let grown = tokio::time::timeout(DEADLINE, appended.wait_for(|head| *head > position)).await;
        *grown.expect("something is written").unwrap()
    }

    /// Everything that is published until `count` messages are there: name and data.
    pub(crate) async fn published(&self, count: usize) -> Vec<(String, serde_json::Value)> {
        let subscription = self.bus.subscribe("audio", "test", self.log.clone());
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
            let sender = sender.clone();
            async move {
                sender.send((message.name, message.data))?;
                Ok(())
            }
        }));
        let mut messages = Vec::new();
        while messages.len() < count {
            let next = tokio::time::timeout(DEADLINE, receiver.recv()).await;
            messages.push(next.expect("a message is published").unwrap());
        }
        cancel.cancel();
        running.await.unwrap();
        messages
    }
}

/// A soundtrack of `seconds` for a calm house.
pub(crate) fn wanted(key: &str, seconds: u64) -> RequestSoundtrackRequest {
    let scene = |description: &str| MusicScene {
        title: "A room".into(),
        description: description.into(),
        style: "ambient piano".into(),
        energy: "medium".into(),
        duration_ms: seconds * 500,
    };
    RequestSoundtrackRequest {
        key: key.into(),
        digest: format!("digest of {seconds}"),
        job_id: 43,
        campaign_id: "campaign-1".into(),
        duration_ms: seconds * 1000,
        scenes: vec![scene("morning light"), scene("a quiet kitchen")],
        prompt: None,
        error_strategy: String::new(),
        fade_ms: None,
        voice: None,
    }
}
