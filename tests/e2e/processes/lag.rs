//! How far behind job is with what render publishes: every replica of job tells the number that the consumer's leader knows,
//! within a second, while messages come, while a replica that has some stands still, and after the leader has gone over to
//! another server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer::Info, stream};
use bus::{
    nats::topology,
    subjects::{durable::JOB_RENDER, source::RENDER},
};
use eventlog::{Append, Log, open_checked};
use jiff::Timestamp;
use parking_lot::Mutex;
use render::{events::Event, request::Take};
use serde_json::{Value, json};
use stack::{Arrived, Options, Service};
use testservers::{NatsCluster, Otlp, Seen};
use tokio::task::JoinHandle;

use super::{PATIENCE, Scaled, seen::telling};
use crate::world::{note, pause, sized};

/// How often everything is gone through, instead of once.
const ROUNDS: &str = "FILMSTRIP_LAG_ROUNDS";
/// How old what is told may be.
const WITHIN: Duration = Duration::from_secs(1);
/// How often a replica must tell the number before it is believed to know it.
const WORDS: usize = 3;
/// Servers of the cluster.
const NODES: usize = 3;
/// Messages of one load.
const LOAD: usize = 200;

const BOTH: [&str; 2] = ["job-0", "job-1"];
const ONE: [&str; 1] = ["job-0"];

/// What the consumer's leader says, asked again and again.
struct Leader {
    jetstream: jetstream::Context,
    said: Arc<Mutex<Option<Said>>>,
    asking: JoinHandle<()>,
}

/// A number that stays.
#[derive(Clone, Debug)]
struct Said {
    /// Messages that are not handled yet.
    lag: u64,
    /// Messages that were handed over at least once.
    delivered: u64,
    /// Which server leads; empty when there is one only.
    leader: String,
    /// Since when the lag has been that.
    since: Instant,
    /// When it was said last.
    at: Instant,
}

impl Leader {
    async fn of(nats: &str) -> Self {
        let servers: Vec<String> = nats.split(',').map(str::to_owned).collect();
        let jetstream = jetstream::new(async_nats::connect(servers).await.unwrap());
        let said = Arc::<Mutex<Option<Said>>>::default();
        let asking = tokio::spawn(ask(jetstream.clone(), Arc::clone(&said)));
        Self { jetstream, said, asking }
    }

    /// Waits until the leader has said what is wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&Said) -> bool) -> Said {
        let waiting = async {
            loop {
                let said = self.said.lock().clone();
                if let Some(said) = said.filter(|said| wanted(said)) {
                    return said;
                }
                pause().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("{what}: {:?}", self.said.lock()))
    }

    /// Whether the lag is still what was said: the leader is asked once more.
    async fn stays(&self, said: &Said) -> bool {
        let now = Instant::now();
        self.until("the leader answers", |later| later.at > now).await.since == said.since
    }

