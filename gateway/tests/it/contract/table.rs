//! The golden cases, in the order in which they are replayed.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// The files of cases: what is made first comes first, what is deleted last.
const FILES: [&str; 12] = [
    "clients",
    "campaigns",
    "assets",
    "jobs",
    "older",
    "scenes",
    "videos",
    "audio",
    "docs",
    "testing",
    "keys",
    "deletes",
];

/// A request and the answer that the contract promises. `${name}` stands for what an earlier case has kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it shows; also the Idempotency-Key of a write.
    pub(super) name: String,
    /// Method and path of the contract, such as `GET /api/v3/clients/{id}`.
    pub(super) route: String,
    /// The path asked for, with its query; the route's own when left out.
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// JSON, or whatever else `headers` says.
    pub(super) body: Option<String>,
    /// Fields of a multipart body.
    #[serde(default)]
    pub(super) form: BTreeMap<String, String>,
    /// File of a multipart body, from the repository's photographs; `empty` is a file without bytes.
    pub(super) file: Option<String>,
    /// The job of this variable has to be over first.
    pub(super) after: Option<String>,
    /// A write that may not be repeated under its key.
    #[serde(default)]
    pub(super) once: bool,
    pub(super) status: u16,
    /// The shape of the answer, JSON. An error's members are those of the older API: the problem's own are checked
    /// for every error.
    pub(super) answer: Option<String>,
    /// Headers of the answer; `*` stands for anything.
    #[serde(default)]
    pub(super) promises: BTreeMap<String, String>,
    /// The differences from the older API that it shows, by their names in docs/API.md.
    #[serde(default)]
    pub(super) differs: Vec<String>,
    /// What later cases need, as JSON pointers into the answer; `header:name` keeps a header.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// All golden files.
pub(super) struct Table {
    pub(super) cases: Vec<Case>,
    pub(super) shapes: BTreeMap<String, Value>,
    /// What no case can show, and the test that does: differences by name, and routes whose success is out of reach.
    pub(super) elsewhere: BTreeMap<String, String>,
}

impl Table {
    pub(super) fn read() -> Self {
        let shapes: BTreeMap<String, String> = read("shapes");
        let shapes =
            shapes.into_iter().map(|(name, text)| (name.clone(), super::json(&text, &name))).collect();
        let cases = FILES.iter().flat_map(|name| read::<File>(name).case).collect();
        Self { cases, shapes, elsewhere: read("elsewhere") }
    }
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/contract/golden/{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
