//! SIGKILL of any one process in the middle of several jobs, and while a job is made.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use eventlog::{open_checked, params};
use filmstrip::client::is_over;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use soundstage::report::Ledger;
use stack::{Arrived, Service};

use super::{PATIENCE, Scaled, insist, insisted_job};
use crate::world::{Moments, campaign, pause, until_at_any};

const SCENES: usize = 2;
const CREATE: &str = "/api/v3/jobs/from-image-pairs";
/// Its number is the same on every Unix.
const SIGKILL: i32 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn heavy_each_of_twelve_processes_is_killed_in_the_middle_and_nothing_is_lost_or_bought_twice() {
    let seed = 0x5eed_c0de_0001;
    let mut moments = Moments(seed);
    let mut scaled = Scaled::start(Scaled::options()).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 8).await;
    let mut victims: Vec<(Service, usize)> =
        scaled.stack.replicas().map(|(service, index, _)| (service, index)).collect();
    moments.shuffle(&mut victims);

    let clients = scaled.clients();
    let mut watched = Vec::new();
    for (number, (service, index)) in victims.iter().copied().enumerate() {
        let job = insisted_job(&clients, &campaign, SCENES, &number.to_string()).await;
        // Somebody follows each job from its beginning, over whichever gateway is there.
        let clients = clients.clone();
        let followed = tokio::spawn(async move { until_at_any(PATIENCE, &clients, job, is_over).await });
        watched.push((service, index, followed));
        tokio::time::sleep(moments.next(Duration::from_secs(3))).await;
        scaled.stack.kill(service, index).await.unwrap();
        tokio::time::sleep(moments.next(Duration::from_millis(500))).await;
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
    let jobs = watched.len();
    for (service, index, followed) in watched {
        let done = followed.await.unwrap();
        assert_eq!(done["outcome"], "full", "seed {seed:#x}, {service} {index} killed: {done}");
    }
    scaled.bought_once(jobs * SCENES, jobs).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}

fn wish(campaign: &str) -> Value {
    json!({"campaign_id": campaign, "num_pairs": SCENES, "clip_duration": 4})
}

/// Waits until a replica has ended by itself.
async fn ended(scaled: &mut Scaled, service: Service, index: usize) -> ExitStatus {
    let ending = async {
        loop {
            let mut ended = scaled.stack.ended().into_iter();
            if let Some((.., status)) = ended.find(|(kind, number, _)| (*kind, *number) == (service, index)) {
                return status;
            }
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, ending).await.unwrap_or_else(|_| panic!("{service} {index} lives on"))
}

/// How many jobs the log of the job service has.
async fn jobs_in_the_log(scaled: &Scaled) -> i64 {
    let log = open_checked(scaled.stack.database_url(Service::Job).unwrap(), &job::MIGRATIONS).await.unwrap();
    let sql = "SELECT count(*) AS n FROM event WHERE kind = 'JobCreated'";
    log.query(sql, params![]).await.unwrap()[0].get("n").unwrap()
}

/// The only job service ends when a new job is durable and nobody has heard of it; what the repeated create gets.
async fn killed_between_commit_and_answer(scaled: &mut Scaled, campaign: &str) -> Value {
    for index in 0..2 {
        scaled.stack.kill(Service::Job, index).await.unwrap();
    }
    let crossings = scaled.scratch.path().join("crossings").display().to_string();
    let armed =
        [("FILMSTRIP_CROSSINGS", crossings.as_str()), ("FILMSTRIP_KILL_AT", "append.after/JobCreated")];
    let armed = armed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let arrival = scaled.stack.starting(Service::Job, 0, armed).unwrap().await;
    assert!(matches!(scaled.stack.arrived(arrival), Ok(Arrived::Listens)));
    let (clients, body) = (scaled.clients(), wish(campaign));
    let asking = tokio::spawn(async move { insist(&clients, CREATE, "committed", Some(body)).await });
    assert_eq!(ended(scaled, Service::Job, 0).await.signal(), Some(SIGKILL));
    assert!(std::fs::read_to_string(&crossings).unwrap().contains("killed append.after/JobCreated"));
    assert_eq!(jobs_in_the_log(scaled).await, 1, "it is durable");
    assert!(!asking.is_finished(), "nobody was told");
    for index in 0..2 {
        scaled.stack.start_again(Service::Job, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
    asking.await.unwrap().expect(StatusCode::CREATED, CREATE).unwrap()
}

/// The gateway ends while a create waits for its storyboard; what the other gateway answers to the same create.
async fn killed_while_a_create_waits(scaled: &mut Scaled, campaign: &str) -> Value {
    let asked = |ledger: &Ledger| ledger.requests.get("chat").copied().unwrap_or_default();
    let before = asked(&scaled.ledger().await);
    let late = json!({"fault": "delayed_answer", "seconds": 3});
    scaled.faults(json!([{"when": {"kind": "chat", "times": 1}, "then": late}])).await;
    let (client, body) = (scaled.client(0), wish(campaign));
    let request = client.request(Method::POST, CREATE).header("idempotency-key", "waiting").json(&body);
    let waiting = tokio::spawn(request.send());
    scaled.until_ledger("a storyboard is asked for", |ledger| asked(ledger) > before).await;
    scaled.stack.kill(Service::Gateway, 0).await.unwrap();
    assert!(waiting.await.unwrap().is_err(), "there was no answer");
    let made = insist(&[scaled.client(1)], CREATE, "waiting", Some(body)).await;
    scaled.stack.start_again(Service::Gateway, 0).await.unwrap_or_else(|error| panic!("{error:#}"));
    made.expect(StatusCode::CREATED, CREATE).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_create_whose_job_service_or_gateway_dies_before_the_answer_makes_one_job() {
    let mut scaled = Scaled::start(Scaled::options()).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 4).await;
    let committed = killed_between_commit_and_answer(&mut scaled, &campaign).await;
    let waiting = killed_while_a_create_waits(&mut scaled, &campaign).await;
    assert_ne!(committed["job_id"], waiting["job_id"], "two keys, two jobs");
    for client in scaled.clients() {
        for (key, made) in [("committed", &committed), ("waiting", &waiting)] {
            let again = insist(std::slice::from_ref(&client), CREATE, key, Some(wish(&campaign))).await;
            assert_eq!((again.status, &again.body), (StatusCode::CREATED, made), "{key}");
        }
        assert_eq!(client.get("/api/v3/jobs").await.unwrap()["meta"]["total"], 2);
    }
    assert_eq!(jobs_in_the_log(&scaled).await, 2);
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
