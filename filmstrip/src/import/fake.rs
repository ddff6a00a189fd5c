//! A target in memory that fails when it is told to, and a feed of rows that are made up: for tests.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use kit::{Code, ServiceError};
use legacy::{Broken, Bytes, Found, Place, Slot, Stage, Thing};
use protos::{
    asset::v1::{
        Asset, CheckBytesReply, Client, ImportedThing, LegacyThing, ListImportedReply, Piece, legacy_thing,
    },
    common::v1::{BlobRef, ImportOutcome, ImportResult, Origin},
    job::v1::{ImportJobReply, ImportedJob, LegacyFrame, LegacyJob, LegacyScene, ListImportedJobsReply},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, mpsc};

use super::{
    feed::{Fed, Mode, Read},
    target::{Service, Target},
};

/// Things on a page of the fake's lists.
const PAGE: usize = 2;

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fails {
    /// The n-th call does nothing.
    Before(usize),
    /// The n-th call does all, and nobody hears of it.
    After(usize),
}

/// A target in memory.
#[derive(Debug)]
pub(super) struct Fake {
    state: Mutex<State>,
    /// Importing takes one of these, and keeps it.
    pub(super) permits: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    fails: Option<Fails>,
    blobs: HashMap<String, Vec<u8>>,
    /// What came, in its order, each as often as it came.
    things: Vec<ImportedThing>,
    jobs: Vec<ImportedJob>,
    /// How many things each import had.
    imports: Vec<usize>,
    stores: usize,
    fetches: usize,
}

impl Fake {
    pub(super) fn new() -> Arc<Self> {
        let permits = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { state: Mutex::default(), permits })
    }

    /// From now on calls are counted anew.
    pub(super) fn fails(&self, fails: Option<Fails>) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.fails) = (0, fails);
    }

    /// The rows that came, each as often as it came, in order.
    pub(super) fn rows(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let things = state.things.iter().map(|thing| thing.origin.as_ref().unwrap().row.clone());
        things.chain(state.jobs.iter().map(|job| origin(job).row.clone())).collect()
    }

    pub(super) fn imports(&self) -> Vec<usize> {
        self.state.lock().unwrap().imports.clone()
    }

    pub(super) fn stores(&self) -> usize {
        self.state.lock().unwrap().stores
    }

    pub(super) fn fetches(&self) -> usize {
        self.state.lock().unwrap().fetches
    }

    /// An asset as it came.
    pub(super) fn asset(&self, row: &str) -> Asset {
        let state = self.state.lock().unwrap();
        let thing = state.things.iter().find(|thing| thing.origin.as_ref().unwrap().row == row).unwrap();
        match thing.came.clone().unwrap().thing {
            Some(legacy_thing::Thing::Asset(asset)) => asset,
            other => panic!("no asset: {other:?}"),
        }
    }

    /// A job as it came.
    pub(super) fn job(&self, row: &str) -> LegacyJob {
        let state = self.state.lock().unwrap();
        state.jobs.iter().find(|job| origin(job).row == row).unwrap().came.clone().unwrap()
    }

    /// Changes what is there behind everybody's back.
    pub(super) fn tamper(&self, row: &str, tamper: impl FnOnce(&mut ImportedThing)) {
        let mut state = self.state.lock().unwrap();
        tamper(state.things.iter_mut().find(|thing| thing.origin.as_ref().unwrap().row == row).unwrap());
    }

    pub(super) fn remove(&self, row: &str) {
        let mut state = self.state.lock().unwrap();
        state.things.retain(|thing| thing.origin.as_ref().unwrap().row != row);
        state.jobs.retain(|job| origin(job).row != row);
    }

    pub(super) fn tamper_job(&self, row: &str, tamper: impl FnOnce(&mut ImportedJob)) {
        let mut state = self.state.lock().unwrap();
        tamper(state.jobs.iter_mut().find(|job| origin(job).row == row).unwrap());
    }

    /// Puts other bytes under the hash of these; none: takes them away.
    pub(super) fn spoil(&self, bytes: &[u8], other: Option<&[u8]>) {
        let mut state = self.state.lock().unwrap();
        let removed = state.blobs.remove(&sha256(bytes));
        assert!(removed.is_some(), "they are not there");
        if let Some(other) = other {
            state.blobs.insert(sha256(bytes), other.to_vec());
        }
    }

    /// Does something as a call, which may fail.
    fn call<T>(&self, work: impl FnOnce(&mut State) -> T) -> Result<T, ServiceError> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let now = state.calls;
        let failure = || Err(ServiceError::unavailable(format!("call {now} fails")));
        if state.fails == Some(Fails::Before(now)) {
            return failure();
        }
        let done = work(&mut state);
        if state.fails == Some(Fails::After(now)) { failure() } else { Ok(done) }
    }
}

