//! What an asset is called and said to be: by its own fields, else by its metadata, else by its file.

use percent_encoding::percent_decode_str;
use protos::asset::v1::AssetFields;
use serde_json::{Map, Value};
use url::Url;

use crate::fields::Check;

/// Tags of one asset: events carry them, and messages have a size.
const MOST_TAGS: usize = 100;
/// Characters of one of them.
const LONGEST_TAG: usize = 255;

/// Name, description, tags and metadata of an asset.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Description {
    pub(super) name: Option<String>,
    pub(super) text: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Option<Map<String, Value>>,
}

impl Description {
    pub(super) fn check(check: &mut Check, fields: AssetFields, file_name: &str) -> Self {
        let metadata = check.object("metadata", fields.metadata_json.as_deref());
        let said = |keys: &[&str]| said(metadata.as_ref()?, keys);
        let name = fields.name.filter(|name| !name.trim().is_empty());
        let name = name.or_else(|| said(&["name", "original_name", "originalName"]));
        let name = check.optional_name(name).or_else(|| last_segment(file_name));
        let text = check.text("description", fields.description);
        let text = text.or_else(|| said(&["description", "caption"]));
        let mut tags = fields.tags;
        if tags.is_empty() {
            tags =
                metadata.as_ref().and_then(|metadata| metadata.get("tags")).map(tags_of).unwrap_or_default();
        }
        if tags.iter().any(|tag| tag.contains('\0')) {
            check.refuse("tags", crate::fields::INVALID);
        } else if tags.len() > MOST_TAGS || tags.iter().any(|tag| tag.chars().count() > LONGEST_TAG) {
            let message = format!("should be at most {MOST_TAGS} of at most {LONGEST_TAG} character(s)");
            check.refuse("tags", &message);
        }
        Self { name, text, tags, metadata }
    }
}

/// The first of the keys that holds a text.
fn said(metadata: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let texts = keys.iter().filter_map(|key| metadata.get(*key)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty() && !text.contains('\0')).map(str::to_owned)
}

/// A list of texts, a text that is such a list in JSON, or one with commas.
fn tags_of(tags: &Value) -> Vec<String> {
    let texts = |list: &[Value]| list.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
    match tags {
        Value::Array(list) => texts(list),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(list)) => texts(&list),
            _ => text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        },
        _ => Vec::new(),
    }
}

/// A file's own name, however its sender spells paths; at most as long as a name may be.
fn last_segment(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name: String = name.chars().filter(|character| !character.is_control()).take(255).collect();
    (!name.is_empty()).then_some(name)
}

/// The file's name in a URL; empty when there is none.
pub(super) fn file_name(url: &str) -> String {
    let url = Url::parse(url).ok();
    let segment = url.as_ref().and_then(|url| url.path_segments()?.next_back());
    percent_decode_str(segment.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn described(fields: AssetFields, file_name: &str) -> Description {
        let mut check = Check::default();
        let description = Description::check(&mut check, fields, file_name);
        check.finish().unwrap();
        description
    }

    fn with_metadata(metadata: Value) -> AssetFields {
        AssetFields { metadata_json: Some(metadata.to_string()), ..AssetFields::default() }
    }

    #[test]
    fn a_field_wins_over_metadata_and_metadata_over_the_file() {
        let metadata = json!({ "original_name": "Lobby", "caption": "bright", "tags": "a, b,,c" });
        let mut fields = with_metadata(metadata);
        let by_metadata = described(fields.clone(), "lobby.jpg");
        assert_eq!(by_metadata.name.as_deref(), Some("Lobby"));
        assert_eq!(by_metadata.text.as_deref(), Some("bright"));
        assert_eq!(by_metadata.tags, ["a", "b", "c"]);
        fields.name = Some("Entrance".into());
        fields.description = Some("dark".into());
        fields.tags = vec!["x".into()];
        let by_field = described(fields, "lobby.jpg");
        assert_eq!((by_field.name.as_deref(), by_field.text.as_deref()), (Some("Entrance"), Some("dark")));
        assert_eq!(by_field.tags, ["x"]);
        assert_eq!(described(AssetFields::default(), "lobby.jpg").name.as_deref(), Some("lobby.jpg"));
        assert_eq!(described(AssetFields::default(), "").name, None);
    }

    #[rstest]
    #[case::list(json!(["a", "b"]), &["a", "b"])]
    #[case::json_text(json!("[\"a\",\"b, c\"]"), &["a", "b, c"])]
    #[case::commas(json!(" a ,b"), &["a", "b"])]
    #[case::number(json!(7), &[])]
    fn tags_come_in_many_spellings(#[case] tags: Value, #[case] expected: &[&str]) {
        assert_eq!(described(with_metadata(json!({ "tags": tags })), "").tags, expected);
    }

    #[rstest]
    #[case::plain("https://img.example/rooms/lobby%201.jpg?w=3", "lobby 1.jpg")]
    #[case::none("https://img.example/", "")]
    #[case::hidden_path("https://img.example/a%2Fb.png", "a/b.png")]
    #[case::no_url("lobby", "")]
    fn a_url_names_its_file(#[case] url: &str, #[case] name: &str) {
        assert_eq!(file_name(url), name);
    }

    #[rstest]
    #[case("C:\\photos\\a.jpg", Some("a.jpg"))]
    #[case("../../etc/passwd", Some("passwd"))]
    #[case("a\n\0b.jpg", Some("ab.jpg"))]
    #[case(" ", None)]
    fn only_the_last_part_of_a_path_is_a_name(#[case] path: &str, #[case] name: Option<&str>) {
        assert_eq!(last_segment(path).as_deref(), name);
    }
}
