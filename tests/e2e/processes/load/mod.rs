//! Every replica is replaced in turn under load: a deployment, seen by its users.
//!
//! 200 requests a second reach the gateways through a balancer that sees late whether they are ready; fewer where the
//! machine cannot answer as many even when nothing is replaced, because then queues would grow without end. The requests
//! come at planned moments, however slow the answers are; none is repeated; each must be answered as if nothing happened.

mod answers;
mod followers;
mod generator;
mod mix;

use std::{sync::Arc, time::Duration};

use filmstrip::client::Client;
use futures::future::join_all;
use stack::{Options, Service};
use testservers::{Balancer, Probe};

use super::{Scaled, insisted_job};
use crate::world::{approved_job, campaign, pause};
use answers::Answers;
use generator::Load;
use mix::Known;

/// Rounds in which every replica is replaced once; one unless this says more.
const ROUNDS: &str = "FILMSTRIP_RESTART_ROUNDS";
/// Requests a second, instead of as many of [`RATES`] as the machine can answer.
const RATE: &str = "FILMSTRIP_RESTART_RATE";
/// Requests a second that are tried, one after the other.
const RATES: [u32; 4] = [200, 100, 50, 25];
/// How long each is tried.
const TRIAL: Duration = Duration::from_secs(3);
/// The machine can answer a rate when nine of ten answers take no longer.
const QUICK: Duration = Duration::from_secs(1);
/// Requests of two trials have different numbers, as far apart.
const APART: u32 = 1_000_000;
/// How often the balancer asks a gateway whether it is ready.
const LATE: Duration = Duration::from_millis(500);
const SCENES: usize = 2;
/// Jobs that are under way when the first replica is replaced; each has a follower.
const JOBS: usize = 3;

fn options() -> Options {
    // As in a deployment, a process that stops takes work until its callers have noticed: services are asked by callers
    // that turn to another replica by themselves, gateways by a balancer that only notices when it asks again.
    let stop_delay = Duration::from_millis(300);
    // On a machine that has other things to do, too, what is under way takes long.
    let gateway = [("STOP_DELAY", "5s"), ("DRAIN", "40s"), ("STOP_GRACE", "50s")];
    let gateway = gateway.map(|(name, value)| (Service::Gateway, name.to_owned(), value.to_owned()));
    Options { stop_delay, variables: gateway.into(), log_filter: "warn".to_owned(), ..Scaled::options() }
}

fn rounds() -> usize {
    std::env::var(ROUNDS).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The requests a second that the machine can answer, and what was answered while that was found out.
async fn sustainable(client: &Client, known: &Arc<Known>) -> (u32, Answers) {
    let mut tried = Answers::default();
    if let Some(rate) = std::env::var(RATE).ok().and_then(|text| text.parse().ok()) {
        return (rate, tried);
    }
    for (first, rate) in (1..).map(|trial| trial * APART).zip(RATES) {
        let load = Load::start(client.clone(), Arc::clone(known), rate, first);
        tokio::time::sleep(TRIAL).await;
        let answers = load.stop().await;
        let can = answers.nine_of_ten_within(QUICK);
        tried.take_made(answers);
        if can {
            return (rate, tried);
        }
    }
    (RATES[RATES.len() - 1], tried)
}

/// A balancer before the gateways that thinks all of them ready.
async fn balancer(scaled: &Scaled) -> Balancer {
    let gateways: Vec<_> = scaled
        .stack
        .replicas()
        .filter(|(service, ..)| *service == Service::Gateway)
        .map(|(_, _, address)| address)
        .collect();
    let balancer = Balancer::start(&gateways, Probe { path: "/readyz", every: LATE }).await.unwrap();
    let all_ready = async {
        while balancer.ready() < gateways.len() {
            pause().await;
        }
    };
    tokio::time::timeout(super::PATIENCE, all_ready).await.expect("the gateways are ready");
    balancer
}

/// Replaces every replica, one after the other; each must end well in its time.
async fn replace_each(scaled: &mut Scaled) {
    let replicas: Vec<(Service, usize)> =
        scaled.stack.replicas().map(|(service, index, _)| (service, index)).collect();
    for (service, index) in replicas {
        let status = scaled.stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(status.success(), "{service} {index}: {status}\n{}", scaled.stack.log(service, index));
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_every_replica_is_replaced_under_load_and_no_request_fails() {
    let mut scaled = Scaled::start(options()).await;
    let balancer = balancer(&scaled).await;
    let client = Client::new(&balancer.url()).unwrap();
    let campaign = campaign(&client, "Quay House", 8).await;
    let first = approved_job(&client, &campaign, u32::try_from(SCENES).unwrap()).await;
    scaled.finished(first).await;
    let known = Arc::new(Known::look(&client, &campaign, first, SCENES).await);
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        jobs.push(insisted_job(&scaled.clients(), &campaign, SCENES, &number.to_string()).await);
    }
    let followers: Vec<_> =
        jobs.iter().map(|job| tokio::spawn(followers::follow(client.clone(), *job))).collect();

    let (rate, tried) = sustainable(&client, &known).await;
    let load = Load::start(client.clone(), Arc::clone(&known), rate, 0);
    for _ in 0..rounds() {
        replace_each(&mut scaled).await;
    }
    let mut asked = load.stop().await;
    asked.print(rate);
    asked.take_made(tried);
    assert!(asked.failures().is_empty(), "{:#?}", asked.failures());
    assert!(balancer.taken().iter().all(|taken| *taken > 0), "{:?}", balancer.taken());
    known.every_write_is_there(&client, &asked).await;

    let resumed: usize = join_all(followers).await.into_iter().map(|followed| followed.unwrap()).sum();
    assert!(
        resumed <= 2 * rounds() * JOBS,
        "a stream is taken up once for each gateway that goes: {resumed}"
    );
    jobs.extend(asked.jobs());
    let total = jobs.len() + 1;
    for job in jobs {
        let done = scaled.finished(job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    scaled.bought_once(total * SCENES, total).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
