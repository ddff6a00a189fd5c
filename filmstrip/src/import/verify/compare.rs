//! What a source says beside what is here, field by field. Pure.
//!
//! Messages are compared in their JSON form, so that no field is forgotten, now or when there are more of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use protos::{
    asset::v1::{Asset, ImportedThing, LegacyThing, legacy_thing},
    common::v1::BlobRef,
    job::v1::{ImportedJob, LegacyFile, LegacyJob},
};
use serde::Serialize;
use serde_json::Value;

/// A field that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) sort: Sort,
    /// Such as `name` or `scenes[0].prompt`; empty when it is the row as a whole.
    pub(super) field: String,
    /// What the source says, as JSON; empty when it says nothing.
    pub(super) source: String,
    /// What is here.
    pub(super) here: String,
}

/// What sort of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    /// In the source, and not here.
    NotHere,
    /// Here, and not in the source.
    OnlyHere,
    /// On both sides, and not the same.
    Differs,
    /// Bytes that are not what they should be, or are gone.
    Bytes,
    /// Changed here since it came, on purpose.
    ChangedHere,
    /// Deleted here since it came, on purpose.
    DeletedHere,
}

/// Fields of an asset that its bytes say, if there are any, whatever the source says.
const SAID_BY_BYTES: [&str; 4] = ["asset.format", "asset.width", "asset.height", "asset.duration_ms"];

/// Whether a key could open something here. No one who uses the service can make an old key do so.
const OPENS: &str = "key.opens";

/// What an asset may be by its bytes that the source calls something else.
const CALLED_BY_BYTES: [(&str, &str); 5] = [
    ("image", "document"),
    ("video", "audio"),
    ("document", "image"),
    ("document", "video"),
    ("document", "audio"),
];

/// Everything that the source and the log and the row here say differently of a client, a campaign, an asset or a key.
pub(super) fn thing(expected: &LegacyThing, here: &ImportedThing) -> Vec<Difference> {
    let Some(came) = &here.came else {
        return vec![whole(Sort::Differs, "the log does not say how it came")];
    };
    let Some(now) = &here.now else {
        return vec![match here.touched {
            true => whole(Sort::DeletedHere, "it was deleted here since it came"),
            false => whole(Sort::NotHere, "its row is gone, and nobody deleted it"),
        }];
    };
    // Where it comes from is of the log alone.
    let now = LegacyThing { origin: now.origin.clone().or_else(|| came.origin.clone()), ..now.clone() };
    let has_bytes = matches!(&came.thing, Some(legacy_thing::Thing::Asset(Asset { blob: Some(_), .. })));
    let (source, log, row) = (fields(expected), fields(came), fields(&now));
    let mut differences = Vec::new();
    for field in [&source, &log, &row].into_iter().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>() {
        let (says, came, is) = (source.get(field), log.get(field), row.get(field));
        let excused = is_type(field) || (has_bytes && is_said_by_bytes(field, says, came));
        if came != is {
            let on_purpose = here.touched && field != OPENS;
            let sort = if on_purpose { Sort::ChangedHere } else { Sort::Differs };
            differences.push(between(sort, field, says, is));
        } else if says != came && !excused {
            differences.push(between(Sort::Differs, field, says, came));
        }
    }
    differences
}

/// Everything that the source and the log and the rows here say differently of a job.
pub(super) fn job(expected: &LegacyJob, here: &ImportedJob) -> Vec<Difference> {
    let Some(came) = &here.came else {
        return vec![whole(Sort::Differs, &format!("the log does not say how it came. {}", here.differs))];
    };
    let (source, log) = (fields(expected), fields(came));
    let all: BTreeSet<&String> = source.keys().chain(log.keys()).collect();
    let differing = all.into_iter().filter(|field| !is_type(field) && source.get(*field) != log.get(*field));
    let mut differences: Vec<Difference> =
        differing.map(|field| between(Sort::Differs, field, source.get(field), log.get(field))).collect();
    if !here.differs.is_empty() {
        differences.push(whole(Sort::Differs, &here.differs));
    }
    if here.touched {
        differences.push(whole(Sort::ChangedHere, "something happened to it here since it came"));
    }
    differences
}

