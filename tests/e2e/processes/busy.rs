//! Each kind of process is killed or paused in its busiest moment; the provider holds that moment still.

use eventlog::{open_checked, params};
use filmstrip::client::Client;
use futures::future::join_all;
use reqwest::{Method, StatusCode, multipart};
use serde_json::json;
use soundstage::report::Ledger;
use stack::{Options, Service};

use super::{PATIENCE, Scaled, insisted_job};
use crate::world::{pause, photos, room, until_at_any};

/// Replicas keep their names, so that a test knows who leads.
fn options() -> Options {
    Options { named: true, ..Scaled::options() }
}

/// Kills one replica and then the other: whichever of them did the work was killed while it did.
async fn kill_each(scaled: &mut Scaled, service: Service) {
    for index in 0..2 {
        scaled.kill_and_start_again(service, index).await;
    }
}

fn unfinished(ledger: &Ledger, kind: &str) -> usize {
    ledger.of_kind(kind).filter(|prediction| prediction.completed_at.is_none()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_killed_while_uploading_rendering_composing_cutting_or_serving_nothing_is_lost_or_bought_twice()
{
    let mut scaled = Scaled::start(options()).await;
    let clients = scaled.clients();
    let campaign = clients[0].campaign("Northwind Stays", "Quay House", "").await.unwrap();

    // The asset service, while files arrive.
    let uploads = photos().into_iter().take(8).enumerate().map(|(number, photo)| {
        let (clients, campaign) = (clients.clone(), campaign.clone());
        tokio::spawn(async move { insist_on_upload(&clients, &campaign, &photo, &number.to_string()).await })
    });
    let uploads: Vec<_> = uploads.collect();
    kill_each(&mut scaled, Service::Asset).await;
    join_all(uploads).await.into_iter().for_each(|uploaded| uploaded.unwrap());
    let assets = clients[0].get(&format!("/api/v3/assets?campaign_id={campaign}")).await.unwrap();
    assert_eq!(assets["meta"]["total"], 8, "each file once: {assets}");

    // The render service, between its intent and the provider's answer.
    scaled
        .faults(json!([
            {"when": {"kind": "video", "times": 2}, "then": {"fault": "delayed_answer", "seconds": 30}},
            {"when": {"kind": "video"}, "then": {"fault": "hold"}},
            {"when": {"kind": "music"}, "then": {"fault": "hold"}},
        ]))
        .await;
    let job = insisted_job(&clients, &campaign, 3, "busy").await;
    let mut following = clients[0].events(job, None).await.unwrap().expect("the job is not over");
    scaled.until_ledger("a render is asked for", |ledger| ledger.of_kind("video").count() > 0).await;
    kill_each(&mut scaled, Service::Render).await;

    // The job service, while it waits for every clip; the audio service, while music is composed.
    scaled.until_ledger("all renders are held", |ledger| unfinished(ledger, "video") == 3).await;
    kill_each(&mut scaled, Service::Job).await;
    scaled.until_ledger("music is held", |ledger| unfinished(ledger, "music") == 1).await;
    kill_each(&mut scaled, Service::Audio).await;

    // The gateway, while somebody follows: who comes back to the other one with the last id misses nothing.
    let snapshot = following.next().await.unwrap().expect("a snapshot");
    assert_eq!(snapshot.name, "snapshot");
    scaled.stack.kill(Service::Gateway, 0).await.unwrap();
    while let Ok(Some(_)) = following.next().await {}
    let mut resumed = clients[1].events(job, Some(&snapshot.id)).await.unwrap().expect("it goes on");
    let next = resumed.next().await.unwrap().expect("what was missed");
    assert!(
        next.name == "progress" && next.id.parse::<i64>().unwrap() > snapshot.id.parse().unwrap(),
        "{next:?}"
    );
    scaled.stack.start_again(Service::Gateway, 0).await.unwrap();

    // The stitch service, as soon as there is something to cut.
    scaled.stage().reset().await.unwrap();
    scaled.stage().release().await.unwrap();
    until_at_any(PATIENCE, &clients, job, |job| job["progress_percentage"].as_f64() >= Some(80.0)).await;
    kill_each(&mut scaled, Service::Stitch).await;

    let done = scaled.finished(job).await;
    assert_eq!(done["outcome"], "full", "{done}");
    scaled.bought_once(3, 1).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_render_leader_that_sleeps_longer_than_its_lease_and_wakes_up_buys_nothing_twice() {
    let mut scaled = Scaled::start(options()).await;
    let clients = scaled.clients();
    let campaign = crate::world::campaign(&clients[0], "Quay House", 8).await;
    scaled.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "hold"}}])).await;
    // More than may be at the provider at once: there is always a next one to buy.
    let jobs =
        [insisted_job(&clients, &campaign, 6, "1").await, insisted_job(&clients, &campaign, 6, "2").await];
    scaled.until_ledger("ten renders are held", |ledger| unfinished(ledger, "video") == 10).await;

    let leader = leader(&scaled, None).await;
    scaled.stack.pause(Service::Render, leader).unwrap();
    assert_eq!(self::leader(&scaled, Some(leader)).await, 1 - leader, "the other replica takes over");
    // Both think that they lead while the provider delivers.
    scaled.stage().reset().await.unwrap();
    scaled.stage().release().await.unwrap();
    scaled.stack.resume(Service::Render, leader).unwrap();
    for job in jobs {
        let done = scaled.finished(job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    scaled.bought_once(12, 2).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}

/// The number of the replica that buys clips, as soon as it is another than `not`.
async fn leader(scaled: &Scaled, not: Option<usize>) -> usize {
    let url = scaled.stack.database_url(Service::Render).unwrap();
    let log = open_checked(url, &render::MIGRATIONS).await.unwrap();
    let sql = "SELECT owner FROM lease WHERE name = 'prediction-runner' AND expires_at > 0";
    let leading = async {
        loop {
            let rows = log.query(sql, params![]).await.unwrap();
            let owners = rows.iter().map(|row| row.get::<String>("owner").unwrap());
            let mut numbers = owners.filter_map(|owner| owner.strip_prefix("render-")?.parse().ok());
            if let Some(number) = numbers.find(|number| Some(*number) != not) {
                return number;
            }
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, leading).await.expect("somebody leads")
}

/// Uploads one file again and again until it is there.
async fn insist_on_upload(clients: &[Client], campaign: &str, file: &std::path::Path, key: &str) {
    let uploading = async {
        for client in clients.iter().cycle() {
            let part = multipart::Part::file(file).await.unwrap();
            let form =
                multipart::Form::new().text("campaign_id", campaign.to_owned()).text("tags", room(file));
            let form = form.part("file", part);
            let request = client.request(Method::POST, "/api/v3/assets").header("idempotency-key", key);
            match request.multipart(form).send().await {
                Ok(answer) if answer.status() == StatusCode::CREATED => return,
                Ok(answer) if answer.status().is_client_error() => panic!("{}", answer.text().await.unwrap()),
                _ => pause().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, uploading).await.expect("it is uploaded");
}
