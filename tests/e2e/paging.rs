//! Lists that are read page by page while rows come and go: whatever was there from the beginning comes once.
//!
//! | variable | what it sets |
//! | --- | --- |
//! | `FILMSTRIP_PAGING_JOBS` | jobs that are there before the first page |
//! | `FILMSTRIP_PAGING_RATE` | jobs a second that somebody tries to add meanwhile |

use std::{collections::BTreeMap, time::Duration};

use filmstrip::client::Client;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::world::{PATIENCE, World, campaign, note, sized};

/// Requests under way at one moment.
const AT_ONCE: usize = 16;
/// Campaigns, each of a client of its own, that the jobs are of; all but the first are deleted meanwhile.
const CAMPAIGNS: usize = 4;

async fn create(client: Client, campaign: String) -> i64 {
    let wish = json!({"campaign_id": campaign, "num_pairs": 1, "planner": "template"});
    client.create_job("image-pairs", wish).await.unwrap()["job_id"].as_i64().unwrap()
}

/// Somebody who adds jobs, at planned moments as long as the answers keep up, until stopped.
struct Adding {
    running: JoinHandle<()>,
    added: watch::Receiver<usize>,
    stop: CancellationToken,
}

impl Adding {
    fn start(client: Client, campaign: String, rate: usize) -> Self {
        let (counting, added) = watch::channel(0);
        let stop = CancellationToken::new();
        let running = tokio::spawn(add(client, campaign, rate, counting, stop.clone()));
        Self { running, added, stop }
    }

    /// Waits until one more was added than when this was called.
    async fn one_more(&mut self) {
        let before = *self.added.borrow();
        let more = self.added.wait_for(|added| *added > before);
        drop(tokio::time::timeout(PATIENCE, more).await.expect("jobs are added").unwrap());
    }

    /// How many were added.
    async fn stop(self) -> usize {
        self.stop.cancel();
        self.running.await.unwrap();
        *self.added.borrow()
    }
}

async fn add(
    client: Client,
    campaign: String,
    rate: usize,
    counting: watch::Sender<usize>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1).div_f64(rate as f64));
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(added) = under_way.join_next() => {
                added.unwrap();
                counting.send_modify(|count| *count += 1);
            }
            _ = ticks.tick(), if under_way.len() < AT_ONCE => {
                under_way.spawn(create(client.clone(), campaign.clone()));
            }
        }
    }
    while let Some(added) = under_way.join_next().await {
        added.unwrap();
        counting.send_modify(|count| *count += 1);
    }
}

/// Reads a list to its end, and does something between two pages; how often each id came.
async fn read(
    client: &Client,
    list: &str,
    id: impl Fn(&Value) -> String,
    mut between: impl AsyncFnMut(&str),
) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let mut path = list.to_owned();
    loop {
        let page = client.get(&path).await.unwrap();
        for row in page["data"].as_array().unwrap() {
            *seen.entry(id(row)).or_default() += 1;
        }
        let Some(cursor) = page["meta"]["next_cursor"].as_str() else { return seen };
        between(cursor).await;
        path = format!("{list}&cursor={cursor}");
    }
}

async fn delete(client: &Client, path: &str) {
    assert_eq!(client.call(Method::DELETE, path, None).await.unwrap().status, 204, "{path}");
}

/// A cursor is refused where it does not belong.
async fn is_refused(client: &Client, list: &str, cursor: &str) {
    let refused = client.call(Method::GET, &format!("{list}cursor={cursor}"), None).await.unwrap();
    assert_eq!((refused.status.as_u16(), &refused.body["parameter"]), (400, &json!("cursor")), "{list}");
    assert_eq!(refused.body["type"], "/errors/bad_request", "{}", refused.body);
}

