//! What has to hold after everything: nothing lost, nothing bought twice, everything told as it happened.

use std::collections::{BTreeMap, HashMap};

use eventlog::{Migrations, StoredEvent, open_checked};
use soundstage::report::{Ledger, LedgerEntry};
use stack::{Service, Stack};

use super::{
    jobs::{Kind, Outcome},
    people::Lived,
    report::Bought,
};

/// Most renders that may be under way at the provider at one moment, and most tracks.
pub(super) const MOST: (u64, u64) = (10, 2);
/// Renders that have to be under way at some moment for the limit to be tried.
const CROWDED: u64 = 8;
/// Events read at a time.
const PAGE: usize = 1000;

/// What a service must have been asked for before it bought anything.
struct Intent {
    /// Of the order: a take of a scene, or a segment of a soundtrack.
    key: String,
}

/// The log of every service, by service.
pub(super) type Logs = BTreeMap<Service, Vec<StoredEvent>>;

/// Reads all logs whole.
pub(super) async fn logs(stack: &Stack) -> Logs {
    let mut logs = Logs::new();
    for service in Service::WITH_DATABASE {
        let url = stack.database_url(service).unwrap();
        let log = open_checked(url, migrations(service)).await.unwrap();
        let mut events: Vec<StoredEvent> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position);
            let page = log.read_all(after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        logs.insert(service, events);
    }
    logs
}

/// The tables of a service.
pub(super) fn migrations(service: Service) -> &'static Migrations {
    match service {
        Service::Asset | Service::Gateway => &asset::store::MIGRATIONS,
        Service::Render => &render::MIGRATIONS,
        Service::Stitch => &stitch::MIGRATIONS,
        Service::Audio => &audio::MIGRATIONS,
        Service::Job => &job::MIGRATIONS,
    }
}

/// Each log's positions ascend, and each of its streams counts from 1 without a gap.
pub(super) fn unbroken(logs: &Logs, wrong: &mut Vec<String>) {
    for (service, events) in logs {
        let mut versions: HashMap<&str, i64> = HashMap::new();
        let mut position = 0;
        for event in events {
            let version = versions.entry(&event.stream).or_default();
            *version += 1;
            if event.version != *version || event.position <= position {
                wrong.push(format!(
                    "{service}: event {} of {} is version {} at position {} and comes after version {} and position {position}",
                    event.id, event.stream, event.version, event.position, *version - 1
                ));
                return;
            }
            position = event.position;
        }
    }
}

/// Holds what was bought against what was asked for.
pub(super) fn bought(ledger: &Ledger, logs: &Logs, lived: &[Lived], wrong: &mut Vec<String>) -> Bought {
    let mut bought = Bought::default();
    let mut charges: BTreeMap<String, Vec<&LedgerEntry>> = BTreeMap::new();
    for (kind, service) in [("video", Service::Render), ("music", Service::Audio)] {
        let intents = intents(&logs[&service]);
        for entry in ledger.of_kind(kind) {
            bought.predictions += 1;
            let mut members = entry.input.as_object().into_iter().flatten();
            let Some(intent) = members.find_map(|(_, value)| intents.get(&value.to_string())) else {
                wrong.push(format!("nothing was recorded before this was asked for: {entry:?}"));
                continue;
            };
            let paid = charges.entry(intent.key.clone()).or_default();
            if entry.charged {
                bought.charged += 1;
                paid.push(entry);
            }
            if entry.completed_at.is_none() {
                wrong.push(format!("it goes on at the provider although every job is over: {entry:?}"));
            }
        }
    }
    bought.takes = charges.len();
    for (key, paid) in &charges {
        bought.most_per_take = bought.most_per_take.max(paid.len());
        if paid.len() > 1 {
            wrong.push(format!("{key} was paid {} times: {paid:?}", paid.len()));
        }
    }
    let (video, music) = (ledger.max_in_flight.video, ledger.max_in_flight.music);
    (bought.most_videos, bought.most_tracks) = (video, music);
    if video > MOST.0 || video < CROWDED || music > MOST.1 {
        wrong.push(format!(
            "{video} renders and {music} tracks were under way at once; {MOST:?} may, and {CROWDED} renders at least \
             should, or the limit was not tried"
        ));
    }
    for done in lived {
        clips(done, &charges, wrong);
    }
    bought
}

/// Whoever has a clip paid for it; whoever was canceled before or refused paid nothing.
fn clips(done: &Lived, charges: &BTreeMap<String, Vec<&LedgerEntry>>, wrong: &mut Vec<String>) {
    let prefix = format!("job-{}/scene", done.id);
    let of_job = charges.iter().filter(|(key, _)| key.starts_with(&prefix));
    let paid = of_job.map(|(_, paid)| paid.len()).sum::<usize>();
    let expected = match done.outcome {
        Some(Outcome::Full) => done.takes..=done.takes,
        Some(Outcome::Partial) => 1..=1,
        Some(Outcome::Failed) if done.wanted.kind == Kind::ClipLost => done.takes..=done.takes,
        Some(Outcome::Failed) => 0..=0,
        Some(Outcome::Canceled) | None => 0..=done.takes,
    };
    if !expected.contains(&paid) {
        let keys: Vec<&String> =
            charges.keys().filter(|key| key.starts_with(&format!("job-{}/", done.id))).collect();
        wrong.push(format!(
            "job {} paid for {paid} clips, not {expected:?} (orders {keys:?}): {}",
            done.id, done.job
        ));
    }
}

/// The orders of a service by the mark that each of their attempts put into the provider's input.
fn intents(events: &[StoredEvent]) -> HashMap<String, Intent> {
    let placed = events.iter().filter(|event| event.kind == "OrderPlaced");
    let keys: HashMap<&str, String> = placed
        .filter_map(|event| {
            let key = event.data.value().ok()?["order"]["key"].as_str()?.to_owned();
            Some((event.stream.as_str(), key))
        })
        .collect();
    let intended = events.iter().filter(|event| event.kind == "AttemptIntended");
    let intent = |event: &StoredEvent| {
        let key = keys.get(event.stream.as_str()).unwrap_or(&event.stream);
        let mark = event.data.value().map(|data| data["mark"]["value"].to_string());
        (mark.unwrap_or_default(), Intent { key: key.clone() })
    };
    intended.map(intent).collect()
}

/// What a service published against what its log holds, once its relay has come to the end: how many messages.
pub(super) async fn published(stack: &Stack, service: Service, wrong: &mut Vec<String>) -> (u64, u64) {
    let mut last = String::new();
    let until = tokio::time::Instant::now() + super::PATIENCE / 5;
    while tokio::time::Instant::now() < until {
        match stack.run(service, &["events", "reconcile"]).await {
            Ok(report) => return counts(&report),
            Err(error) => last = format!("{error:#}"),
        }
        crate::world::pause().await;
    }
    wrong.push(format!("{service}: {last}"));
    counts(&last)
}

/// "…: the log publishes 12 messages, the stream holds 12."
fn counts(report: &str) -> (u64, u64) {
    let after = |words: &str| {
        let rest = report.split_once(words)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    (after("publishes ").unwrap_or_default(), after("holds ").unwrap_or_default())
}

#[test]
fn the_counts_of_a_comparison_are_read() {
    assert_eq!(counts("events-job: the log publishes 12 messages, the stream holds 11.\n"), (12, 11));
}
