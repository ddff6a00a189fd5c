//! Routes of the older API that clients still call, in its own words: everything stands in `data`.

mod actions;
mod ai_videos;
mod sub_jobs;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

pub(crate) use actions::{__path_act, act};
pub(crate) use ai_videos::{__path_list, list};
pub(crate) use sub_jobs::{__path_sub_jobs, sub_jobs};

/// When the answer was made; of a write, when it was done: a repeat is answered with the very same bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Meta {
    /// RFC 3339, UTC.
    timestamp: String,
}

impl Meta {
    pub(crate) fn now(app: &App) -> Self {
        Self { timestamp: app.clock.now().to_string() }
    }

    /// Of a write that was done at `time`, as the service wrote it down.
    pub(crate) fn at(time: &str) -> Self {
        Self { timestamp: time.to_owned() }
    }
}

/// When the answer was made, and where the next page is.
#[derive(Serialize, ToSchema)]
pub(crate) struct PagedMeta {
    #[serde(flatten)]
    meta: Meta,
    /// `cursor` of the next page; null when nothing follows.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl PagedMeta {
    fn new(app: &App, next_cursor: Option<String>) -> Self {
        Self { meta: Meta::now(app), next_cursor }
    }
}

/// A part of one, from a number of a hundred.
fn part(percentage: u32) -> f64 {
    f64::from(percentage.min(100)) / 100.0
}
