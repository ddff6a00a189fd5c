//! Secrets are planted everywhere that the processes are told any, then everything happens to them that makes people
//! look into logs: jobs that end well, keys that are wrong, providers, databases and stores that are away. Afterwards
//! nothing that they said or stored holds a secret, whole or in part.

mod canary;
mod places;

use filmstrip::client::{Client, is_over};
use reqwest::Method;
use serde_json::{Value, json};
use stack::{Arrived, Ending, Options, ProviderKeys, Server, Service};
use testservers::Otlp;

use super::{PATIENCE, Scaled};
use crate::world::{campaign, new_job, note, pause, photos, until_within};
use canary::{Canary, Search};
use places::{Heard, Place};

const SCENES: u32 = 2;

/// A secret of 40 hexadecimal digits behind a beginning of its own.
fn drawn(beginning: &str) -> String {
    format!("{beginning}{}", hex::encode(rand::random::<[u8; 20]>()))
}

/// Everything that a run takes along.
struct Run {
    scaled: Scaled,
    collector: Otlp,
    keys: ProviderKeys,
    canaries: Vec<Canary>,
    heard: Heard,
    client: Client,
}

impl Run {
    async fn start() -> Self {
        let collector = Otlp::start().await.unwrap();
        let keys = ProviderKeys { replicate: drawn("r8_"), xai: drawn("xai-"), elevenlabs: drawn("sk_") };
        let api_key = drawn("api-");
        let mut variables = vec![(Service::Gateway, "TESTING_ROUTES".to_owned(), "true".to_owned())];
        for service in Service::ALL {
            variables.push((service, "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.endpoint()));
        }
        let options = Options {
            replicas: 1,
            spares: 1,
            public: true,
            guarded: true,
            provider_keys: Some(keys.clone()),
            api_key: Some(api_key.clone()),
            // Whatever our own code and the libraries under it are ready to say.
            log_filter: "debug".to_owned(),
            variables,
            ..Scaled::options()
        };
        let scaled = Scaled::start(options).await;
        let canaries =
            scaled.stack.secrets().iter().map(|(what, secret)| Canary::new(what, secret)).collect();
        let client = scaled.client(0).with_key(&api_key);
        let mut run = Self { scaled, collector, keys, canaries, heard: Heard::default(), client };
        run.provider_accepts(&[&run.keys.replicate, &run.keys.xai, &run.keys.elevenlabs]).await;
        run.plant_webhook_secret().await;
        run
    }

    async fn provider_accepts(&self, keys: &[&str]) {
        self.scaled.stage().accept_keys(Some(keys)).await.unwrap();
    }

    /// What only the provider tells, and only to us.
    async fn plant_webhook_secret(&mut self) {
        let url = format!("{}/v1/webhooks/default/secret", self.scaled.stack.soundstage_url());
        let told = reqwest::Client::new().get(url).bearer_auth(&self.keys.replicate).send().await.unwrap();
        let told: Value = told.json().await.unwrap();
        let secret = told["key"].as_str().unwrap().trim_start_matches("whsec_").to_owned();
        self.canaries.push(Canary::new("the webhook secret", &secret));
    }

    /// A secret that is wrong, and as good as a right one: it may be somebody else's.
    fn wrong(&mut self, what: &str) -> String {
        let secret = drawn("wrong-");
        // They all begin alike.
        self.canaries.push(Canary::known_by_its_beginning(what, &secret));
        secret
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> u16 {
        let mut request = self.client.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.heard.ask(&format!("{method} {path}"), request).await
    }

    /// Waits until a request is answered so.
    async fn until(&mut self, path: &str, status: u16) {
        let waiting = async {
            while self.ask(Method::GET, path, None).await != status {
                pause().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{path} should be {status}"));
    }

    /// A job that was asked for and approved, and is over; everything that is told of it.
    async fn job(&mut self, campaign: &str) -> Value {
        let job = new_job(&self.client, campaign, SCENES).await;
        self.client.approve(job).await.unwrap();
        let done = until_within(PATIENCE, &self.client, job, is_over).await;
        for path in ["", "/scenes", "/events"] {
            self.ask(Method::GET, &format!("/api/v3/jobs/{job}{path}"), None).await;
        }
        done
    }

    async fn speak(&mut self, script: &str) -> u16 {
        let body = json!({ "script": script });
        self.ask(Method::POST, "/api/v3/testing/voiceover/generate", Some(body)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_no_secret_is_in_anything_that_the_processes_say_or_store() {
    let mut run = Run::start().await;
    let campaign = campaign(&run.client, "Quay House", 4).await;
    what_goes_well(&mut run, &campaign).await;
    keys_that_are_wrong(&mut run, &campaign).await;
    what_is_away(&mut run, &campaign).await;
    what_does_not_start(&mut run).await;
    commands(&mut run).await;

    let Run { mut scaled, collector, canaries, heard, .. } = run;
    // What they say last is said when they end.
    for (service, index) in scaled.stack.replicas().map(|(s, index, _)| (s, index)).collect::<Vec<_>>() {
        if scaled.stack.id(service, index).is_some() {
            scaled.stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        }
    }
    let places = places::all(&scaled.stack, heard, &collector).await;
    there_is_something_to_look_at(&places);
    let search = Search::of(&canaries);
    let mut found = Vec::new();
    for Place { name, text, may_hold_links } in &places {
        found.extend(search.found_in(text).into_iter().map(|secret| format!("{secret} in {name}")));
        if let Some(at) = text.windows(10).position(|part| part == b"signature=").filter(|_| !may_hold_links)
        {
            let before = String::from_utf8_lossy(&text[at.saturating_sub(400)..at]);
            found.push(format!("a signed link in {name}: …{before}signature="));
        }
    }
    assert!(found.is_empty(), "{} secrets are told:\n{}", found.len(), found.join("\n"));
    scaled.stop().await;
}

/// The search would find nothing in nothing.
fn there_is_something_to_look_at(places: &[Place]) {
    let size = |part: &str| -> usize {
        places.iter().filter(|place| place.name.contains(part)).map(|place| place.text.len()).sum()
    };
    for part in [
        "render-0.log",
        "gateway-0.log",
        "asset-0.out",
        "render-1.log",
        "the table render.event",
        "the table asset.command",
        "the stream FILMSTRIP_JOB",
        "config --dump",
        "(401)",
        "(503)",
    ] {
        assert!(size(part) > 20, "nothing in {part:?}");
    }
    let all: usize = places.iter().map(|place| place.text.len()).sum();
    note(&format!("{} places, {} MB", places.len(), all >> 20));
    assert!(size("-0.log") > 100_000, "much is logged");
    assert!(size("telemetry") > 10_000, "much is sent");
}

/// Jobs, voices, keys and links as they should be.
async fn what_goes_well(run: &mut Run, campaign: &str) {
    let done = run.job(campaign).await;
    assert_eq!(done["outcome"], "full", "{done}");
    let link = done["links"]["video"].as_str().unwrap().to_owned();
    let open = Client::new(run.client.base()).unwrap();
    assert_eq!(run.heard.ask("a link", open.request(Method::HEAD, &link)).await, 200);
    assert_eq!(run.speak("A bright house by the water.").await, 200);

    let make = |client: &Client| {
        let request = client.request(Method::POST, "/api/v3/keys").header("idempotency-key", "site");
        request.json(&json!({"name": "site", "scopes": ["read"]}))
    };
    // The one answer that holds a key; a repetition gets it without.
    let made: Value = make(&run.client).send().await.unwrap().json().await.unwrap();
    let (id, key) = (made["data"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap().to_owned());
    let again = make(&run.client);
    assert_eq!(run.heard.ask("a key made again", again).await, 201);
    // Its beginning is shown in the list of keys.
    run.canaries.push(Canary::known_by_its_beginning("a key that the server keeps", &key));
    let site = open.clone().with_key(&key);
    assert_eq!(run.heard.ask("jobs", site.request(Method::GET, "/api/v3/jobs")).await, 200);
    assert_eq!(run.heard.ask("no scope", site.request(Method::POST, "/api/v3/clients")).await, 403);
    run.ask(Method::GET, "/api/v3/keys", None).await;
    run.ask(Method::DELETE, &format!("/api/v3/keys/{id}"), None).await;
    assert_eq!(run.heard.ask("revoked", site.request(Method::GET, "/api/v3/jobs")).await, 401);
}

/// Somebody else's key for us, and ours for a provider that does not accept it and says which it was.
async fn keys_that_are_wrong(run: &mut Run, campaign: &str) {
    let stranger = run.wrong("a wrong key of the API");
    let open = Client::new(run.client.base()).unwrap();
    for key in [stranger.clone(), format!("fsk_{stranger}")] {
        let request = open.clone().with_key(&key).request(Method::GET, "/api/v3/jobs");
        assert_eq!(run.heard.ask("a wrong key", request).await, 401);
        // In the wrong place: the address of a page, which others see.
        let request = open.request(Method::GET, &format!("/api/v3/jobs?x-api-key={key}&signature={key}"));
        assert_eq!(run.heard.ask("a key in the query", request).await, 401);
    }
    let xai = run.keys.xai.clone();
    run.provider_accepts(&[&xai]).await;
    let failed = run.job(campaign).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed.to_string().contains("authentication token"), "the provider's words are told: {failed}");
    assert_ne!(run.speak("Another house.").await, 200);
    run.provider_accepts(&[]).await;
    let body = json!({"campaign_id": campaign, "num_pairs": SCENES, "clip_duration": 4});
    let refused = run.ask(Method::POST, "/api/v3/jobs/from-image-pairs", Some(body)).await;
    assert!(refused >= 400, "{refused}");
    let keys = run.keys.clone();
    run.provider_accepts(&[&keys.replicate, &keys.xai, &keys.elevenlabs]).await;
}

/// The provider, the database, the events and the bytes, one after the other.
async fn what_is_away(run: &mut Run, campaign: &str) {
    let broken = json!({"fault": "status", "code": 500});
    let kinds = ["video", "music", "get", "list", "files"];
    let rules: Vec<Value> =
        kinds.iter().map(|kind| json!({"when": {"kind": kind}, "then": broken})).collect();
    run.scaled.faults(json!(rules)).await;
    let job = new_job(&run.client, campaign, SCENES).await;
    run.client.approve(job).await.unwrap();
    run.scaled
        .until_ledger("it is asked for", |ledger| ledger.requests.get("list").is_some_and(|count| *count > 0))
        .await;
    run.ask(Method::POST, &format!("/api/v3/jobs/{job}/cancel"), None).await;
    run.ask(Method::GET, &format!("/api/v3/jobs/{job}"), None).await;
    run.scaled.stage().reset().await.unwrap();

    run.scaled.stack.stop_server(Server::Nats, Ending::Crash);
    run.ask(Method::POST, "/api/v3/clients", Some(json!({"name": "Without NATS"}))).await;
    run.scaled.stack.run_server(Server::Nats).await.unwrap();

    run.scaled.stack.stop_server(Server::S3, Ending::Crash);
    let photo = photos()[0].clone();
    let stored = run.client.upload(campaign, &photo, "kitchen").await;
    run.heard.keep("an upload without a store", format!("{:#}", stored.unwrap_err()));
    run.scaled.stack.run_server(Server::S3).await.unwrap();

    run.scaled.stack.stop_server(Server::Postgres, Ending::Crash);
    run.until("/api/v3/clients", 503).await;
    for service in Service::ALL {
        run.heard.run(&run.scaled.stack, service, &["healthcheck"]).await;
        run.heard.run(&run.scaled.stack, service, &["migrate"]).await;
    }
    run.scaled.stack.run_server(Server::Postgres).await.unwrap();
    run.until("/api/v3/clients", 200).await;
    run.until("/readyz", 200).await;
}

/// Another replica of render, each time with one secret that is wrong or cannot be used.
async fn what_does_not_start(run: &mut Run) {
    let stack = &run.scaled.stack;
    let database = stack.database_url(Service::Render).unwrap().to_owned();
    let (at, nats) = (database.find('@').unwrap(), stack.nats_url());
    let (database, nats) = (database[at..].to_owned(), nats[nats.find('@').unwrap()..].to_owned());
    let secrets = [
        ("DATABASE_URL", "a wrong password of PostgreSQL"),
        ("NATS_URL", "a wrong password of NATS"),
        ("S3_SECRET_ACCESS_KEY", "a wrong key of S3"),
        ("DATABASE_URL", "a database URL that is none"),
        ("NATS_URL", "an address of NATS that is none"),
        ("S3_ACCESS_KEY_ID", "half a key of S3"),
    ];
    for (number, (name, what)) in secrets.into_iter().enumerate() {
        let secret = run.wrong(what);
        let value = match (number, name) {
            (3, _) => format!("mysql://render:{secret}@db/film?schema=a;{secret}"),
            (4, _) => format!("nats://filmstrip:{secret}@nats:port"),
            (_, "DATABASE_URL") => format!("postgres://render_service:{secret}{database}"),
            (_, "NATS_URL") => format!("nats://filmstrip:{secret}{nats}"),
            _ => secret.clone(),
        };
        let mut told = vec![(name.to_owned(), value), ("START_PATIENCE".to_owned(), "1s".to_owned())];
        if what.starts_with("half") {
            told.push(("S3_SECRET_ACCESS_KEY".to_owned(), String::new()));
        }
        let starting = run.scaled.stack.starting(Service::Render, 1, told).unwrap();
        let arrival = tokio::time::timeout(PATIENCE, starting).await.expect("it gives up");
        let arrived = run.scaled.stack.arrived(arrival).unwrap();
        let Arrived::Ended(status) = arrived else { panic!("{what}: it must not start") };
        assert!(!status.success(), "{what}: {status}");
    }
}

/// What people type when something is wrong.
async fn commands(run: &mut Run) {
    for service in Service::ALL {
        for arguments in [&["config", "--dump"][..], &["healthcheck"], &["--version"]] {
            run.heard.run(&run.scaled.stack, service, arguments).await;
        }
    }
    for service in Service::WITH_DATABASE {
        for arguments in [&["migrate"][..], &["events", "reconcile"], &["events", "dead-letters"]] {
            run.heard.run(&run.scaled.stack, service, arguments).await;
        }
    }
}
