//! No event is lost, doubled or out of order, from concurrent writers through to the broker, while transactions are
//! held and rolled back, relays are killed and NATS is restarted.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use bus::{
    Backoff, Bus, EventBus as _, InProcessBus, Message, NatsBus, nats::reconcile, subjects::source::RENDER,
};
use eventlog::{
    Append, AppendError, Log, NewEvent, Statement, params,
    testing::{NO_TABLES, scratch_log},
};
use jiff::Timestamp;
use serde_json::json;
use testservers::{NatsServer, PostgresServer};
use tokio::{runtime::Runtime, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    nats_world::QUICK,
    world::{DEADLINE, DURABLE, translate},
};

/// How much of everything. The drill runs the same with more seeds and numbers.
struct Extent {
    seed: u64,
    writers: u64,
    appends: u64,
    holds: u64,
    relay_kills: u64,
    nats_restarts: u64,
}

impl Extent {
    fn from_environment() -> Self {
        let number = |name: &str, default: u64| {
            std::env::var(format!("DRILL_{name}")).map_or(default, |text| text.parse().unwrap())
        };
        Self {
            seed: number("SEED", 20_261_128),
            writers: number("WRITERS", 64),
            appends: number("APPENDS", 25),
            holds: number("HOLDS", 10),
            relay_kills: number("RELAY_KILLS", 6),
            nats_restarts: number("NATS_RESTARTS", 3),
        }
    }
}

/// Splitmix64: a seed gives the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// A replica of the producer with a runtime of its own: it can die at any moment.
struct Replica {
    name: String,
    runtime: Option<Runtime>,
}

impl Replica {
    fn start(name: String, log_url: String, nats_url: String) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let replica = name.clone();
        runtime.spawn(async move {
            let log = eventlog::open_checked(&log_url, &NO_TABLES).await.unwrap();
            let bus = NatsBus::connect_with(&nats_url, &replica, QUICK).await.unwrap();
            bus.register(RENDER, log, translate);
            // A process that is killed drops nothing.
            std::mem::forget(bus);
        });
        Self { name, runtime: Some(runtime) }
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Appends to a stream of its own and to one that all share; every fifth append is refused and rolled back.
async fn write(log: Log, writer: u64, appends: u64, seed: u64) {
    let mut dice = Dice(seed ^ (writer << 32));
    for number in 0..appends {
        let stream = if dice.roll(4) == 0 { "shared".to_owned() } else { format!("w-{writer}") };
        let refused = dice.roll(5) == 0;
        let events = (0..=dice.roll(3)).map(|_| {
            let kind = if dice.roll(8) == 0 { "Noted" } else { "Finished" };
            let data = json!({ "number": number, "writer": writer, "refused": refused });
            NewEvent::new(Uuid::now_v7(), kind, data, Timestamp::UNIX_EPOCH)
        });
        let mut append = Append::to(stream).events(events.collect::<Vec<_>>());
        if refused {
            let nothing =
                Statement::new("UPDATE checkpoint SET position = 0 WHERE name = $1", params!["none"]);
            append = append.statement(nothing.affecting(1));
        }
        let outcome = log.append(append).await;
        assert_eq!(matches!(outcome, Err(AppendError::Constraint(_))), refused, "{outcome:?}");
        assert_eq!(outcome.is_ok(), !refused, "{outcome:?}");
    }
}

/// Foreign transactions: some take the log's lock and store an event, some only write elsewhere; all are held
/// for up to half a second, every third one is rolled back.
async fn hold(url: String, lock: i64, holds: u64, seed: u64) {
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    let mut dice = Dice(seed);
    for number in 0..holds {
        let id = Uuid::now_v7();
        let work = if dice.roll(2) == 0 {
            format!(
                "SELECT pg_advisory_xact_lock({lock}); INSERT INTO scratch.event (event_id, stream, version, kind, \
                 schema_version, data, correlation_id, actor, recorded_at) VALUES ('{id}', 'held-{seed}-{number}', 1, \
                 'Finished', 1, '{{}}', '', '', '2026-01-01T00:00:00Z')"
            )
        } else {
            format!("INSERT INTO scratch.checkpoint (name, position) VALUES ('held-{id}', 1)")
        };
        client.batch_execute(&format!("BEGIN; {work}")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(dice.roll(500))).await;
        client.batch_execute(if dice.roll(3) == 0 { "ROLLBACK" } else { "COMMIT" }).await.unwrap();
    }
    drop(client);
    driven.await.unwrap().unwrap();
}

/// A consumer that keeps all it gets.
struct Consumer {
    arrived: mpsc::UnboundedReceiver<Message>,
    cancel: CancellationToken,
    running: JoinHandle<()>,
}

impl Consumer {
    fn start(bus: &Bus, log: Log) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let quick = Backoff { min: Duration::from_millis(5), max: Duration::from_millis(200) };
        let subscription = bus.subscribe(RENDER, DURABLE, log).backoff(quick);
        let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
            let sender = sender.clone();
            async move { Ok(sender.send(message)?) }
        }));
        Self { arrived, cancel, running }
    }

    /// What came first of each id, once `count` ids have come; that nothing else comes is the caller's to check.
    async fn first_of_each(mut self, count: usize) -> Vec<Message> {
        let (mut seen, mut messages) = (HashSet::new(), Vec::new());
        let collecting = async {
            while messages.len() < count {
                let message = self.arrived.recv().await.unwrap();
                if seen.insert(message.id) {
                    messages.push(message);
                }
            }
        };
        tokio::time::timeout(DEADLINE, collecting).await.expect("a message never came");
        self.cancel.cancel();
        self.running.await.unwrap();
        messages
    }
}

