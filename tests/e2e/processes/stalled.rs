//! No job stands still unnoticed: a provider that never answers, a webhook that is lost and a service that is down
//! each become `job_stalled` with a cause soon after the deadline, and `job_resumed` when they are mended. Nothing is bought
//! twice for it.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    consumer::pull::{Ordered, OrderedConfig},
};
use eventlog::open_checked;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use stack::{Options, Service};

use super::{PATIENCE, Scaled, approve, draft};
use crate::world::campaign;

/// How long a job may stand still here, whoever has to move it.
const STILL: Duration = Duration::from_secs(3);
/// How long after its deadline a stall is told at the latest, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(30);

/// What the job service publishes, read from the beginning.
struct Published {
    messages: Ordered,
    seen: Vec<Told>,
}

/// One message about a job.
#[derive(Clone, Debug)]
struct Told {
    name: String,
    data: Value,
    at: Timestamp,
}

impl Published {
    async fn of(scaled: &Scaled) -> Self {
        let client = async_nats::connect(scaled.stack.nats_url()).await.unwrap();
        let stream = jetstream::new(client).get_stream("FILMSTRIP_JOB").await.unwrap();
        let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
        Self { messages: consumer.messages().await.unwrap(), seen: Vec::new() }
    }

    /// The first message of this name about a job that is as wanted, once it is there.
    async fn until(&mut self, job: i64, name: &str, wanted: impl Fn(&Value) -> bool) -> Told {
        let is_it = |told: &&Told| told.name == name && told.data["job_id"] == job && wanted(&told.data);
        if let Some(told) = self.seen.iter().find(is_it) {
            return told.clone();
        }
        let reading = async {
            loop {
                let told = read(&self.messages.next().await.expect("the stream goes on").unwrap());
                self.seen.push(told.clone());
                if is_it(&&told) {
                    return told;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(told) => told,
            Err(_) => panic!("job {job} never was as wanted in {name}: {:#?}", self.seen),
        }
    }

    /// That the job stands still because of this one, for a cause with these words: told soon after its deadline.
    async fn stalled(&mut self, job: i64, owner: &str, words: &str) {
        let by = |data: &Value| data["owner"] == owner && data["cause"].as_str().unwrap().contains(words);
        let Told { data, at, .. } = self.until(job, "job_stalled", by).await;
        let time = |name: &str| data[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        let (since, deadline) = (time("since"), time("deadline"));
        assert!(at >= deadline && at <= deadline + SOON, "told at {at}: {data}");
        if data["times"] == 1 {
            assert_eq!(deadline, since + STILL, "{data}");
        }
    }

    /// That the job moved, or is over, after it was stalled.
    async fn resumed(&mut self, job: i64, owner: &str) {
        self.until(job, "job_resumed", |data| data["owner"] == owner).await;
    }
}

fn read(message: &jetstream::Message) -> Told {
    let time = message.headers.as_ref().and_then(|headers| headers.get("ce-time")).unwrap();
    Told {
        name: message.subject.rsplit('.').next().unwrap().to_owned(),
        data: serde_json::from_slice(&message.payload).unwrap(),
        at: time.as_str().parse().unwrap(),
    }
}

/// A stack on which a person, the workers and the job service may take so long, and what it publishes.
async fn start() -> (Scaled, Published, String) {
    let patience = ["PERSON", "RENDER", "STITCH", "AUDIO", "JOB"].map(|owner| {
        let seconds = format!("{}s", STILL.as_secs());
        (Service::Job, format!("WATCH_{owner}"), seconds)
    });
    let options = Options { replicas: 1, public: true, variables: patience.to_vec(), ..Scaled::options() };
    let scaled = Scaled::start(options).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 4).await;
    let published = Published::of(&scaled).await;
    (scaled, published, campaign)
}

/// A job of one scene that a person lets start.
async fn approved(scaled: &Scaled, campaign: &str, key: &str) -> i64 {
    let job = draft(&scaled.clients(), campaign, 1, key).await;
    approve(&scaled.clients(), job, key).await;
    job
}

/// How many jobs are unfinished and how many of them stalled, as the service itself counts them.
async fn counted(scaled: &Scaled) -> (u64, u64) {
    let url = scaled.stack.database_url(Service::Job).unwrap();
    let log = open_checked(url, &job::MIGRATIONS).await.unwrap();
    let all = job::store::overview(&log).await.unwrap();
    (all.iter().map(|of| of.unfinished).sum(), all.iter().map(|of| of.stalled).sum())
}

async fn ends_well(scaled: &Scaled, job: i64) {
    let done = scaled.finished(job).await;
    assert_eq!(done["outcome"], "full", "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_provider_that_never_answers_and_a_webhook_that_is_lost_are_told_with_a_cause() {
    let (scaled, mut published, campaign) = start().await;
    let video = |fault: Value| json!([{"when": {"kind": "video"}, "then": fault}]);

    // Nobody approves, and then the provider takes the work up and never ends it.
    let held = draft(&scaled.clients(), &campaign, 1, "held").await;
    published.stalled(held, "person", "nobody has approved the storyboard").await;
    assert_eq!(counted(&scaled).await, (1, 1));
    scaled.faults(video(json!({"fault": "hold"}))).await;
    approve(&scaled.clients(), held, "held").await;
    published.resumed(held, "person").await;
    published.stalled(held, "render", "render has worked on take 1 of scene 1 (attempt 1, prediction").await;
    scaled.stage().release().await.unwrap();
    published.resumed(held, "render").await;
    ends_well(&scaled, held).await;

    // It does not even answer that it takes it up.
    scaled.faults(video(json!({"fault": "never_answers"}))).await;
    let silent = approved(&scaled, &campaign, "silent").await;
    published.stalled(silent, "render", "has not begun it").await;
    scaled.stage().reset().await.unwrap();
    published.resumed(silent, "render").await;
    ends_well(&scaled, silent).await;

    // It is done, but its webhook is lost, and asking leads to nothing.
    scaled
        .faults(json!([
            {"when": {"kind": "webhook"}, "then": {"fault": "webhook_never"}},
            {"when": {"kind": "get"}, "then": {"fault": "status", "code": 500}},
        ]))
        .await;
    let lost = approved(&scaled, &campaign, "lost").await;
    published.stalled(lost, "render", "render has worked on take 1 of scene 1").await;
    scaled.stage().reset().await.unwrap();
    published.resumed(lost, "render").await;
    ends_well(&scaled, lost).await;

    scaled.bought_once(3, 3).await;
    assert_eq!(counted(&scaled).await, (0, 0));
    scaled.published_equals_logged().await;
    scaled.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_service_that_is_down_is_named_and_its_jobs_go_on_when_it_is_back() {
    let (mut scaled, mut published, campaign) = start().await;
    for service in [Service::Render, Service::Audio, Service::Stitch] {
        scaled.stack.kill(service, 0).await.unwrap();
        let job = approved(&scaled, &campaign, service.name()).await;
        let words = format!("{service} does not answer when it is asked for");
        published.stalled(job, service.name(), &words).await;
        assert_eq!(counted(&scaled).await, (1, 1));
        scaled.stack.start_again(service, 0).await.unwrap_or_else(|error| panic!("{error:#}"));
        published.resumed(job, service.name()).await;
        ends_well(&scaled, job).await;
    }
    scaled.bought_once(3, 3).await;
    assert_eq!(counted(&scaled).await, (0, 0));
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
