//! What jobs hold while they are made and give back when they are over: rows that coordinate, and files in scratch.

use std::{collections::BTreeMap, path::PathBuf};

use eventlog::{Log, Migrations, open_checked, params};

use super::usage::files_below;

/// What is counted, by service and name.
const COUNTED: &[(&str, &str, &str)] = &[
    ("job", "jobs leased", "SELECT count(*) AS n FROM lease WHERE expires_at > 0 AND name LIKE 'runner/%'"),
    ("job", "jobs with work left", "SELECT count(*) AS n FROM job WHERE unfinished"),
    ("render", "slots taken", "SELECT count(*) AS n FROM prediction_attempt WHERE over_at IS NULL"),
    ("render", "orders open", "SELECT count(*) AS n FROM prediction_order WHERE phase <> 'settled'"),
    ("render", "nudges", "SELECT count(*) AS n FROM prediction_nudge"),
    ("audio", "slots taken", "SELECT count(*) AS n FROM prediction_attempt WHERE over_at IS NULL"),
    ("audio", "orders open", "SELECT count(*) AS n FROM prediction_order WHERE phase <> 'settled'"),
    ("audio", "nudges", "SELECT count(*) AS n FROM prediction_nudge"),
    ("audio", "tracks open", "SELECT count(*) AS n FROM soundtrack WHERE state IN ('open', 'canceling')"),
    (
        "stitch",
        "products leased",
        "SELECT count(*) AS n FROM lease WHERE expires_at > 0 AND name LIKE 'product/%'",
    ),
    ("stitch", "products due", "SELECT count(*) AS n FROM product WHERE state = 'waiting'"),
    ("stitch", "products in work", "SELECT count(*) AS n FROM product WHERE working <> 0"),
];

/// Counts by what is counted.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Looks at the databases and the scratch directories.
pub(crate) struct Held {
    logs: BTreeMap<&'static str, Log>,
    scratch: Vec<PathBuf>,
}

impl Held {
    /// `address` says where a service's database is.
    pub(crate) async fn new(address: impl Fn(&str) -> String, scratch: Vec<PathBuf>) -> Self {
        let services: [(&'static str, &Migrations); 4] = [
            ("job", &job::MIGRATIONS),
            ("render", &render::MIGRATIONS),
            ("audio", &audio::MIGRATIONS),
            ("stitch", &stitch::MIGRATIONS),
        ];
        let mut logs = BTreeMap::new();
        for (service, migrations) in services {
            logs.insert(service, open_checked(&address(service), migrations).await.unwrap());
        }
        Self { logs, scratch }
    }

    pub(crate) async fn now(&self) -> Counts {
        let mut counts = Counts::new();
        for (service, what, sql) in COUNTED {
            let rows = self.logs[service].query(sql, params![]).await.unwrap();
            let count: i64 = rows[0].get("n").unwrap();
            counts.insert(format!("{service}: {what}"), u64::try_from(count).unwrap());
        }
        counts.insert("files in scratch".to_owned(), files_below(&self.scratch));
        counts
    }
}
