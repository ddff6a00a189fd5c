//! A request: decided whole with few queries, and appended together, so that its things share commits. What somebody else
//! was faster with is decided again.

use std::collections::HashMap;

use eventlog::{Append, AppendError, Expected, Meta};
use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kit::ServiceError;
use protos::asset::v1::{ImportReply, ImportRequest};
use protos::common::v1::{ImportOutcome, ImportResult};

use super::decide::{Decision, decide};
use super::known::{Known, beginnings};
use super::{bad, differ, failed, look, things};
use crate::app::App;
use crate::error;
use crate::events::{AssetBytesAdded, AssetImported, Event};

/// Things of one request.
const MOST: usize = 1000;
/// How often a request is decided again because of what others stored meanwhile, or of things that are twice in it.
const DECISIONS: usize = 8;
/// Assets whose bytes are looked at at one time.
const LOOKS: usize = 8;

/// Who brought things over, as the log tells it.
const ACTOR: &str = "import";

/// A thing that is to be brought over.
struct Item {
    /// Its place in the request.
    place: usize,
    event: Event,
    /// What became of looking at its bytes: what a person should know about them.
    looked: Option<String>,
}

/// What becomes of a thing.
enum Fate {
    Settled(ImportResult),
    /// To be appended, with what is said when it is.
    Append(Box<Append>, ImportOutcome, Item),
    Again(Item),
}

pub(super) async fn import(app: &App, request: ImportRequest) -> Result<ImportReply, ServiceError> {
    let count = request.things.len();
    if count > MOST {
        return Err(bad(format!("{count} things are too many: {MOST} are the most of one request")));
    }
    let mut results = vec![ImportResult::default(); count];
    let mut open = Vec::new();
    for (place, thing) in request.things.into_iter().enumerate() {
        match things::read(thing) {
            Ok(event) => open.push(Item { place, event, looked: None }),
            Err(reason) => results[place] = result(ImportOutcome::Refused, String::new(), reason),
        }
    }
    for _ in 0..DECISIONS {
        if open.is_empty() {
            return Ok(ImportReply { results });
        }
        open = round(app, open, &mut results).await?;
    }
    if open.is_empty() { Ok(ImportReply { results }) } else { Err(error::contended()) }
}

fn result(outcome: ImportOutcome, id: String, reason: String) -> ImportResult {
    ImportResult { outcome: outcome.into(), id, reason }
}

/// Decides on all things and stores what is to be stored; those that are to be decided again.
async fn round(app: &App, open: Vec<Item>, results: &mut [ImportResult]) -> Result<Vec<Item>, ServiceError> {
    let events: Vec<&Event> = open.iter().map(|item| &item.event).collect();
    let mut known = Known::of(&app.log, &events).await.map_err(failed)?;
    let decisions: Vec<Decision> = open.iter().map(|item| decide(&item.event, &mut known)).collect();
    let asked = decisions.iter().zip(&open).filter(|(decision, _)| needs_beginning(decision));
    let streams = asked.map(|(_, item)| item.event.stream()).collect();
    let began = beginnings(&app.log, streams).await.map_err(failed)?;
    let round = Round { app, known: &known, began: &began, at: app.now() };
    let fates = stream::iter(open.into_iter().zip(decisions).map(|(item, decision)| async {
        let place = item.place;
        round.fate(item, decision).await.map(|fate| (place, fate))
    }));
    let fates: Vec<(usize, Fate)> = fates.buffered(LOOKS).try_collect().await?;
    let mut again = Vec::new();
    let mut appends = Vec::new();
    for (place, fate) in fates {
        match fate {
            Fate::Settled(settled) => results[place] = settled,
            Fate::Again(item) => again.push(item),
            Fate::Append(append, outcome, item) => appends.push((append, outcome, item)),
        }
    }
    // Handed over in order, and stored in that order: as long as nothing makes one of them wait for its turn here.
    let stored = join_all(
        appends
            .into_iter()
            .map(|(append, outcome, item)| async move { (app.log.append(*append).await, outcome, item) }),
    );
    for (stored, outcome, item) in tokio::task::unconstrained(stored).await {
        match stored {
            Ok(_) => {
                let id = item.event.entity().to_owned();
                results[item.place] = result(outcome, id, item.looked.unwrap_or_default());
            }
            Err(
                AppendError::Conflict { .. } | AppendError::Constraint(_) | AppendError::DuplicateEvent(_),
            ) => again.push(item),
            Err(error) => return Err(failed(error)),
        }
    }
    again.sort_by_key(|item| item.place);
    Ok(again)
}