/// The bytes that something here refers to, with the fields that they are in.
pub(super) fn blobs(thing: &LegacyThing) -> Vec<(String, BlobRef)> {
    let Some(legacy_thing::Thing::Asset(asset)) = &thing.thing else { return Vec::new() };
    let named = [("blob", &asset.blob), ("thumbnail", &asset.thumbnail)];
    named.into_iter().filter_map(|(field, blob)| Some((field.to_owned(), blob.clone()?))).collect()
}

/// As [`blobs`], for a job.
pub(super) fn job_blobs(job: &LegacyJob) -> Vec<(String, BlobRef)> {
    let mut blobs = Vec::new();
    let mut file = |field: String, file: &Option<LegacyFile>| {
        let Some(file) = file else { return };
        blobs.extend(file.blob.clone().map(|blob| (field.clone(), blob)));
        blobs.extend(file.poster.clone().map(|poster| (format!("{field}.poster"), poster)));
    };
    file("video".to_owned(), &job.video);
    file("audio".to_owned(), &job.audio);
    for (place, scene) in job.scenes.iter().enumerate() {
        file(format!("scenes[{place}].clip"), &scene.clip);
    }
    for (place, scene) in job.scenes.iter().enumerate() {
        for (number, frame) in scene.frames.iter().enumerate() {
            let field = format!("scenes[{place}].frames[{number}]");
            blobs.extend(frame.blob.clone().map(|blob| (field, blob)));
        }
    }
    blobs
}

/// A difference of a row as a whole.
pub(super) fn whole(sort: Sort, here: &str) -> Difference {
    Difference { sort, field: String::new(), source: String::new(), here: here.to_owned() }
}

fn between(sort: Sort, field: &str, source: Option<&String>, here: Option<&String>) -> Difference {
    let told = |value: Option<&String>| value.cloned().unwrap_or_default();
    let field = ["client.", "campaign.", "asset.", "key."]
        .iter()
        .find_map(|kind| field.strip_prefix(kind))
        .unwrap_or(field)
        .to_owned();
    Difference { sort, field, source: told(source), here: told(here) }
}

/// Whether the log may say otherwise than the source because the bytes do.
fn is_said_by_bytes(field: &str, source: Option<&String>, log: Option<&String>) -> bool {
    if field != "asset.type" {
        return SAID_BY_BYTES.contains(&field);
    }
    let plain =
        |word: Option<&String>| word.map(|word| word.trim_matches('"').to_owned()).unwrap_or_default();
    CALLED_BY_BYTES.contains(&(plain(source).as_str(), plain(log).as_str()))
}

/// What bytes are called: what they say of themselves wins, whatever the source says.
fn is_type(field: &str) -> bool {
    field.ends_with(".content_type")
}

/// A message's fields under their paths, each as JSON. Times, and texts that are JSON themselves, are brought into one form.
fn fields(message: &impl Serialize) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    match serde_json::to_value(message) {
        Ok(value) => flatten(String::new(), value, &mut fields),
        Err(error) => {
            fields.insert("(unreadable)".to_owned(), error.to_string());
        }
    }
    fields
}

fn flatten(path: String, value: Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(path, value, fields);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.into_iter().enumerate() {
                flatten(format!("{path}[{place}]"), item, fields);
            }
        }
        Value::String(text) => {
            let text = one_form(&path, &text);
            fields.insert(path, text);
        }
        other => {
            fields.insert(path, other.to_string());
        }
    }
}

