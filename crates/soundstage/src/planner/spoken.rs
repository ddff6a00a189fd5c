//! Writes what a voice says over a film, when a chat request asks for that: it has `script_scenes`.

use serde_json::{Value, json};

use super::request;

/// The answer `{"segments": [...]}`; none when something else is asked for.
pub(super) fn answer(request: &Value) -> Option<String> {
    let wish = find(&request::text(request))?;
    let scenes = wish.get("script_scenes")?.as_array()?;
    let name = wish.pointer("/property/name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or("this place");
    let segment = |(index, scene): (usize, &Value)| {
        let text =
            |member: &str| scene.get(member).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let shown = [text("description"), text("title")].into_iter().find(|text| !text.is_empty());
        let shown = shown.unwrap_or_else(|| format!("a calm look at {name}"));
        let opening = if index == 0 { format!("Step into {name}.") } else { "And then:".to_owned() };
        format!("{opening} {}.", shown.trim_end_matches('.'))
    };
    let segments: Vec<String> = scenes.iter().enumerate().map(segment).collect();
    Some(json!({ "segments": segments }).to_string())
}

fn find(text: &str) -> Option<Value> {
    text.match_indices('{').find_map(|(at, _)| {
        let value = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>().next()?.ok()?;
        value.get("script_scenes")?;
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_a_segment_for_each_scene_and_a_storyboard_is_no_script() {
        let user =
            json!({"property": {"name": "Lodge"}, "script_scenes": [{"title": "Pool"}, {"title": ""}]});
        let chat = |user: &Value| json!({"messages": [{"role": "user", "content": user.to_string()}]});
        let answer: Value = serde_json::from_str(&answer(&chat(&user)).expect("a script")).expect("JSON");
        assert_eq!(answer["segments"][0], "Step into Lodge. Pool.");
        assert_eq!(answer["segments"].as_array().map(Vec::len), Some(2));
        assert_eq!(super::answer(&chat(&json!({"assets": [{"id": "a"}]}))), None);
    }
}