fn needs_beginning(decision: &Decision) -> bool {
    matches!(decision, Decision::Taken | Decision::Complete(_) | Decision::Changed(_))
}

/// What all things of a round are settled with.
struct Round<'a> {
    app: &'a App,
    known: &'a Known,
    /// How the streams began of what is known or taken.
    began: &'a HashMap<String, Event>,
    at: Timestamp,
}

impl Round<'_> {
    async fn fate(&self, item: Item, decision: Decision) -> Result<Fate, ServiceError> {
        let id = item.event.entity().to_owned();
        let settled = |outcome, reason| Ok(Fate::Settled(result(outcome, id, reason)));
        match decision {
            Decision::Store => self.store(item, false).await,
            Decision::Complete(came) => match self.changed(&item.event) {
                none if none.is_empty() => self.store(item, true).await,
                some => settled(ImportOutcome::Changed, differ::reason(&came, &item.event, &some)),
            },
            Decision::Already => settled(ImportOutcome::Already, String::new()),
            Decision::Changed(came) => {
                let reason = differ::reason(&came, &item.event, &self.changed(&item.event));
                Ok(Fate::Settled(result(ImportOutcome::Changed, came.id, reason)))
            }
            Decision::Taken => {
                settled(ImportOutcome::Taken, differ::owner(self.began.get(&item.event.stream())))
            }
            Decision::Refused(reason) => settled(ImportOutcome::Refused, reason),
            Decision::Later => Ok(Fate::Again(item)),
        }
    }

    /// Names of the fields that are not as they were when the thing came.
    fn changed(&self, event: &Event) -> Vec<String> {
        let bytes = self.known.bytes.get(event.entity()).and_then(Option::as_deref);
        let began = self.began.get(&event.stream());
        began.map_or_else(Vec::new, |began| differ::fields(began, event, bytes))
    }

    /// The append of a thing, or of the bytes that it lacked; once what its bytes are was looked at.
    async fn store(&self, mut item: Item, only_bytes: bool) -> Result<Fate, ServiceError> {
        if item.looked.is_none()
            && let Event::AssetImported(asset) = &mut item.event
        {
            match look::look(self.app, asset).await? {
                Ok(note) => item.looked = Some(note),
                Err(reason) => {
                    let id = item.event.entity().to_owned();
                    return Ok(Fate::Settled(result(ImportOutcome::Refused, id, reason)));
                }
            }
        }
        let (append, outcome) = match &item.event {
            Event::AssetImported(asset) if only_bytes => {
                let Some(event) = added(asset) else { return Ok(Fate::Again(item)) };
                (append(&event.into(), Expected::Any, self.at)?, ImportOutcome::Completed)
            }
            event => (append(event, Expected::NoStream, self.at)?, ImportOutcome::Imported),
        };
        Ok(Fate::Append(Box::new(append), outcome, item))
    }
}

fn added(asset: &AssetImported) -> Option<AssetBytesAdded> {
    let asset = asset.clone();
    Some(AssetBytesAdded {
        origin: asset.origin,
        asset_id: asset.asset_id,
        kind: asset.kind,
        blob: asset.blob?,
        thumbnail: asset.thumbnail,
        format: asset.format,
        width: asset.width,
        height: asset.height,
        duration_ms: asset.duration_ms,
    })
}

fn append(event: &Event, expected: Expected, at: Timestamp) -> Result<Append, ServiceError> {
    let traceparent = kit::trace::traceparent();
    let trace = traceparent.as_deref().and_then(|text| text.split('-').nth(1));
    let meta = Meta {
        correlation_id: trace.unwrap_or(event.entity()).to_owned(),
        causation_id: None,
        traceparent: traceparent.clone(),
        actor: ACTOR.to_owned(),
    };
    let stored = event.to_new(meta, at)?;
    Ok(Append::to(event.stream()).expecting(expected).event(stored).statements(event.rows(at)))
}
