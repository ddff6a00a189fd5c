//! What a caller may say of an asset, under all the names that the contract knows.

use protos::asset::v1::AssetFields;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    params::{Fields, Params},
    problem::{ASSETS, Problem},
};

/// Reads the fields of an asset.
pub(crate) fn read(params: &Params) -> Result<AssetFields, Problem> {
    let mut fields = Fields::of(params);
    let description = match fields.present("description", &["caption"]) {
        Some(Value::String(text)) => fields.clean("description", text),
        Some(_) => fields.reject("description", "is invalid"),
        None => None,
    };
    let tags = match fields.present("tags", &["tag_list", "tagList"]).map(tags) {
        Some(Ok(tags)) if tags.iter().any(|tag| tag.contains('\0')) => fields.reject("tags", "is invalid"),
        Some(Ok(tags)) => Some(tags),
        Some(Err(NotText)) => fields.reject("tags", "is invalid"),
        None => None,
    };
    let metadata = fields.present("metadata", &["meta"]).and_then(object);
    if metadata.as_ref().is_some_and(|object| Value::from(object.clone()).to_string().contains("\\u0000")) {
        fields.reject::<()>("metadata", "must not contain NUL characters");
    }
    let read = AssetFields {
        r#type: fields.text("type", &["asset_type", "assetType"]),
        client_id: fields.text("client_id", &[]),
        campaign_id: fields.text("campaign_id", &[]),
        name: fields.text("name", &[]),
        description,
        tags: tags.unwrap_or_default(),
        metadata_json: metadata.map(|object| Value::from(object).to_string()),
    };
    fields.finish(ASSETS.family())?;
    Ok(read)
}

/// The URL to fetch, if one is given.
pub(crate) fn source_url(params: &Params) -> Result<Option<String>, Problem> {
    let mut fields = Fields::of(params);
    let url = fields.text("source_url", &["url"]);
    fields.finish(ASSETS.family())?;
    Ok(super::super::text::filled(url))
}

/// A list held something that is not text.
#[derive(Debug)]
pub(crate) struct NotText;

/// Tags as a list, as the text of a JSON array, or as text with commas; anything else means none.
pub(crate) fn tags(value: &Value) -> Result<Vec<String>, NotText> {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or(NotText))
            .filter(|tag| tag.as_ref().map_or(true, |tag| !tag.trim().is_empty()))
            .collect(),
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
            Ok(tags) => Ok(trimmed(tags.iter().map(String::as_str))),
            Err(_) => Ok(trimmed(text.split(','))),
        },
        _ => Ok(Vec::new()),
    }
}

fn trimmed<'t>(tags: impl Iterator<Item = &'t str>) -> Vec<String> {
    tags.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// An object, or the text of one; anything else means none.
fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// An asset to make from a URL; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewAsset {
    /// http or https; also `url`.
    source_url: String,
    /// `image`, `video` or `audio`; read from the bytes when absent. Also `asset_type`.
    r#type: Option<String>,
    /// At least one of `campaign_id` and `client_id` is needed.
    campaign_id: Option<String>,
    client_id: Option<String>,
    name: Option<String>,
    /// Also `caption`.
    description: Option<String>,
    /// A list, or text with commas. Also `tag_list`.
    tags: Option<Vec<String>>,
    /// Also `meta`.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// A file with what is said of it; the parts may come in any order.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `image`, `video` or `audio`; read from the bytes when absent.
    r#type: Option<String>,
    /// At least one of `campaign_id` and `client_id` is needed.
    campaign_id: Option<String>,
    client_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    /// Text with commas, or a JSON array.
    tags: Option<String>,
    /// A JSON object.
    metadata: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_come_as_a_list_as_json_text_or_with_commas() {
        let wanted = vec!["lobby".to_owned(), "night view".to_owned()];
        for given in [
            json!(["lobby", "", "night view"]),
            json!("[\"lobby\", \"night view\"]"),
            json!(" lobby, ,night view,"),
        ] {
            assert_eq!(tags(&given).expect("tags"), wanted, "{given}");
        }
        assert!(tags(&json!(["lobby", 3])).is_err());
        assert_eq!(tags(&json!(7)).expect("none"), Vec::<String>::new());
    }
}