/// A text as JSON; the same for two that mean the same.
fn one_form(path: &str, text: &str) -> String {
    let same = if path.ends_with("_json") {
        serde_json::from_str(text).ok().map(sorted)
    } else if path.ends_with("_at") {
        text.parse::<Timestamp>().ok().map(|time| Value::String(time.to_string()))
    } else {
        None
    };
    same.unwrap_or_else(|| Value::String(text.to_owned())).to_string()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use protos::{
        asset::v1::LegacyKey,
        common::v1::Origin,
        job::v1::{LegacyFrame, LegacyScene},
    };

    use super::*;

    type Change = fn(&mut Asset);

    fn blob(sha256: &str, content_type: &str) -> BlobRef {
        BlobRef { sha256: sha256.to_owned(), size: 3, content_type: content_type.to_owned() }
    }

    fn asset(change: impl FnOnce(&mut Asset)) -> LegacyThing {
        let mut asset = Asset {
            id: "a".to_owned(),
            name: Some("Kitchen 1".to_owned()),
            tags: vec!["Kitchen 1".to_owned()],
            metadata_json: Some(r#"{"b": 1, "a": [2]}"#.to_owned()),
            blob: Some(blob("1", "image/png")),
            width: Some(4),
            created_at: "2024-05-06T07:08:09Z".to_owned(),
            ..Asset::default()
        };
        change(&mut asset);
        let origin =
            Origin { table: "assets".into(), row: "a".into(), digest: "d".into(), ..Origin::default() };
        LegacyThing { origin: Some(origin), thing: Some(legacy_thing::Thing::Asset(asset)) }
    }

    fn imported(came: LegacyThing, now: Option<LegacyThing>, touched: bool) -> ImportedThing {
        ImportedThing { came: Some(came), now, touched, ..ImportedThing::default() }
    }

    fn same() -> LegacyThing {
        asset(|_| {})
    }

    fn told(differences: &[Difference]) -> Vec<(Sort, &str, &str, &str)> {
        differences
            .iter()
            .map(|one| (one.sort, one.field.as_str(), one.source.as_str(), one.here.as_str()))
            .collect()
    }

    #[test]
    fn what_is_the_same_is_the_same_in_another_form_too() {
        let other = asset(|asset| {
            asset.metadata_json = Some(r#"{"a":[2],"b":1}"#.to_owned());
            asset.created_at = "2024-05-06T07:08:09.000Z".to_owned();
        });
        let row = LegacyThing { origin: None, ..other.clone() };
        assert_eq!(thing(&same(), &imported(other, Some(row), false)), []);
    }

    #[test]
    fn every_field_of_a_row_counts() {
        let changes: [(&str, Change); 6] = [
            ("name", |asset| asset.name = None),
            ("description", |asset| asset.description = Some(String::new())),
            ("tags", |asset| asset.tags = vec!["shed".to_owned(), "b".to_owned()]),
            ("metadata_json", |asset| asset.metadata_json = Some("{}".to_owned())),
            ("blob.sha256", |asset| asset.blob = Some(blob("2", "image/png"))),
            ("width", |asset| asset.width = Some(5)),
        ];
        for (field, change) in changes {
            let tampered = imported(same(), Some(asset(change)), false);
            let found = thing(&same(), &tampered);
            assert_eq!(found.len(), 1, "{field}: {found:?}");
            assert_eq!((found[0].sort, found[0].field.as_str()), (Sort::Differs, field));
            // The log and the row agree, and the source says otherwise.
            let found = thing(&asset(change), &imported(same(), Some(same()), false));
            let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
            let said_by_bytes = field == "width";
            assert_eq!(fields, if said_by_bytes { vec![] } else { vec![field] });
        }
    }

    #[test]
    fn a_difference_tells_both_sides() {
        let tampered = imported(same(), Some(asset(|asset| asset.name = Some("x".to_owned()))), false);
        assert_eq!(told(&thing(&same(), &tampered)), [(Sort::Differs, "name", r#""Kitchen 1""#, r#""x""#)]);
    }

    #[test]
    fn what_bytes_say_is_only_excused_where_there_are_bytes() {
        let without = |width: u32| {
            asset(|asset| {
                asset.blob = None;
                asset.width = Some(width);
            })
        };
        let found = thing(&without(4), &imported(without(9), Some(without(9)), false));
        assert_eq!(told(&found), [(Sort::Differs, "width", "4", "9")]);
        let retyped = asset(|asset| asset.blob = Some(blob("1", "image/jpeg")));
        assert_eq!(thing(&same(), &imported(retyped.clone(), Some(retyped.clone()), false)), []);
        let found = thing(&same(), &imported(same(), Some(retyped), false));
        assert_eq!(found.len(), 1, "a type that only the row has: {found:?}");
    }

    #[test]
    fn bytes_may_make_a_video_a_sound_and_not_an_image() {
        let called = |kind: &str| {
            asset(|asset| {
                kind.clone_into(&mut asset.r#type);
                asset.blob = Some(blob("1", ""));
            })
        };
        for (source, log, differs) in [("video", "audio", 0), ("video", "image", 1), ("document", "video", 0)]
        {
            let found = thing(&called(source), &imported(called(log), Some(called(log)), false));
            assert_eq!(found.len(), differs, "{source} {log}: {found:?}");
        }
    }

    #[test]
    fn changed_and_deleted_here_are_told_apart_from_tampering() {
        let renamed = asset(|asset| asset.name = Some("x".to_owned()));
        assert_eq!(thing(&same(), &imported(same(), Some(renamed), true))[0].sort, Sort::ChangedHere);
        assert_eq!(thing(&same(), &imported(same(), None, true))[0].sort, Sort::DeletedHere);
        assert_eq!(thing(&same(), &imported(same(), None, false))[0].sort, Sort::NotHere);
        let lost = ImportedThing { now: Some(same()), ..ImportedThing::default() };
        assert_eq!(thing(&same(), &lost)[0].sort, Sort::Differs);
    }

    #[test]
    fn a_key_that_opens_something_is_never_as_it_came() {
        let key = |opens| {
            let key = LegacyKey { id: "k".to_owned(), opens, ..LegacyKey::default() };
            LegacyThing { origin: None, thing: Some(legacy_thing::Thing::Key(key)) }
        };
        assert_eq!(thing(&key(false), &imported(key(false), Some(key(false)), false)), []);
        for touched in [false, true] {
            let found = thing(&key(false), &imported(key(false), Some(key(true)), touched));
            assert_eq!(told(&found), [(Sort::Differs, "opens", "", "true")]);
        }
    }

    #[test]
    fn a_changed_source_shows_in_the_digest() {
        let mut changed = same();
        if let Some(origin) = &mut changed.origin {
            origin.digest = "e".to_owned();
        }
        let found = thing(&changed, &imported(same(), Some(same()), false));
        assert_eq!(told(&found), [(Sort::Differs, "origin.digest", r#""e""#, r#""d""#)]);
    }

    fn job_of(prompt: &str) -> LegacyJob {
        let frame = LegacyFrame { asset_id: "a".into(), blob: Some(blob("f", "")), ..LegacyFrame::default() };
        let clip = LegacyFile { blob: Some(blob("c", "")), poster: Some(blob("p", "")), duration_ms: 5 };
        let scene = LegacyScene {
            prompt: prompt.to_owned(),
            frames: vec![frame],
            clip: Some(clip.clone()),
            ..LegacyScene::default()
        };
        LegacyJob { legacy_id: 4, scenes: vec![scene], audio: Some(clip), ..LegacyJob::default() }
    }

    #[test]
    fn every_field_of_a_job_and_of_its_scenes_counts() {
        let here = ImportedJob { came: Some(job_of("pan")), job_id: 9, ..ImportedJob::default() };
        assert_eq!(job(&job_of("pan"), &here), [], "its number here is no difference");
        let found = job(&job_of("tilt"), &here);
        assert_eq!(told(&found), [(Sort::Differs, "scenes[0].prompt", r#""tilt""#, r#""pan""#)]);
        let mut shorter = job_of("pan");
        shorter.scenes.clear();
        assert!(
            job(&shorter, &here).iter().any(|one| one.field == "scenes[0].prompt" && one.source.is_empty())
        );
    }

    #[test]
    fn what_a_job_row_says_differently_and_what_happened_to_it_are_told() {
        let here = ImportedJob {
            came: Some(job_of("pan")),
            differs: "status is failed".to_owned(),
            touched: true,
            ..ImportedJob::default()
        };
        let sorts: Vec<_> = job(&job_of("pan"), &here).into_iter().map(|one| (one.sort, one.here)).collect();
        assert_eq!(sorts[0], (Sort::Differs, "status is failed".to_owned()));
        assert_eq!(sorts[1].0, Sort::ChangedHere);
    }

    #[test]
    fn every_blob_that_something_refers_to_is_listed() {
        let both = asset(|asset| asset.thumbnail = Some(blob("t", "")));
        let names = |blobs: Vec<(String, BlobRef)>| -> Vec<String> {
            blobs.into_iter().map(|(field, blob)| format!("{field}={}", blob.sha256)).collect()
        };
        assert_eq!(names(blobs(&both)), ["blob=1", "thumbnail=t"]);
        assert_eq!(
            names(job_blobs(&job_of(""))),
            [
                "audio=c",
                "audio.poster=p",
                "scenes[0].clip=c",
                "scenes[0].clip.poster=p",
                "scenes[0].frames[0]=f"
            ]
        );
    }
}