impl State {
    fn import(&mut self, thing: LegacyThing) -> ImportOutcome {
        let origin = thing.origin.clone().unwrap();
        if let Some(legacy_thing::Thing::Asset(Asset { blob: Some(blob), .. })) = &thing.thing {
            assert!(self.blobs.contains_key(&blob.sha256), "bytes are durable before what names them");
        }
        let blob_of = |thing: &Option<LegacyThing>| match &thing.as_ref()?.thing {
            Some(legacy_thing::Thing::Asset(asset)) => asset.blob.clone(),
            _ => None,
        };
        let is_page =
            |blob: &BlobRef| self.blobs.get(&blob.sha256).is_some_and(|bytes| bytes.ends_with(b"page"));
        if blob_of(&Some(thing.clone())).as_ref().is_some_and(is_page) {
            return ImportOutcome::Refused;
        }
        let same = |known: &&mut ImportedThing| {
            known
                .origin
                .as_ref()
                .is_some_and(|known| (&known.table, &known.row) == (&origin.table, &origin.row))
        };
        let other = |known: &&ImportedThing| {
            known
                .origin
                .as_ref()
                .is_some_and(|known| known.row == origin.row && known.source != origin.source)
        };
        if self.things.iter().any(|known| other(&known)) {
            return ImportOutcome::Taken;
        }
        match self.things.iter_mut().find(same) {
            Some(known) if known.origin.as_ref().unwrap().digest != origin.digest => ImportOutcome::Changed,
            Some(known) if blob_of(&known.came).is_none() && blob_of(&Some(thing.clone())).is_some() => {
                (known.came, known.now) = (Some(thing.clone()), Some(thing));
                ImportOutcome::Completed
            }
            Some(_) => ImportOutcome::Already,
            None => {
                let (kind, id) = match &thing.thing {
                    Some(legacy_thing::Thing::Asset(asset)) => ("asset", asset.id.clone()),
                    _ => ("client", origin.row.clone()),
                };
                let (came, now) = (Some(thing.clone()), Some(thing));
                let kind = kind.to_owned();
                self.things.push(ImportedThing { origin: Some(origin), kind, id, now, came, touched: false });
                ImportOutcome::Imported
            }
        }
    }

    fn import_job(&mut self, job: LegacyJob) -> (ImportOutcome, i32) {
        let from = job.origin.clone().unwrap();
        if let Some(known) = self.jobs.iter().find(|known| origin(known).row == from.row) {
            let same = origin(known).digest == from.digest;
            return (if same { ImportOutcome::Already } else { ImportOutcome::Changed }, known.job_id);
        }
        // Number 1 is taken in every target.
        let job_id = if job.legacy_id == 1 { 100 } else { job.legacy_id };
        self.jobs.push(ImportedJob { job_id, came: Some(job), ..ImportedJob::default() });
        (ImportOutcome::Imported, job_id)
    }
}

#[async_trait]
impl Target for Fake {
    fn place(&self, _: Service) -> String {
        "in memory".to_owned()
    }

    async fn store(&self, mut pieces: mpsc::Receiver<Piece>) -> Result<Vec<BlobRef>, ServiceError> {
        self.call(|state| state.stores += 1)?;
        let (mut blobs, mut open) = (Vec::new(), Vec::new());
        while let Some(piece) = pieces.recv().await {
            open.extend(piece.data);
            if piece.last {
                blobs.push(std::mem::take(&mut open));
            }
        }
        assert!(open.is_empty(), "a blob has no end");
        self.call(|state| {
            blobs.iter().for_each(|blob| drop(state.blobs.insert(sha256(blob), blob.clone())))
        })?;
        Ok(blobs.iter().map(|blob| reference(blob)).collect())
    }

