//! What a comparison of log and stream found. Pure: the messages come in one by one.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::Message;

/// Differences of one kind that are listed; all are counted.
const LISTED: usize = 20;
/// Missing messages that are remembered, in case they come later, out of order.
const REMEMBERED: usize = 10_000;

/// One message that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Event id, or what stands in its place.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// Position in the log, when it names one.
    pub position: Option<i64>,
    /// Sequence in the stream, when it is there.
    pub sequence: Option<u64>,
}

/// Differences of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How many there are.
    pub count: u64,
    /// The first twenty.
    pub first: Vec<Found>,
}

impl Difference {
    fn add(&mut self, found: Found) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(found);
        }
    }
}

/// How a stream compares with the log that it was published from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The service.
    pub source: String,
    /// The name of its stream.
    pub stream: String,
    /// Whether the stream holds exactly what the log says, in its order.
    pub equal: bool,
    /// Messages that the log says are published.
    pub logged: u64,
    /// Messages in the stream.
    pub streamed: u64,
    /// In the log, not in the stream.
    pub missing: Difference,
    /// How many of the missing ones lie behind the stream's last message: on their way, or removed.
    pub behind: u64,
    /// In the stream, not in the log, or there twice.
    pub extra: Difference,
    /// In the stream, but behind a message that the log has after them.
    pub out_of_order: Difference,
    /// Under the right id, but with another subject, content or header.
    pub different: Difference,
    /// SHA-256 over subject, id, position and data of the stream's messages: equal streams have equal digests.
    pub digest: String,
}

/// A comparison under way.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    report: Report,
    digest: Sha256,
    missing: BTreeMap<i64, Found>,
    /// Missing ones that are only counted.
    forgotten: u64,
    /// The highest position met in the stream.
    highest: i64,
}

impl Comparison {
    pub(super) fn new(source: &str, stream: String) -> Self {
        let report = Report { source: source.to_owned(), stream, ..Report::default() };
        Self { report, ..Self::default() }
    }

    /// Whether a message at `position` comes after all that were met.
    pub(super) fn ascends(&self, position: i64) -> bool {
        position > self.highest
    }

    /// The log has `logged` where the stream goes on behind it.
    pub(super) fn missing(&mut self, logged: &Message) {
        self.report.logged += 1;
        let found = found(logged, None);
        if self.missing.len() < REMEMBERED {
            self.missing.insert(logged.position, found);
        } else {
            self.forgotten += 1;
        }
    }

    /// The log goes on with `logged`, the stream has ended.
    pub(super) fn behind(&mut self, logged: &Message) {
        self.report.behind += 1;
        self.missing(logged);
    }

    /// Both have a message at this position.
    pub(super) fn pair(&mut self, logged: &Message, streamed: &Message, sequence: u64) {
        if logged.id != streamed.id {
            self.missing(logged);
            self.extra(streamed, sequence);
            return;
        }
        self.report.logged += 1;
        self.met(streamed);
        if logged != streamed {
            self.report.different.add(found(streamed, Some(sequence)));
        }
    }

    /// A message that does not ascend: one that was missed before, or one that is there twice.
    pub(super) fn late(&mut self, streamed: &Message, sequence: u64) {
        let id = streamed.id.to_string();
        let known = self.missing.get(&streamed.position).is_some_and(|missed| missed.id == id);
        if known {
            self.missing.remove(&streamed.position);
        } else if self.forgotten > 0 {
            self.forgotten -= 1;
        } else {
            self.extra(streamed, sequence);
            return;
        }
        self.met(streamed);
        self.report.out_of_order.add(found(streamed, Some(sequence)));
    }

    /// A message that the log does not have.
    pub(super) fn extra(&mut self, streamed: &Message, sequence: u64) {
        self.met(streamed);
        self.report.extra.add(found(streamed, Some(sequence)));
    }

    /// A message that says it is newer than the comparison, but is not in the log.
    pub(super) fn extra_beyond(&mut self, streamed: &Message, sequence: u64) {
        let highest = self.highest;
        self.extra(streamed, sequence);
        self.highest = highest;
    }

    /// A message that cannot be read as one of ours.
    pub(super) fn foreign(&mut self, id: String, subject: String, sequence: u64) {
        self.report.streamed += 1;
        self.digest.update(format!("{subject}\n{id}\n\n\n"));
        self.report.extra.add(Found { id, subject, position: None, sequence: Some(sequence) });
    }

    fn met(&mut self, streamed: &Message) {
        self.report.streamed += 1;
        self.highest = self.highest.max(streamed.position);
        let Message { subject, id, position, data, .. } = streamed;
        self.digest.update(format!("{subject}\n{id}\n{position}\n{data}\n"));
    }