/// Campaigns with two photographs, and what can be deleted: their assets and their clients.
async fn campaigns(client: &Client) -> (Vec<String>, Vec<String>) {
    let (mut campaigns, mut victims) = (Vec::new(), Vec::new());
    for number in 0..CAMPAIGNS {
        campaigns.push(campaign(client, &format!("House {number}"), 2).await);
    }
    for campaign in &campaigns[1..] {
        let of_campaign = format!("/api/v3/campaigns/{campaign}");
        let owner = client.get(&of_campaign).await.unwrap()["data"]["clientId"].clone();
        let assets = client.get(&format!("{of_campaign}/assets")).await.unwrap();
        victims.push(format!("/api/v3/assets/{}", assets["data"][0]["id"].as_str().unwrap()));
        victims.push(format!("/api/v3/clients/{}", owner.as_str().unwrap()));
    }
    // From the end: an asset goes before its client takes the rest along.
    victims.reverse();
    (campaigns, victims)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_comes_once_while_jobs_are_added_and_clients_and_assets_are_deleted() {
    let (jobs, rate) = (sized("FILMSTRIP_PAGING_JOBS", 60), sized("FILMSTRIP_PAGING_RATE", 50));
    let world = World::instant().await;
    let client = world.client();
    let (campaigns, mut victims) = campaigns(&client).await;
    let started = Instant::now();
    let making = (0..jobs).map(|number| create(client.clone(), campaigns[number % CAMPAIGNS].clone()));
    let made: Vec<i64> = stream::iter(making).buffer_unordered(AT_ONCE).collect().await;
    note(&format!("{jobs} jobs were made in {:.1} s", started.elapsed().as_secs_f64()));

    let mut adding = Adding::start(client.clone(), campaigns[0].clone(), rate);
    let (started, mut pages, mut kept) = (Instant::now(), 1, String::new());
    let list = format!("/api/v3/jobs?limit={}", (jobs / 10).clamp(1, 100));
    let seen = read(
        &client,
        &list,
        |job| job["job_id"].to_string(),
        async |cursor| {
            adding.one_more().await;
            if let Some(victim) = victims.pop() {
                delete(&client, &victim).await;
            }
            (pages, kept) = (pages + 1, cursor.to_owned());
        },
    )
    .await;
    let took = started.elapsed().as_secs_f64();
    let added = adding.stop().await;
    note(&format!(
        "{pages} pages in {took:.1} s, while {added} jobs were added: {:.0} a second of {rate}",
        added as f64 / took
    ));
    let wrong: Vec<_> = made.iter().filter(|id| seen.get(&id.to_string()) != Some(&1)).collect();
    assert!(wrong.is_empty(), "did not come once: {wrong:?}");
    assert!(seen.values().all(|times| *times == 1), "came twice: {seen:?}");
    assert!(victims.is_empty() && pages >= 10 && added >= pages - 1, "{pages} pages, {added} added");
    let total = client.get("/api/v3/jobs?limit=1").await.unwrap()["meta"]["total"].clone();
    assert_eq!(total, jobs + added, "jobs stay when their clients go");

    for other in ["jobs?status=pending&", "jobs?type=property_photos&", "clients?", "jobs?offset=1&"] {
        is_refused(&client, &format!("/api/v3/{other}"), &kept).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_that_stays_comes_once_while_others_are_added_and_deleted() {
    let world = World::instant().await;
    let client = world.client();
    let make = async |name: String| {
        let made = client.call(Method::POST, "/api/v3/clients", Some(json!({ "name": name }))).await.unwrap();
        made.body["data"]["id"].as_str().unwrap_or_else(|| panic!("{}", made.body)).to_owned()
    };
    let mut made = Vec::new();
    for number in 0..30 {
        made.push(make(format!("Client {number}")).await);
    }
    // Every fifth goes, from both ends: some when their page was read, others before it is.
    let (mut going, mut pages) = (made.iter().step_by(5).cloned().collect::<Vec<_>>(), 1);
    let staying: Vec<_> = made.iter().filter(|id| !going.contains(id)).cloned().collect();
    let seen = read(
        &client,
        "/api/v3/clients?limit=7",
        |row| row["id"].as_str().unwrap().to_owned(),
        async |_| {
            pages += 1;
            if let Some(last) = going.pop() {
                delete(&client, &format!("/api/v3/clients/{last}")).await;
            }
            if !going.is_empty() {
                let first = going.remove(0);
                delete(&client, &format!("/api/v3/clients/{first}")).await;
            }
            if pages < 4 {
                make(format!("Late {pages}")).await;
            }
        },
    )
    .await;
    assert!(going.is_empty() && pages >= 4, "{pages} pages");
    let wrong: Vec<_> = staying.iter().filter(|id| seen.get(*id) != Some(&1)).collect();
    assert!(wrong.is_empty(), "did not come once: {wrong:?}");
    assert!(seen.values().all(|times| *times == 1), "came twice: {seen:?}");
}
