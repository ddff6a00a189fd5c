//! Finds in a chat request what is to be planned.

use serde::Deserialize;
use serde_json::Value;

/// What the product asks for. All but the assets may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    pub(super) kind: String,
    #[serde(alias = "num_pairs")]
    pub(super) num_scenes: Option<usize>,
    pub(super) clip_duration: Option<f64>,
    pub(super) scene_types: Option<Vec<String>>,
    pub(super) brief: Option<String>,
    pub(super) assets: Vec<Asset>,
}

/// One photo, as the request describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asset {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) width: Option<f64>,
    pub(super) height: Option<f64>,
}

/// The first JSON object with assets in any message, the user's before the system's.
pub(super) fn read(request: &Value) -> Option<Wish> {
    let messages = request.get("messages")?.as_array()?;
    let is_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    let (user, other): (Vec<_>, Vec<_>) = messages.iter().partition(is_user);
    user.into_iter().chain(other).find_map(|message| find(&text_of(message)))
}

/// All text of all messages, for fault rules.
pub(crate) fn text(request: &Value) -> String {
    let messages = request.get("messages").and_then(Value::as_array);
    messages.into_iter().flatten().map(text_of).collect::<Vec<_>>().join("\n")
}

fn text_of(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}

fn find(text: &str) -> Option<Wish> {
    text.match_indices('{').find_map(|(at, _)| {
        let value = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>().next()?.ok()?;
        value.get("assets").filter(|assets| assets.is_array())?;
        let wish: Wish = serde_json::from_value(value).ok()?;
        (!wish.assets.is_empty()).then_some(wish)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_wish_is_found_between_words_and_other_braces() {
        let content = "Plan {this}. Example: {\"scenes\": []}\nData:\n{\"num_scenes\": 3, \"assets\": [{\"id\": \"a\"}]} Thanks.";
        let request =
            json!({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": content}]});
        let wish = read(&request).expect("found");
        assert_eq!((wish.num_scenes, wish.assets.len()), (Some(3), 1));
    }

    #[test]
    fn content_in_parts_is_read_and_nothing_is_nothing() {
        let request = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "{\"assets\":[{\"id\":\"a\"}]}"}]}]});
        assert!(read(&request).is_some());
        assert!(read(&json!({"messages": [{"role": "user", "content": "hello"}]})).is_none());
        assert!(read(&json!({})).is_none());
    }
}
