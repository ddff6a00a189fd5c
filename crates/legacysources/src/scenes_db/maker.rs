//! What every part of a `scenes.db` is made with.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;

use super::{Layout, schema};
use crate::{
    dice::{Clock, Dice},
    movie,
    pictures::Pictures,
    rows::{self, Values},
    truth::{IMPORTED_CLIENT, LeftOut, Owners, Truth, Why},
};

/// A database that is being made, and what is known about it so far.
pub(super) struct Maker<'a> {
    conn: Connection,
    pub(super) layout: Layout,
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    pub(super) pictures: Pictures,
    pub(super) truth: Truth,
    /// The number of the last picture, sound or video, so that all of them differ.
    pub(super) serial: u64,
    clip: Option<&'a [u8]>,
}

impl<'a> Maker<'a> {
    /// A database with its tables, and a transaction that is open until [`Maker::finish`].
    pub(super) fn new(path: &Path, layout: Layout, seed: u64, clip: Option<&'a [u8]>) -> Result<Self> {
        let conn = rows::create(path)?;
        conn.execute_batch(&schema::sql(layout))?;
        conn.execute_batch("BEGIN")?;
        Ok(Self {
            conn,
            layout,
            dice: Dice::new(seed),
            clock: Clock::new(),
            pictures: Pictures::read()?,
            truth: Truth::default(),
            serial: seed.wrapping_mul(1_000_000) % 1_000_000_000,
            clip,
        })
    }

    /// Ends the transaction; what is known about the database is all.
    pub(super) fn finish(self) -> Result<Truth> {
        self.conn.execute_batch("COMMIT; PRAGMA journal_mode = DELETE")?;
        self.conn.close().map_err(|(_, error)| error)?;
        Ok(self.truth)
    }

    /// Ends the transaction and begins another one.
    pub(super) fn commit(&self) -> Result<()> {
        Ok(self.conn.execute_batch("COMMIT; BEGIN")?)
    }

    /// Whether the late tables and columns are there.
    pub(super) fn new_enough(&self) -> bool {
        self.layout != Layout::Old
    }

    /// Puts a row in, without the columns that the layout does not have.
    pub(super) fn put(&self, table: &str, values: Values<'_>) -> Result<()> {
        if self.new_enough() {
            return rows::insert(&self.conn, table, values);
        }
        let there = |(column, _): &&(&str, _)| schema::has(self.layout, table, column);
        rows::insert(&self.conn, table, &values.iter().filter(there).copied().collect::<Vec<_>>())
    }

    /// Tells of a row that is left out.
    pub(super) fn leave_out(&mut self, table: &'static str, row: impl ToString, why: Why) {
        self.truth.left_out.push(LeftOut { table, row: row.to_string(), why });
    }

    /// A number for the next picture, sound or video.
    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A video of so many seconds.
    pub(super) fn video(&mut self, seconds: u32) -> Vec<u8> {
        let number = self.next();
        match self.clip {
            Some(clip) => movie::numbered(clip, number),
            None => movie::of(&self.pictures.still(number), seconds, number),
        }
    }

    /// Whose something with these owners is, when orphans are left out and when they are kept.
    pub(super) fn belongs(&self, client: Option<&str>, campaign: Option<&str>) -> (Option<Owners>, Owners) {
        let is_client = |id: &&str| self.truth.clients.iter().any(|client| client.id == *id);
        let client = client.filter(is_client).map(str::to_owned);
        let row = campaign.and_then(|id| self.truth.campaigns.iter().find(|campaign| campaign.id == id));
        let good = row.filter(|campaign| !campaign.orphan).map(|campaign| campaign.id.clone());
        let any = row.map(|campaign| campaign.id.clone());
        let skipped = Owners { client: client.clone(), campaign: good };
        let kept = match (client, any) {
            (None, None) => Owners { client: Some(IMPORTED_CLIENT.to_owned()), campaign: None },
            (client, campaign) => Owners { client, campaign },
        };
        (Some(skipped).filter(|owners| *owners != Owners::default()), kept)
    }
}