/// Everything the log holds, in order.
async fn logged(log: &Log) -> (usize, Vec<Message>) {
    let events = log.read_all(0, usize::MAX >> 1).await.unwrap();
    assert!(events.windows(2).all(|pair| pair[0].position < pair[1].position));
    let mut versions = BTreeMap::<&str, i64>::new();
    for event in &events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(event.version, *version, "{} has a gap", event.stream);
        assert_ne!(event.data.value().unwrap()["refused"], true, "what was refused is stored");
    }
    let messages = events.iter().filter_map(|event| Message::translate(RENDER, translate, event).unwrap());
    (events.len(), messages.collect())
}

/// Restarts NATS and kills whichever replica relays, in a random order, while the writers write.
async fn disturb(extent: &Extent, log: &Log, log_url: &str, nats: &mut NatsServer, replicas: &mut [Replica]) {
    let mut dice = Dice(extent.seed ^ 0xd15);
    let (mut kills, mut restarts) = (extent.relay_kills, extent.nats_restarts);
    let mut started = 0;
    while kills + restarts > 0 {
        tokio::time::sleep(Duration::from_millis(100 + dice.roll(400))).await;
        if dice.roll(kills + restarts) < restarts {
            restarts -= 1;
            nats.stop();
            tokio::time::sleep(Duration::from_millis(dice.roll(300))).await;
            nats.run().await.unwrap();
            continue;
        }
        kills -= 1;
        let held = "SELECT owner FROM lease WHERE name = 'relay/render'";
        let owner = match log.query(held, params![]).await.unwrap().first() {
            Some(row) => row.get::<String>("owner").unwrap(),
            None => continue,
        };
        for replica in replicas.iter_mut().filter(|replica| owner.starts_with(&format!("{}/", replica.name)))
        {
            replica.kill();
            started += 1;
            let name = format!("heir-{started}");
            *replica = Replica::start(name, log_url.to_owned(), nats.url());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_out_of_order_whatever_dies() {
    let extent = Extent::from_environment();
    let server = PostgresServer::start().await.unwrap();
    let mut nats = NatsServer::start().await.unwrap();
    let urls = server.role_and_schema("scratch").await.unwrap();
    eventlog::migrate(&urls.owner, &NO_TABLES).await.unwrap();
    let mut logs = Vec::new();
    for _ in 0..3 {
        logs.push(eventlog::open_checked(&urls.service, &NO_TABLES).await.unwrap());
    }
    let mut replicas: Vec<Replica> = (0..3)
        .map(|number| Replica::start(format!("replica-{number}"), urls.service.clone(), nats.url()))
        .collect();

    let (consumer_log, _directory) = scratch_log(&NO_TABLES).await;
    let consumer_bus = NatsBus::connect_with(&nats.url(), "consumer", QUICK).await.unwrap();
    let over_nats = Consumer::start(&(consumer_bus.clone() as Bus), consumer_log.clone());
    let in_process: Bus = InProcessBus::new();
    in_process.register(RENDER, logs[0].clone(), translate);
    let inside = Consumer::start(&in_process, consumer_log);

    let mut working: Vec<JoinHandle<()>> = (0..extent.writers)
        .map(|writer| {
            let log = logs[usize::try_from(writer).unwrap() % logs.len()].clone();
            tokio::spawn(write(log, writer, extent.appends, extent.seed))
        })
        .collect();
    for holder in 0..2 {
        let holding =
            hold(server.superuser_url(), lock_of("scratch"), extent.holds / 2, extent.seed + holder);
        working.push(tokio::spawn(holding));
    }
    disturb(&extent, &logs[0], &urls.service, &mut nats, &mut replicas).await;
    for work in working {
        work.await.unwrap();
    }

    let (events, expected) = logged(&logs[0]).await;
    assert!(events > expected.len() && expected.len() > 100, "{events} events, {} messages", expected.len());
    let equal = async {
        loop {
            if let Ok(report) = reconcile(&consumer_bus, RENDER, &logs[0], translate).await
                && report.equal
            {
                break report;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let report = tokio::time::timeout(DEADLINE, equal).await.expect("the stream never equals the log");
    assert_eq!((report.streamed, report.logged), (report.logged, u64::try_from(expected.len()).unwrap()));
    assert_eq!(inside.first_of_each(expected.len()).await, expected, "inside the process, in set and order");
    let mut delivered = over_nats.first_of_each(expected.len()).await;
    // What a killed server had handed over comes again later, behind what is newer: consumers tolerate that. The order
    // of the stream itself was compared above.
    delivered.sort_by_key(|message| message.position);
    assert_eq!(delivered, expected, "over NATS, in set and content");
    consumer_bus.stop().await;
}

/// The log's advisory lock: FNV-1a of the schema's name.
fn lock_of(schema: &str) -> i64 {
    let hash = schema.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_be_bytes(hash.to_be_bytes())
}
