//! What every part of a Phoenix database is made with.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;

use super::schema;
use crate::{
    dice::{Clock, Dice, Moment},
    movie,
    pictures::Pictures,
    rows::{self, Values},
    truth::{Truth, Why},
};

/// A database that is being made, and what is known about it so far.
pub(super) struct Maker<'a> {
    conn: Connection,
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    pub(super) pictures: Pictures,
    pub(super) truth: Truth,
    serial: u64,
    clip: Option<&'a [u8]>,
}

impl<'a> Maker<'a> {
    /// A database with its tables, and a transaction that is open until [`Maker::finish`].
    pub(super) fn new(path: &Path, seed: u64, clip: Option<&'a [u8]>) -> Result<Self> {
        let conn = rows::create(path)?;
        conn.execute_batch("PRAGMA foreign_keys = ON")?;
        conn.execute_batch(schema::SQL)?;
        conn.execute_batch("BEGIN")?;
        Ok(Self {
            conn,
            // Other ids than the other service's with the same seed.
            dice: Dice::new(seed ^ 0x5048_4f45_4e49_5800),
            clock: Clock::new(),
            pictures: Pictures::read()?,
            truth: Truth::default(),
            serial: 1_000_000_000 + seed.wrapping_mul(1_000_000) % 1_000_000_000,
            clip,
        })
    }

    /// Ends the transaction; what is known about the database is all. Like the real ones, the file is in WAL
    /// mode; all of it is in the file itself.
    pub(super) fn finish(self) -> Result<Truth> {
        self.conn.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
        self.conn.close().map_err(|(_, error)| error)?;
        Ok(self.truth)
    }

    /// Puts a row in, with both of its times.
    pub(super) fn put(
        &self,
        table: &str,
        created: Moment,
        changed: Moment,
        values: Values<'_>,
    ) -> Result<()> {
        let (created, changed) = (created.phoenix(), changed.phoenix());
        let mut all = values.to_vec();
        all.push(("inserted_at", &created));
        all.push(("updated_at", &changed));
        rows::insert(&self.conn, table, &all)
    }

    /// A person, who is left out.
    pub(super) fn account(&mut self) -> Result<()> {
        let created = self.clock.tick(1);
        self.put(
            "users",
            created,
            created,
            &[("id", &1), ("username", &"admin"), ("email", &"a@example.com")],
        )?;
        self.truth.left_out.push(crate::truth::LeftOut {
            table: "users",
            row: "1".to_owned(),
            why: Why::Account,
        });
        Ok(())
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
}