    async fn check(&self, sha256: &str) -> Result<CheckBytesReply, ServiceError> {
        self.call(|state| match state.blobs.get(sha256) {
            Some(bytes) => {
                CheckBytesReply { found: true, sha256: self::sha256(bytes), size: bytes.len() as u64 }
            }
            None => CheckBytesReply::default(),
        })
    }

    async fn fetch(&self, url: &str) -> Result<BlobRef, ServiceError> {
        self.call(|state| {
            state.fetches += 1;
            if url.contains("gone") {
                let refusal =
                    ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL");
                return Err(refusal.fact("reason", "HTTP 404"));
            }
            state.blobs.insert(sha256(url.as_bytes()), url.as_bytes().to_vec());
            Ok(reference(url.as_bytes()))
        })?
    }

    async fn import(&self, things: Vec<LegacyThing>) -> Result<Vec<ImportResult>, ServiceError> {
        self.permits.acquire().await.unwrap().forget();
        self.call(|state| {
            state.imports.push(things.len());
            let results = things.into_iter().map(|thing| state.import(thing));
            let reason = |outcome| match outcome {
                ImportOutcome::Refused => "its bytes are no image".to_owned(),
                _ => String::new(),
            };
            results
                .map(|outcome| ImportResult {
                    outcome: outcome.into(),
                    reason: reason(outcome),
                    ..ImportResult::default()
                })
                .collect()
        })
    }

    async fn import_job(&self, job: LegacyJob, _: i32) -> Result<ImportJobReply, ServiceError> {
        self.call(|state| {
            state.imports.push(1);
            let (outcome, job_id) = state.import_job(job);
            let result = ImportResult { outcome: outcome.into(), ..ImportResult::default() };
            ImportJobReply { result: Some(result), job_id }
        })
    }

    async fn list(&self, source: &str, after: Option<i64>) -> Result<ListImportedReply, ServiceError> {
        self.call(|state| {
            let mut of_source = state.things.clone();
            of_source.retain(|thing| thing.origin.as_ref().is_some_and(|origin| origin.source == source));
            let (things, next) = page(&of_source, after);
            ListImportedReply { things, next }
        })
    }

    async fn list_jobs(&self, _: &str, after: Option<i64>) -> Result<ListImportedJobsReply, ServiceError> {
        self.call(|state| {
            let (jobs, next) = page(&state.jobs, after);
            ListImportedJobsReply { jobs, next }
        })
    }
}

fn page<T: Clone>(all: &[T], after: Option<i64>) -> (Vec<T>, Option<i64>) {
    let from = usize::try_from(after.unwrap_or_default()).unwrap();
    let page = all[from..].iter().take(PAGE).cloned().collect();
    let next = (all.len() > from + PAGE).then(|| i64::try_from(from + PAGE).unwrap());
    (page, next)
}