    /// Makes another server the consumer's leader.
    async fn step_down(&self) {
        let before = self.until("there is a leader", |said| !said.leader.is_empty()).await.leader;
        let stream = topology::stream_name(RENDER);
        let subject = format!("CONSUMER.LEADER.STEPDOWN.{stream}.{JOB_RENDER}");
        let answer: Value = self.jetstream.request(subject, &json!({})).await.unwrap();
        assert_eq!(answer["success"], true, "{answer}");
        self.until("another one leads", |said| !said.leader.is_empty() && said.leader != before).await;
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

async fn ask(jetstream: jetstream::Context, said: Arc<Mutex<Option<Said>>>) {
    let stream = jetstream.get_stream_no_info(topology::stream_name(RENDER)).await.unwrap();
    loop {
        // Without a leader nobody answers; what was said before may have changed meanwhile.
        let answer = tokio::time::timeout(WITHIN / 4, stream.consumer_info(JOB_RENDER)).await;
        let info = answer.ok().and_then(Result::ok);
        hear(&mut said.lock(), info.as_ref());
        tokio::time::sleep(WITHIN / 40).await;
    }
}

fn hear(said: &mut Option<Said>, info: Option<&Info>) {
    let now = Instant::now();
    *said = info.map(|info| {
        let lag = info.num_pending + u64::try_from(info.num_ack_pending).unwrap();
        let since = said.as_ref().filter(|before| before.lag == lag).map_or(now, |before| before.since);
        let leader = info.cluster.as_ref().and_then(|cluster| cluster.leader.clone()).unwrap_or_default();
        Said { lag, delivered: info.delivered.stream_sequence, leader, since, at: now }
    });
}

/// A stack whose job service has two replicas, and the consumer by which they hear of render.
struct World {
    scaled: Scaled,
    sink: Otlp,
    leader: Leader,
    render: Log,
    published: usize,
}

impl World {
    /// `nats`: where the events are, when that is not the stack's own server.
    async fn start(nats: Option<&str>) -> Self {
        let sink = Otlp::start().await.unwrap();
        let elsewhere = nats.into_iter().flat_map(|nats| {
            Service::WITH_DATABASE.map(|service| (service, "NATS_URL".to_owned(), nats.to_owned()))
        });
        let variables = elsewhere.collect();
        let options =
            Options { replicas: 1, spares: 1, named: true, instant: true, variables, ..Scaled::options() };
        let mut scaled = Scaled::start(telling(&sink, options)).await;
        let second = scaled.stack.starting(Service::Job, 1, Vec::new()).unwrap().await;
        assert_eq!(scaled.stack.arrived(second).unwrap(), Arrived::Listens);
        let own = scaled.stack.nats_url();
        let leader = Leader::of(nats.unwrap_or(&own)).await;
        let database = scaled.stack.database_url(Service::Render).unwrap();
        let render = open_checked(database, &render::MIGRATIONS).await.unwrap();
        Self { scaled, sink, leader, render, published: 0 }
    }

    /// As if another replica of render had begun so many renders, of a job that nobody knows.
    async fn append(&mut self, count: usize) {
        let take = Take { job_id: 999_999, scene_id: "1".to_owned(), take: 1, ..Take::default() };
        for number in self.published..self.published + count {
            let key = format!("job-999999/scene-1/take-{number}");
            let prediction_id = format!("none-{number}");
            let event =
                Event::RenderStarted { key: key.clone(), take: take.clone(), prediction_id, attempt: 1 };
            let event = event.to_stored(Timestamp::UNIX_EPOCH).unwrap();
            self.render.append(Append::to(key).event(event)).await.unwrap();
        }
        self.published += count;
    }

    /// Waits until all that was appended has been handed to a replica.
    async fn all_is_delivered(&self) {
        let published = u64::try_from(self.published).unwrap();
        self.leader.until("all is delivered", |said| said.delivered >= published).await;
    }

    /// Once nothing is published any more: waits until the lag is as wanted and stays so for a while, during which each of
    /// these replicas must tell it, and nothing else.
    async fn is_told(&self, replicas: &[&str], what: &str, wanted: impl Fn(u64) -> bool) {
        // Until now it may have gone up and down between two answers.
        let now = Instant::now();
        loop {
            let stable = |said: &Said| {
                let since = said.since.max(now);
                wanted(said.lag) && said.at.saturating_duration_since(since) >= WITHIN
            };
            let said = self.leader.until(what, stable).await;
            if self.agrees(replicas, &said, said.since.max(now) + WITHIN).await {
                note(&format!("{what}: {}", said.lag));
                return;
            }
        }
    }

    /// Whether the lag was the same all the time; what replicas told before `from` does not count.
    async fn agrees(&self, replicas: &[&str], said: &Said, from: Instant) -> bool {
        let mut words: BTreeMap<String, BTreeSet<Instant>> = BTreeMap::new();
        while !replicas.iter().all(|replica| words.get(*replica).is_some_and(|words| words.len() >= WORDS)) {
            let news = |seen: &Seen| {
                let new = told(seen, replicas).into_iter().filter(|(replica, at, _)| {
                    *at >= from && words.get(replica).is_none_or(|words| !words.contains(at))
                });
                Some(new.collect::<Vec<_>>()).filter(|new| !new.is_empty())
            };
            let news = self.sink.until(PATIENCE, news).await.expect("nobody tells the lag any more");
            for (replica, at, lag) in news {
                #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
                if (lag - said.lag as f64).abs() > f64::EPSILON {
                    assert!(!self.leader.stays(said).await, "{replica} tells {lag}, the leader {said:?}");
                    return false;
                }
                words.entry(replica).or_default().insert(at);
            }
        }
        self.leader.stays(said).await
    }

    /// The relay's lag, as the replica of render tells it, becomes this.
    async fn relay_lag_becomes(&self, wanted: usize) {
        let wanted = f64::from(u32::try_from(wanted).unwrap());
        let relay = |seen: &Seen| {
            let mut told = seen.metric("filmstrip.relay.lag").filter(|point| {
                point.service == "filmstrip-render" && (point.value - wanted).abs() < f64::EPSILON
            });
            told.next().map(drop)
        };
        let became = self.sink.until(PATIENCE, relay).await;
        assert!(became.is_some(), "the relay's lag never becomes {wanted}");
    }

    /// Messages come and are handled; then a replica stands still while it holds some, and goes on.
    async fn goes_up_and_down(&mut self) {
        self.append(LOAD).await;
        self.all_is_delivered().await;
        self.is_told(&BOTH, "everything is handled", |lag| lag == 0).await;
        self.goes_up().await;
        self.is_told(&BOTH, "everything is handled again", |lag| lag == 0).await;
    }

    /// A replica stands still while it holds some.
    async fn goes_up(&mut self) {
        self.scaled.stack.pause(Service::Job, 1).unwrap();
        self.append(LOAD).await;
        self.all_is_delivered().await;
        self.is_told(&ONE, "the one that stands still holds some", |lag| lag > 0).await;
        self.scaled.stack.resume(Service::Job, 1).unwrap();
    }
}

/// What these replicas have told last: who, when, how much.
fn told(seen: &Seen, replicas: &[&str]) -> Vec<(String, Instant, f64)> {
    let of_render = seen.metric("filmstrip.subscription.lag").filter(|point| {
        let attribute = |key: &str| point.attributes.get(key).map(String::as_str);
        point.service == "filmstrip-job"
            && replicas.contains(&point.instance.as_str())
            && attribute("messaging.destination.name") == Some(RENDER)
            && attribute("messaging.consumer.group.name") == Some(JOB_RENDER)
    });
    of_render.map(|point| (point.instance.clone(), point.at, point.value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_the_lag_that_replicas_tell_is_the_one_that_the_server_knows() {
    let mut world = World::start(None).await;
    world.is_told(&BOTH, "nothing was published", |lag| lag == 0).await;
    for _ in 0..sized(ROUNDS, 1) {
        world.goes_up_and_down().await;
        // What cannot be published waits in the log, and the relay tells how much that is.
        world.relay_lag_becomes(0).await;
        world.scaled.stack.nats().stop();
        world.append(LOAD / 4).await;
        world.relay_lag_becomes(LOAD / 4).await;
        world.scaled.stack.nats().run().await.unwrap();
        world.relay_lag_becomes(0).await;
        world.all_is_delivered().await;
    }
    world.is_told(&BOTH, "everything is handled in the end", |lag| lag == 0).await;
    world.scaled.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_the_lag_that_replicas_tell_is_the_leaders_also_after_it_has_stepped_down() {
    let cluster = NatsCluster::start(NODES).await.unwrap();
    let servers: Vec<String> = cluster.url().split(',').map(str::to_owned).collect();
    let jetstream = jetstream::new(async_nats::connect(servers).await.unwrap());
    // How many replicas a stream has is the operator's to say; the services leave what is there as it is.
    let replicated = stream::Config {
        name: topology::stream_name(RENDER),
        subjects: vec![topology::subjects(RENDER)],
        num_replicas: NODES,
        ..stream::Config::default()
    };
    jetstream.create_stream(replicated).await.unwrap();
    let mut world = World::start(Some(&cluster.url())).await;
    world.is_told(&BOTH, "nothing was published", |lag| lag == 0).await;
    for _ in 0..sized(ROUNDS, 1) {
        world.goes_up_and_down().await;
        world.append(LOAD / 2).await;
        world.leader.step_down().await;
        world.append(LOAD / 2).await;
        world.all_is_delivered().await;
        // What was acknowledged to nobody meanwhile comes again, in a minute: until then it counts.
        world.is_told(&BOTH, "another one leads", |_| true).await;
        world.goes_up().await;
    }
    world.scaled.stop().await;
}
