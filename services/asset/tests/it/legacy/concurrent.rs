//! Many things at once, and several importers at once.

use asset::store::MIGRATIONS;
use async_trait::async_trait;
use blobs::Blobs;
use eventlog::testing::{Around, Wrapped, scratch_log};
use eventlog::{
    Append, AppendError, Appended, Log, LogError, Params, Row, Statement, migrate, open_checked, params,
};
use parking_lot::Mutex;
use protos::asset::v1 as pb;
use protos::common::v1::{ImportOutcome as Outcome, ImportResult};
use testservers::PostgresServer;

use super::{CAMPAIGN, CLIENT, an_asset, asset, campaign, client};
use crate::files::jpeg;
use crate::world::{World, ok};

/// A client, a campaign and many assets of it.
async fn many(world: &World, count: usize) -> Vec<pb::LegacyThing> {
    let blob = world.stored(jpeg(16, 16)).await;
    let assets = (0..count).map(|nth| asset(an_asset(&format!("a-{nth:04}"), Some(blob.clone()))));
    [client(CLIENT), campaign(CAMPAIGN)].into_iter().chain(assets).collect()
}

/// Ids in the order in which the log has them.
async fn order(log: &Log) -> Vec<String> {
    let stored = log.read_all(0, 2000).await.unwrap();
    stored.iter().map(|event| event.stream.split_once('-').unwrap().1.to_owned()).collect()
}