fn origin(job: &ImportedJob) -> &Origin {
    job.came.as_ref().unwrap().origin.as_ref().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn reference(bytes: &[u8]) -> BlobRef {
    BlobRef { sha256: sha256(bytes), size: bytes.len() as u64, content_type: "image/png".to_owned() }
}

/// A row that is made up.
#[derive(Clone, Debug)]
pub(super) enum Made {
    Row(Stage, Box<Thing>, Vec<Content>),
    Broken(&'static str),
    /// The source cannot be read any further.
    Stop,
}

/// Bytes that are made up.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Here(Slot, &'static [u8]),
    At(Slot, &'static str),
    /// They break off after these.
    Torn(Slot, &'static [u8]),
}

fn from(table: &str, row: &str) -> Option<Origin> {
    let (table, row) = (table.to_owned(), row.to_owned());
    Some(Origin { source: "old".to_owned(), table, row, digest: String::new() })
}

pub(super) fn client(row: &str) -> Made {
    let client = Client { id: row.to_owned(), name: row.to_owned(), ..Client::default() };
    let thing =
        LegacyThing { origin: from("clients", row), thing: Some(legacy_thing::Thing::Client(client)) };
    Made::Row(Stage::Clients, Box::new(Thing::Stored(thing)), Vec::new())
}

pub(super) fn asset(row: &str, bytes: &[Content]) -> Made {
    let asset = Asset { id: row.to_owned(), name: Some(row.to_owned()), ..Asset::default() };
    let thing = LegacyThing { origin: from("assets", row), thing: Some(legacy_thing::Thing::Asset(asset)) };
    Made::Row(Stage::Assets, Box::new(Thing::Stored(thing)), bytes.to_vec())
}

/// The client that keeps orphans.
pub(super) fn keeper(source: &str) -> Made {
    let id = legacy::IMPORTED_CLIENT.to_string();
    let origin = from("(orphans)", &id).map(|origin| Origin { source: source.to_owned(), ..origin });
    let client = Client { id, ..Client::default() };
    let thing = LegacyThing { origin, thing: Some(legacy_thing::Thing::Client(client)) };
    Made::Row(Stage::Clients, Box::new(Thing::Stored(thing)), Vec::new())
}

/// A job with one scene, which shows these assets.
pub(super) fn job(legacy_id: i32, assets: &[&str], bytes: &[Content]) -> Made {
    let frame = |id: &&str| LegacyFrame { asset_id: (*id).to_owned(), ..LegacyFrame::default() };
    let scene = LegacyScene { frames: assets.iter().map(frame).collect(), ..LegacyScene::default() };
    let origin = from("jobs", &legacy_id.to_string());
    let job = LegacyJob { origin, legacy_id, scenes: vec![scene], ..LegacyJob::default() };
    Made::Row(Stage::Jobs, Box::new(Thing::Job(Box::new(job))), bytes.to_vec())
}

/// A feed of these rows.
pub(super) fn feed(made: Vec<Made>, mode: Mode) -> mpsc::Receiver<Fed> {
    let (to, from) = mpsc::channel(1);
    tokio::spawn(async move {
        for fed in made.into_iter().flat_map(|made| fed(made, mode)).chain([Fed::End]) {
            if to.send(fed).await.is_err() {
                return;
            }
        }
    });
    from
}

fn fed(made: Made, mode: Mode) -> Vec<Fed> {
    let (stage, thing, contents) = match made {
        Made::Row(stage, thing, contents) => (stage, *thing, contents),
        Made::Broken(row) => return vec![Fed::Broken(Stage::Clients, broken("clients", row))],
        Made::Stop => {
            return vec![Fed::Failed(legacy::SourceError::Unusable("old.db is damaged".to_owned()))];
        }
    };
    let row = thing.origin().unwrap().row.clone();
    let place = |content: &Content| match content {
        Content::Here(slot, _) | Content::Torn(slot, _) => {
            Bytes { slot: *slot, place: Place::Text(Vec::new()) }
        }
        Content::At(slot, url) => Bytes { slot: *slot, place: Place::Url((*url).to_owned()) },
    };
    let found = Found { thing, bytes: contents.iter().map(place).collect(), missing: None };
    if mode == Mode::Digests {
        let digest = |content: &Content| match content {
            Content::Here(_, bytes) => Some(reference(bytes)),
            _ => None,
        };
        let digests = contents.iter().map(digest).collect();
        return vec![Fed::Found(Box::new(Read { stage, found, digests }))];
    }
    let mut all = vec![Fed::Found(Box::new(Read { stage, found, digests: Vec::new() }))];
    for content in contents {
        match content {
            Content::Here(_, bytes) => {
                let pieces =
                    bytes.chunks(2).map(|data| Fed::Piece(Piece { data: data.to_vec(), last: false }));
                all.extend(pieces);
                all.push(Fed::Piece(Piece { data: Vec::new(), last: true }));
            }
            Content::Torn(_, bytes) => {
                all.push(Fed::Piece(Piece { data: bytes.to_vec(), last: false }));
                all.push(Fed::Unreadable(broken("assets", &row)));
                break;
            }
            Content::At(..) => {}
        }
    }
    all
}

fn broken(table: &'static str, row: &str) -> Broken {
    Broken { table, row: row.to_owned(), column: "", reason: "it is torn".to_owned() }
}

/// How often each of these is there.
pub(super) fn tally(rows: Vec<String>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for row in rows {
        *tally.entry(row).or_default() += 1;
    }
    tally
}