    pub(super) fn report(self) -> Report {
        let Self { mut report, digest, missing, forgotten, .. } = self;
        report.missing.count = u64::try_from(missing.len()).unwrap_or(u64::MAX).saturating_add(forgotten);
        report.missing.first = missing.into_values().take(LISTED).collect();
        report.digest = hex(&digest.finalize());
        let differences = [&report.missing, &report.extra, &report.out_of_order, &report.different];
        report.equal = differences.iter().all(|difference| difference.count == 0);
        report
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn found(message: &Message, sequence: Option<u64>) -> Found {
    Found {
        id: message.id.to_string(),
        subject: message.subject.clone(),
        position: Some(message.position),
        sequence,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, logged, streamed, .. } = self;
        writeln!(f, "{stream}: the log publishes {logged} messages, the stream holds {streamed}.")?;
        if self.equal {
            write!(f, "They are equal, in set and order. Digest {}", self.digest)?;
            return Ok(());
        }
        list(f, "missing from the stream", &self.missing)?;
        if self.behind > 0 {
            writeln!(
                f,
                "  ({} of them behind the stream's last message: not published yet, or removed)",
                self.behind
            )?;
        }
        list(f, "in the stream but not in the log, or twice", &self.extra)?;
        list(f, "out of order", &self.out_of_order)?;
        list(f, "with another content", &self.different)?;
        write!(f, "`republish` makes the stream again from the log, under the same ids.")
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, difference: &Difference) -> fmt::Result {
    if difference.count == 0 {
        return Ok(());
    }
    writeln!(f, "{} {what}:", difference.count)?;
    for Found { id, subject, position, sequence } in &difference.first {
        write!(f, "  {id} {subject}")?;
        if let Some(position) = position {
            write!(f, ", position {position} of the log")?;
        }
        if let Some(sequence) = sequence {
            write!(f, ", sequence {sequence} of the stream")?;
        }
        writeln!(f)?;
    }
    let listed = u64::try_from(difference.first.len()).unwrap_or(u64::MAX);
    if difference.count > listed {
        writeln!(f, "  and {} more", difference.count - listed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message(position: i64) -> Message {
        Message {
            id: Uuid::from_u128(u128::try_from(position).unwrap()),
            source: "render".into(),
            subject: format!("filmstrip.render.v1.{position}.done"),
            entity: position.to_string(),
            name: "done".into(),
            position,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            traceparent: None,
            correlation_id: String::new(),
            data: json!({ "n": position }),
        }
    }

    /// Compares positions of a log with positions of a stream, as the walk over both does.
    fn compare(log: &[i64], stream: &[i64]) -> Report {
        let mut comparison = Comparison::new("render", "FILMSTRIP_RENDER".into());
        let mut logged = log.iter().map(|position| message(*position)).peekable();
        for (sequence, position) in (1..).zip(stream) {
            let streamed = message(*position);
            if !comparison.ascends(*position) {
                comparison.late(&streamed, sequence);
                continue;
            }
            while let Some(missed) = logged.next_if(|message| message.position < *position) {
                comparison.missing(&missed);
            }
            match logged.next_if(|message| message.position == *position) {
                Some(logged) => comparison.pair(&logged, &streamed, sequence),
                None => comparison.extra(&streamed, sequence),
            }
        }
        logged.for_each(|rest| comparison.behind(&rest));
        comparison.report()
    }

    #[test]
    fn equal_is_equal() {
        let report = compare(&[1, 2, 5], &[1, 2, 5]);
        assert!(report.equal, "{report}");
        assert_eq!((report.logged, report.streamed), (3, 3));
        assert_eq!(report.digest, compare(&[], &[1, 2, 5]).digest, "of the stream alone");
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_only_behind_is_told_apart() {
        let report = compare(&[1, 2, 3, 4], &[1, 3]);
        assert_eq!((report.missing.count, report.behind, report.equal), (2, 1, false));
        assert_eq!(report.missing.first[0].id, message(2).id.to_string());
        let text = report.to_string();
        assert!(text.contains(&message(2).id.to_string()) && text.contains("republish"), "{text}");
    }

    #[test]
    fn out_of_order_is_neither_missing_nor_extra() {
        let report = compare(&[1, 2, 3, 4], &[1, 4, 2, 3]);
        let counts = [&report.missing, &report.extra, &report.out_of_order].map(|one| one.count);
        assert_eq!((counts, report.equal), ([0, 0, 2], false));
    }

    #[test]
    fn twice_is_extra_and_so_is_what_the_log_does_not_have() {
        let report = compare(&[1, 3], &[1, 1, 2, 3]);
        let positions: Vec<_> = report.extra.first.iter().map(|found| found.position.unwrap()).collect();
        assert_eq!((positions, report.missing.count), (vec![1, 2], 0));
    }

    #[test]
    fn another_content_under_the_same_id_is_told() {
        let mut comparison = Comparison::new("render", "S".into());
        let changed = Message { data: json!({ "n": 9 }), ..message(1) };
        comparison.pair(&message(1), &changed, 1);
        let report = comparison.report();
        assert_eq!((report.different.count, report.equal), (1, false));
    }
}
