//! Each secret is replaced by a new one while callers call and jobs run: both are valid meanwhile, no request fails,
//! and no webhook is lost.

mod callers;

use std::{net::SocketAddr, time::Duration};

use filmstrip::client::{Client, is_over};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stack::{Arrived, Options, Service};
use testservers::{Balancer, Probe};

use super::{PATIENCE, Scaled};
use crate::world::{approved_job, campaign, note, pause, until_within};
use callers::Callers;

const SCENES: usize = 2;
/// How often the balancer asks a gateway whether it is ready.
const LATE: Duration = Duration::from_millis(200);
/// Keys of the configuration.
const FIRST: &str = "the-first-configured-key";
const SECOND: &str = "the-second-configured-key";
/// The secret of links that comes after the stack's own.
const NEW_SECRET: &str = "another-secret-of-links-of-more-than-32-characters";

/// A stack behind a balancer, which is its public address, too.
struct Rotating {
    scaled: Scaled,
    front: Balancer,
}

impl Rotating {
    async fn start() -> Self {
        // As in a deployment, a process that stops takes work until its callers have noticed.
        let gateway = [("STOP_DELAY", "2s"), ("DRAIN", "40s"), ("STOP_GRACE", "50s")];
        let gateway = gateway.map(|(name, value)| (Service::Gateway, name.to_owned(), value.to_owned()));
        let stop_delay = Duration::from_millis(300);
        let options = Options {
            stop_delay,
            variables: gateway.into(),
            api_key: Some(FIRST.to_owned()),
            ..Scaled::options()
        };
        let scaled = Scaled::start(options).await;
        let gateways: Vec<SocketAddr> = scaled
            .stack
            .replicas()
            .filter(|(service, ..)| *service == Service::Gateway)
            .map(|(_, _, address)| address)
            .collect();
        let front = Balancer::start(&gateways, Probe { path: "/readyz", every: LATE }).await.unwrap();
        let all_ready = async {
            while front.ready() < gateways.len() {
                pause().await;
            }
        };
        tokio::time::timeout(PATIENCE, all_ready).await.expect("the gateways are ready");
        Self { scaled, front }
    }

    fn client(&self) -> Client {
        Client::new(&self.front.url()).unwrap()
    }

    fn secret_of_links(&self) -> String {
        let mut secrets = self.scaled.stack.secrets().iter();
        secrets.find(|(what, _)| what == "the secret of links").unwrap().1.clone()
    }

    /// Replaces every replica that knows these secrets, one after the other, by one that is told new ones.
    async fn roll(&mut self, links: &str, keys: &str) {
        for service in [Service::Render, Service::Audio, Service::Gateway] {
            for index in 0..2 {
                self.replace(service, index, links, keys).await;
            }
        }
    }

    async fn replace(&mut self, service: Service, index: usize, links: &str, keys: &str) {
        let mut told = vec![("LINK_SECRET".to_owned(), links.to_owned())];
        told.push(match service {
            Service::Gateway => ("API_AUTH_KEY".to_owned(), keys.to_owned()),
            _ => ("PUBLIC_BASE_URL".to_owned(), self.front.url()),
        });
        let stack = &mut self.scaled.stack;
        let status = stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(status.success(), "{service} {index}: {status}\n{}", stack.log(service, index));
        let arrival = stack.starting(service, index, told).unwrap().await;
        let arrived = stack.arrived(arrival).unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(arrived, Arrived::Listens, "{service} {index}\n{}", stack.log(service, index));
    }

    /// The status of a request with this key at each gateway, past the balancer.
    async fn statuses(&self, key: &str) -> Vec<StatusCode> {
        let mut statuses = Vec::new();
        for client in self.scaled.clients() {
            let request = client.with_key(key).request(Method::GET, "/api/v3/clients");
            statuses.push(request.send().await.unwrap().status());
        }
        statuses
    }

    /// Waits until each gateway answers this key so.
    async fn until_each_says(&self, key: &str, status: StatusCode) {
        let turning = async {
            while self.statuses(key).await.iter().any(|found| *found != status) {
                pause().await;
            }
        };
        let turned = tokio::time::timeout(PATIENCE, turning).await;
        assert!(turned.is_ok(), "{status} wanted: {:?}", self.statuses(key).await);
    }