async fn keeps_the_order(world: World) {
    let things = many(&world, 400).await;
    let before = world.log.stats().commits;
    let results = world.import(things).await;
    assert!(results.iter().all(|result| result.outcome() == Outcome::Imported));
    let ids: Vec<String> = results.into_iter().map(|result| result.id).collect();
    assert_eq!(order(&world.log).await, ids);
    let commits = world.log.stats().commits - before;
    assert!(commits <= 40, "402 things share commits: {commits}");
    let listed: Vec<String> = world.listed().await.into_iter().map(|thing| thing.id).collect();
    assert_eq!(listed, ids);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_stored_in_its_order_in_few_commits() {
    keeps_the_order(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_stored_in_its_order_in_few_commits_on_postgres() {
    let pair = Pair::start().await;
    keeps_the_order(pair.first).await;
    pair.second.stop().await;
}

/// Two replicas over one PostgreSQL schema and one store.
struct Pair {
    first: World,
    second: World,
    _database: PostgresServer,
    _store: tempfile::TempDir,
}

impl Pair {
    async fn start() -> Self {
        let database = PostgresServer::start().await.unwrap();
        let urls = database.role_and_schema("asset").await.unwrap();
        migrate(&urls.owner, &MIGRATIONS).await.unwrap();
        assert!(migrate(&urls.owner, &MIGRATIONS).await.unwrap().is_empty(), "applied once");
        let store = tempfile::tempdir().unwrap();
        let replica = async || {
            let log = open_checked(&urls.service, &MIGRATIONS).await.unwrap();
            World::over(log, Blobs::local(store.path()).unwrap(), |_| ()).await
        };
        Self { first: replica().await, second: replica().await, _database: database, _store: store }
    }
}

/// Each thing came once, and both were told of the same.
fn each_once(one: &[ImportResult], two: &[ImportResult]) {
    for (one, two) in one.iter().zip(two) {
        let mut both = [one.outcome(), two.outcome()];
        both.sort_unstable();
        assert_eq!(both, [Outcome::Imported, Outcome::Already], "{one:?} {two:?}");
        assert_eq!(one.id, two.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_importers_at_once_bring_each_thing_once() {
    let world = World::new().await;
    let things = many(&world, 100).await;
    let (one, two) = tokio::join!(world.import(things.clone()), world.import(things));
    each_once(&one, &two);
    assert_eq!(order(&world.log).await.len(), 102);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_importers_at_two_replicas_bring_each_thing_once() {
    let pair = Pair::start().await;
    let things = many(&pair.first, 100).await;
    let (one, two) = tokio::join!(pair.first.import(things.clone()), pair.second.import(things));
    each_once(&one, &two);
    assert_eq!(order(&pair.second.log).await.len(), 102);
    pair.first.stop().await;
    pair.second.stop().await;
}

/// What other tests show on SQLite, once through on PostgreSQL: the same texts must do there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_and_the_list_are_the_same_on_postgres() {
    let Pair { first: mut world, second, _database, _store } = Pair::start().await;
    let things = super::everything(None);
    assert_eq!(world.outcomes(things.clone()).await, [Outcome::Imported; 4]);
    assert_eq!(world.outcomes(things.clone()).await, [Outcome::Already; 4]);
    let mut taken = client(CLIENT);
    taken.origin = super::origin("clients", "other", "x");
    let unnamed = pb::Asset { client_id: None, ..an_asset("a-2", None) };
    let blob = world.stored(jpeg(40, 30)).await;
    let given = [
        super::changed(campaign(CAMPAIGN)),
        taken,
        asset(unnamed),
        asset(an_asset(super::ASSET, Some(blob))),
    ];
    let expected = [Outcome::Changed, Outcome::Taken, Outcome::Imported, Outcome::Completed];
    assert_eq!(world.outcomes(given).await, expected);
    assert_eq!(world.found("a-2").await.client_id.as_deref(), Some(CLIENT));
    let listed = world.listed().await;
    assert!(listed.len() == 5 && listed.iter().all(|thing| !thing.touched && thing.now == thing.came));
    ok(world.client.delete_client(pb::DeleteClientRequest { id: CLIENT.into(), ..Default::default() }).await);
    let listed = world.listed().await;
    let touched: Vec<bool> = listed.iter().map(|thing| thing.touched && thing.now.is_none()).collect();
    assert_eq!(touched, [true, true, true, false, true]);
    world.stop().await;
    second.stop().await;
}

/// Creates a client under the id that is being imported, just before it is stored.
#[derive(Debug, Default)]
struct Meanwhile(Mutex<bool>);

#[async_trait]
impl Around for Meanwhile {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let first = !std::mem::replace(&mut *self.0.lock(), true);
        if first && let Some(event) = append.events.first() {
            let mut other = append.clone();
            let mut data = event.data.value().unwrap();
            data["name"] = "Somebody else's".into();
            data["origin"]["row"] = "other".into();
            other.events[0].data = data.clone().into();
            other.events[0].id = uuid::Uuid::now_v7();
            other.statements.truncate(1);
            log.append(other).await?;
        }
        log.append(append).await
    }
}

#[tokio::test]
async fn what_somebody_else_was_faster_with_is_decided_again() {
    let (log, _database) = scratch_log(&MIGRATIONS).await;
    let store = tempfile::tempdir().unwrap();
    let log = Wrapped::new(log, Meanwhile::default());
    let world = World::over(log, Blobs::local(store.path()).unwrap(), |_| ()).await;
    let results = world.import([client(CLIENT), client("c-2"), campaign(CAMPAIGN)]).await;
    let outcomes: Vec<_> = results.iter().map(ImportResult::outcome).collect();
    assert_eq!(outcomes, [Outcome::Taken, Outcome::Imported, Outcome::Imported]);
    assert!(results[0].reason.contains("Somebody else's"), "{}", results[0].reason);
    world.stop().await;
}

/// Another importer, whose import is stored between the first two questions of a request about what is known of it.
#[derive(Debug, Default)]
struct Between {
    asked: Mutex<usize>,
    /// What the other one stores; taken when it did.
    other: Mutex<Option<Append>>,
}

#[async_trait]
impl Around for Between {
    async fn query(&self, log: &Log, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let about_it = sql.contains("FROM imported") || sql.contains("FROM event WHERE version = 1");
        let second = about_it && {
            let mut asked = self.asked.lock();
            *asked += 1;
            *asked == 2
        };
        let other = if second { self.other.lock().take() } else { None };
        if let Some(other) = other {
            log.append(other).await.unwrap();
        }
        log.query(sql, params).await
    }
}

#[tokio::test]
async fn what_another_importer_stores_between_two_questions_is_known_and_not_taken() {
    let (log, _database) = scratch_log(&MIGRATIONS).await;
    let store = tempfile::tempdir().unwrap();
    let other = {
        let (log, _database) = scratch_log(&MIGRATIONS).await;
        let world = World::over(log, Blobs::local(store.path()).unwrap(), |_| ()).await;
        assert_eq!(world.outcomes([client(CLIENT)]).await, [Outcome::Imported]);
        let stored = world.log.read_all(0, 1).await.unwrap().remove(0);
        world.stop().await;
        asset::events::replay(&stored).unwrap()
    };
    let between = Between { asked: Mutex::default(), other: Mutex::new(Some(other)) };
    let log = Wrapped::new(log, between);
    let world = World::over(log.clone(), Blobs::local(store.path()).unwrap(), |_| ()).await;
    assert_eq!(world.one(client(CLIENT)).await, (Outcome::Already, String::new()));
    assert!(log.other.lock().is_none(), "the other one was there in between");
    assert_eq!(order(&world.log).await, [CLIENT]);
    world.stop().await;
}

/// Moves the campaign to another client, just before an asset of it is stored.
#[derive(Debug, Default)]
struct Moving(Mutex<bool>);

#[async_trait]
impl Around for Moving {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let of_asset = append.events.first().is_some_and(|event| event.kind == "AssetImported");
        if of_asset && !std::mem::replace(&mut *self.0.lock(), true) {
            let sql = "UPDATE campaign SET client_id = 'c-2' WHERE id = $1";
            log.execute(vec![Statement::new(sql, params![CAMPAIGN]).affecting(1)]).await.unwrap();
        }
        log.append(append).await
    }
}

#[tokio::test]
async fn an_asset_whose_campaign_goes_to_another_client_meanwhile_is_not_stored_as_the_first_ones() {
    let (log, _database) = scratch_log(&MIGRATIONS).await;
    let store = tempfile::tempdir().unwrap();
    let log = Wrapped::new(log, Moving::default());
    let world = World::over(log, Blobs::local(store.path()).unwrap(), |_| ()).await;
    world.import([client(CLIENT), client("c-2"), campaign(CAMPAIGN)]).await;
    let (outcome, reason) = world.one(asset(an_asset("a-1", None))).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(reason.contains("belongs to the client c-2 here"), "{reason}");
    assert_eq!(order(&world.log).await.len(), 3);
    world.stop().await;
}
