//! A provider that throttles, over HTTP: by its header and by its text. Nobody calls earlier than told, also when
//! the process that was told is dead.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kit::Clock;
use parking_lot::Mutex;
use predictions::{Account, Engine, Outcome, replicate::Client};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use crate::scripted::{DEADLINE, Running, World, meta, order};

/// Waits that the provider asks for, seconds.
const WAIT: u64 = 2;
const ORDERS: usize = 4;

/// Answers create calls; knows when each came.
#[derive(Clone, Default)]
struct Creates(Arc<Mutex<Vec<(Timestamp, u16)>>>);

impl Respond for Creates {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut calls = self.0.lock();
        let n = calls.len();
        let (status, answer) = match n {
            0 => (429, ResponseTemplate::new(429).insert_header("retry-after", WAIT.to_string())),
            2 => {
                let detail = format!("Request was throttled. Your rate limit resets in ~{WAIT}s.");
                (429, ResponseTemplate::new(429).set_body_json(json!({ "detail": detail })))
            }
            n => {
                let body: Value = request.body_json().unwrap();
                let prediction = json!({"id": format!("p{n}"), "status": "starting", "input": body["input"]});
                (201, ResponseTemplate::new(201).set_body_json(prediction))
            }
        };
        calls.push((Clock::system().now(), status));
        answer
    }
}

async fn provider(creates: &Creates) -> MockServer {
    let server = MockServer::start().await;
    let output = format!("{}/clip.mp4", server.uri());
    let done = json!({"id": "p", "status": "succeeded", "input": {}, "output": output,
        "started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:00:01Z"});
    let answers = [
        (Mock::given(method("GET")).and(path_regex("^/v1/predictions/.+")), done),
        (Mock::given(method("GET")).and(path("/v1/predictions")), json!({"results": [], "next": null})),
        (Mock::given(method("POST")).and(path("/v1/files")), json!({"urls": {"get": "https://files/1"}})),
    ];
    for (mock, answer) in answers {
        mock.respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&server).await;
    }
    let clip = ResponseTemplate::new(200).set_body_bytes("a clip");
    Mock::given(method("GET")).and(path("/clip.mp4")).respond_with(clip).mount(&server).await;
    Mock::given(method("POST"))
        .and(path("/v1/predictions"))
        .respond_with(creates.clone())
        .mount(&server)
        .await;
    server
}

/// An order without media: its mark is a number.
fn plain(key: &str) -> predictions::Order {
    predictions::Order { media: Vec::new(), mark_seed: Some("seed".into()), ..order(key, key) }
}

async fn throttled_times(world: &World) -> usize {
    let events = world.log.read_all(0, 1000).await.unwrap();
    let throttled = |data: &eventlog::Data| data.value().unwrap()["why"] == "throttled";
    events.iter().filter(|event| event.kind == "AttemptLost" && throttled(&event.data)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_calls_no_earlier_than_the_provider_told_its_predecessor() {
    let creates = Creates::default();
    let server = provider(&creates).await;
    let mut world = World::on_postgres().await;
    // One call at a time, so that none is under way when another is told to wait.
    world.account = Account { max_in_flight: 1, starts_per_second: 1000 };
    world.config.base_url = server.uri().parse().unwrap();
    world.config.post_timeout = Duration::from_secs(20);
    world.policy.max_lost = 50;
    // A restart under the same name goes on at once, long before the provider's wait is over.
    let replica = async || {
        let mut parts = world.parts("replica", world.open().await);
        let client = Client::new(&world.config, world.blobs.clone(), Clock::system()).unwrap();
        parts.provider = Arc::new(client);
        Running::start(Engine::new(parts))
    };
    let mut running = replica().await;
    for n in 0..ORDERS {
        running.engine.place(plain(&format!("o{n}")), meta()).await.unwrap();
    }
    for n in 1..=2 {
        let told = async {
            while throttled_times(&world).await < n {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, told).await.expect("it is throttled");
        running.kill();
        running = replica().await;
    }
    for n in 0..ORDERS {
        let view = running.settled(&format!("o{n}")).await;
        assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    }
    running.stop().await;
    let calls = creates.0.lock().clone();
    for (n, (told, _)) in calls.iter().enumerate().filter(|(_, (_, status))| *status == 429) {
        let pause = calls[n + 1].0.duration_since(*told);
        assert!(pause >= SignedDuration::from_secs(WAIT as i64), "call {n} was followed after {pause:?}");
    }
    assert!(calls.len() >= ORDERS + 2, "one call for each, and one for each refusal: {calls:?}");
}
