//! A rollout, and a rollout taken back, as far as one build can show it: the tables of the next version come while
//! processes of this one run and have work, replicas from before and after work side by side, and what would break this
//! one is refused at its start.

use std::time::Duration;

use eventlog::Migrations;
use stack::{Arrived, Service};

use super::{PATIENCE, Scaled, insisted_job};
use crate::{schemas::SERVICES, world::campaign};

const SCENES: usize = 2;

/// What the next version's migration is called; behind everything that there is today.
const NEXT: &str = "9000_next";
const TAKES_AWAY: &str = "9001_gone";

/// What the next version adds to each service: a column to the table that it writes most, a table, an index.
fn adds(service: &str) -> &'static str {
    match service {
        "asset" => {
            "ALTER TABLE asset ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm', ADD COLUMN seen_at TEXT;
             CREATE TABLE mood (asset_id TEXT NOT NULL PRIMARY KEY, note TEXT);
             CREATE INDEX asset_by_mood ON asset (mood);"
        }
        "job" => {
            "ALTER TABLE job ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             ALTER TABLE scene ADD COLUMN seen_at TEXT;
             CREATE TABLE mood (job_id BIGINT NOT NULL PRIMARY KEY REFERENCES job (id), note TEXT);
             CREATE INDEX job_by_mood ON job (mood) WHERE unfinished;"
        }
        "render" => {
            "ALTER TABLE render ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             ALTER TABLE prediction_order ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             CREATE TABLE mood (key TEXT NOT NULL PRIMARY KEY, note TEXT);
             CREATE INDEX render_by_mood ON render (mood);"
        }
        "stitch" => {
            "ALTER TABLE product ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             CREATE TABLE mood (key TEXT NOT NULL PRIMARY KEY, note TEXT);
             CREATE INDEX product_by_mood ON product (mood);"
        }
        _ => {
            "ALTER TABLE soundtrack ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             ALTER TABLE prediction_order ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
             CREATE TABLE mood (key TEXT NOT NULL PRIMARY KEY, note TEXT);
             CREATE INDEX soundtrack_by_mood ON soundtrack (mood);"
        }
    }
}

/// The migrations of a later version: all of today's, and more.
fn later(today: &Migrations, more: &[(&'static str, &'static str)]) -> Migrations {
    let texts: Vec<_> = today.postgres.iter().chain(more).copied().collect();
    Migrations { service: today.service, sqlite: &[], postgres: Vec::leak(texts) }
}

fn kind(name: &str) -> Service {
    Service::WITH_DATABASE.into_iter().find(|service| service.name() == name).unwrap()
}

/// Migrates every service the way the next version would, by two Jobs at once; each applies it once.
async fn migrate(scaled: &Scaled) {
    for today in SERVICES {
        let next = later(today, &[(NEXT, adds(today.service))]);
        let url = scaled.stack.owner_url(kind(today.service)).unwrap();
        let (one, other) = tokio::join!(eventlog::migrate(url, &next), eventlog::migrate(url, &next));
        let applied = [one.unwrap(), other.unwrap()].concat();
        assert_eq!(applied, [format!("{}/{NEXT}", today.service)]);
    }
}

/// Every replica with this number is replaced, as by a rollout: those that ask before those that are asked.
async fn replace(scaled: &mut Scaled, index: usize) {
    for service in Service::ALL.into_iter().rev() {
        let status = scaled.stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(status.success(), "{service} {index}: {status}\n{}", scaled.stack.log(service, index));
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_on_the_tables_of_the_next_version_todays_processes_run_on_and_start_again() {
    let options = stack::Options { stop_delay: Duration::from_millis(500), ..Scaled::options() };
    let mut scaled = Scaled::start(options).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 6).await;
    let clients = scaled.clients();
    let mut jobs = vec![insisted_job(&clients, &campaign, SCENES, "under-way").await];
    scaled.until_ledger("a render is asked for", |ledger| ledger.of_kind("video").count() > 0).await;

    migrate(&scaled).await;
    jobs.push(insisted_job(&clients, &campaign, SCENES, "on-the-new-tables").await);
    // One from before the migration and one from after it, of each service.
    replace(&mut scaled, 0).await;
    jobs.push(insisted_job(&clients, &campaign, SCENES, "side-by-side").await);
    for job in &jobs {
        let done = scaled.finished(*job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    // All of them from after it: as when a rollout is taken back.
    replace(&mut scaled, 1).await;
    jobs.push(insisted_job(&clients, &campaign, SCENES, "taken-back").await);
    let done = scaled.finished(jobs[3]).await;
    assert_eq!(done["outcome"], "full", "{done}");
    scaled.bought_once(jobs.len() * SCENES, jobs.len()).await;
    scaled.published_equals_logged().await;
    assert!(scaled.stack.ended().is_empty());

    what_needs_what_is_gone_does_not_start(&mut scaled).await;
    scaled.stop().await;
}

/// A version after the next takes something away. A replica of today's that is started then says so and ends; so does
/// its `migrate`.
async fn what_needs_what_is_gone_does_not_start(scaled: &mut Scaled) {
    let today = SERVICES.into_iter().find(|migrations| migrations.service == "stitch").unwrap();
    let gone = "-- contract: since 999.0.0\nALTER TABLE product DROP COLUMN reason;";
    let contracted = later(today, &[(NEXT, adds("stitch")), (TAKES_AWAY, gone)]);
    let url = scaled.stack.owner_url(Service::Stitch).unwrap().to_owned();
    for index in 0..2 {
        scaled.stack.terminate(Service::Stitch, index).await.unwrap();
    }
    assert_eq!(eventlog::migrate(&url, &contracted).await.unwrap(), [format!("stitch/{TAKES_AWAY}")]);
    let starting = scaled.stack.starting(Service::Stitch, 0, Vec::new()).unwrap();
    let arrival = tokio::time::timeout(PATIENCE, starting).await.expect("it does not wait");
    let Ok(Arrived::Ended(status)) = scaled.stack.arrived(arrival) else { panic!("it must not start") };
    assert_eq!(status.code(), Some(1));
    let (own, told) = (env!("CARGO_PKG_VERSION"), scaled.stack.log(Service::Stitch, 0));
    let parts =
        [format!("stitch/{TAKES_AWAY}"), format!("this build ({own})"), "version 999.0.0 or newer".into()];
    let says = |line: &str| line.contains("cannot start") && parts.iter().all(|part| line.contains(part));
    assert!(told.lines().any(says), "no line with {parts:?} in:\n{told}");
    let refused = format!("{:#}", scaled.stack.run(Service::Stitch, &["migrate"]).await.unwrap_err());
    assert!(refused.contains("version 999.0.0 or newer"), "{refused}");
}