    /// A job that is done and has everything.
    async fn done(&self, key: &str, job: i64) {
        let done = until_within(PATIENCE, &self.client().with_key(key), job, is_over).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
}

async fn job(rotating: &Rotating, key: &str, campaign: &str) -> i64 {
    approved_job(&rotating.client().with_key(key), campaign, u32::try_from(SCENES).unwrap()).await
}

async fn opens(client: &Client, link: &str) -> StatusCode {
    client.request(Method::HEAD, link).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_every_secret_is_replaced_under_load_and_no_request_fails_and_every_job_ends() {
    let mut rotating = Rotating::start().await;
    let campaign = campaign(&rotating.client().with_key(FIRST), "Quay House", 6).await;
    let old = rotating.secret_of_links();
    // Only now is it known where providers find us.
    rotating.roll(&old, FIRST).await;
    let first = job(&rotating, FIRST, &campaign).await;
    rotating.done(FIRST, first).await;
    let callers = Callers::start(&rotating.client(), FIRST, first);
    callers.are_answered(20).await;

    let mut jobs = vec![first];
    jobs.push(configured_secrets(&mut rotating, &callers, &campaign, &old).await);
    kept_keys(&rotating, &callers).await;
    jobs.extend(webhook_secret(&rotating, &campaign).await);
    let answered = callers.stop().await;
    note(&format!("{answered} requests, each answered well"));
    assert!(answered > 100, "{answered}");
    rotating.scaled.bought_once(jobs.len() * SCENES, jobs.len()).await;
    rotating.scaled.stop().await;
}

/// The key of the configuration and the secret of links, each in steps of a whole rollout: the new one is known beside
/// the old one, then counts first, then is the only one.
async fn configured_secrets(rotating: &mut Rotating, callers: &Callers, campaign: &str, old: &str) -> i64 {
    let signed_before = callers.newest_link().expect("links were handed out");
    rotating.roll(&format!("{old},{NEW_SECRET}"), &format!("{FIRST},{SECOND}")).await;
    callers.turn_to(SECOND);
    callers.are_answered(20).await;
    let job = job(rotating, SECOND, campaign).await;
    rotating.roll(&format!("{NEW_SECRET},{old}"), SECOND).await;
    rotating.done(SECOND, job).await;
    callers.are_answered(20).await;
    // Nobody waits for an hour here: the links of before are thrown away, as if they had ended.
    callers.throw_links_away();
    rotating.roll(NEW_SECRET, SECOND).await;
    callers.are_answered(20).await;
    assert_eq!(rotating.statuses(FIRST).await, [StatusCode::UNAUTHORIZED; 2]);
    assert_eq!(
        opens(&rotating.client(), &signed_before).await,
        StatusCode::UNAUTHORIZED,
        "the old one is gone"
    );
    job
}

/// Keys that the server keeps: the next one is made, callers turn to it, the one before is revoked.
async fn kept_keys(rotating: &Rotating, callers: &Callers) {
    let admin = rotating.client().with_key(SECOND);
    let make = async |name: &str| {
        let body = json!({"name": name, "scopes": ["read", "write"]});
        let made = admin.call(Method::POST, "/api/v3/keys", Some(body)).await.unwrap();
        let made = made.expect(StatusCode::CREATED, "/api/v3/keys").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["data"]["id"]), text(&made["secret"]))
    };
    let mut last: Option<(String, String)> = None;
    for name in ["site", "site, from now on", "site, at last"] {
        let (id, key) = make(name).await;
        rotating.until_each_says(&key, StatusCode::OK).await;
        callers.turn_to(&key);
        callers.are_answered(20).await;
        if let Some((id, key)) = last.replace((id, key)) {
            let revoked = admin.call(Method::DELETE, &format!("/api/v3/keys/{id}"), None).await.unwrap();
            revoked.expect(StatusCode::OK, "/api/v3/keys").unwrap();
            rotating.until_each_says(&key, StatusCode::UNAUTHORIZED).await;
        }
    }
    callers.are_answered(20).await;
}

/// The provider signs with another secret from one moment to the next, again and again, and tells nobody. A replica that has
/// not seen a secret yet learns only the newest: news that was signed with the one before is not believed there, and polling
/// brings what it said.
async fn webhook_secret(rotating: &Rotating, campaign: &str) -> Vec<i64> {
    let stage = rotating.scaled.stage();
    let mut jobs = Vec::new();
    for _ in 0..3 {
        let sent = rotating.scaled.ledger().await.webhooks.len();
        jobs.push(job(rotating, SECOND, campaign).await);
        rotating.scaled.until_ledger("news are sent", |ledger| ledger.webhooks.len() > sent).await;
        stage.new_webhook_secret().await.unwrap();
        rotating.done(SECOND, jobs[jobs.len() - 1]).await;
    }
    let all = |ledger: &soundstage::report::Ledger| ledger.webhooks.iter().all(|news| news.delivered);
    rotating.scaled.until_ledger("every webhook is taken", all).await;
    let stack = &rotating.scaled.stack;
    let logs = |service: Service| (0..2).map(|index| stack.log(service, index)).collect::<String>();
    let learned = "signs its webhooks with a new secret";
    assert!(logs(Service::Render).contains(learned) && logs(Service::Audio).contains(learned));
    jobs
}
