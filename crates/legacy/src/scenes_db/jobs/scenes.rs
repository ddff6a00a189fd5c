//! The scenes of a job: of the flow that it went through.

use protos::job::v1::{LegacyFrame, LegacyScene};
use serde_json::Value;

use super::{clips, drafts, storyboard};
use crate::{
    model::{Broken, Bytes},
    source::{
        reader::Reader,
        rows::{Fault, Record, uuid},
    },
};

/// Scenes and what goes with them.
#[derive(Debug, Default)]
pub(super) struct Scenes {
    /// By number.
    pub(super) scenes: Vec<LegacyScene>,
    /// Their clips.
    pub(super) clips: Vec<Bytes>,
    /// What their rows say that has no place of its own.
    pub(super) facts: Vec<Value>,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
    /// The rows that they are read of.
    pub(super) rows: Vec<Record>,
}

impl Scenes {
    /// Reads those of the first flow that left any: what was rendered, what was drafted, what a storyboard says. A flow
    /// that left scenes as well only adds facts.
    pub(super) fn read(reader: &Reader, job: &Record) -> Result<Self, Fault> {
        let mut scenes = Self::default();
        clips::read(reader, job, &mut scenes)?;
        let mut drafted = Self::default();
        drafts::read(reader, job, &mut drafted)?;
        scenes.add(drafted, "drafted");
        let mut told = Self::default();
        storyboard::read(reader, job, &mut told)?;
        scenes.add(told, "told in the storyboard");
        Ok(scenes)
    }

    fn add(&mut self, more: Self, what: &str) {
        if self.scenes.is_empty() {
            *self = more;
        } else {
            if !more.scenes.is_empty() {
                self.warnings
                    .push(format!("{} scenes that were {what} are kept as facts alone", more.scenes.len()));
            }
            self.facts.extend(more.facts);
            self.rows.extend(more.rows);
        }
    }

    /// The frame that an asset makes; a warning when it cannot be had.
    pub(super) fn frame(
        &mut self,
        reader: &Reader,
        number: u32,
        asset: Option<&str>,
    ) -> Result<Option<LegacyFrame>, Fault> {
        let Some(text) = asset.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        let Some(asset_id) = uuid(text) else {
            self.warnings.push(format!("scene {number}: its frame {text:?} is no asset's id"));
            return Ok(None);
        };
        let Some(asset) = reader.find_only("assets", "id", &text, &["id", "width", "height"])? else {
            self.warnings.push(format!("scene {number}: its frame {asset_id} is not in the source"));
            return Ok(Some(LegacyFrame { asset_id, ..LegacyFrame::default() }));
        };
        let pixels = |column| {
            let number = asset.integer(column).ok().flatten();
            number.and_then(|pixels| u32::try_from(pixels).ok()).unwrap_or_default()
        };
        Ok(Some(LegacyFrame { asset_id, blob: None, width: pixels("width"), height: pixels("height") }))
    }
}

/// The number of a scene: from 1.
pub(super) fn number(row: &Record, column: &'static str) -> Result<u32, Broken> {
    let number =
        row.integer(column)?.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| row.broken(column, "is no number of a scene (they count from 1)"))
}

/// A member of an object that is a text and says something.
pub(super) fn member(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
