//! Reading a creative brief.

use protos::job::v1 as pb;
use serde_json::{Map, Value, json};

use crate::{
    params::{Fields, Params, object_has_nul},
    problem::{JOBS, Kind, Problem},
    routes::text,
};

/// What the service calls a field, and what the brief calls it.
pub(super) const NAMES: [(&str, &str); 9] = [
    ("aspect_ratio", "creative.videoSpecs.format"),
    ("resolution", "creative.videoSpecs.resolution"),
    ("duration_seconds", "creative.videoSpecs.duration"),
    ("num_pairs", "creative.videoSpecs.duration"),
    ("video_model", "advanced.modelPreferences"),
    ("style", "creative.direction.style"),
    ("music_genre", "creative.direction.musicStyle"),
    ("asset_ids", "creative.assets"),
    ("parameters", "creative"),
];

/// One object of the brief, its place in it, and what is wrong with its fields.
struct Part {
    params: Params,
    at: &'static str,
    wrong: Vec<(String, String)>,
    /// It, or what it stands in, is missing: what it lacks needs no saying.
    missing: bool,
}

impl Part {
    /// The object of that name; an empty one when there is none, and a violation when it is needed or no object.
    fn of(params: &Params, name: &str, at: &'static str, needed: bool) -> Self {
        let (object, message) = match params.get(name) {
            Some(Value::Object(object)) => (object.clone(), None),
            None | Some(Value::Null) => (Map::new(), needed.then_some("can't be blank")),
            Some(_) => (Map::new(), Some("is invalid")),
        };
        let wrong: Vec<_> = message.map(|message| (at.to_owned(), message.to_owned())).into_iter().collect();
        Self { params: Params::of_object(object), at, missing: !wrong.is_empty(), wrong }
    }

    /// A needed object inside this one.
    fn part(&self, name: &str, at: &'static str) -> Self {
        let part = Self::of(&self.params, name, at, !self.missing);
        Self { missing: part.missing || self.missing, ..part }
    }

    fn reject(&mut self, name: &str, message: &str) {
        self.wrong.push((format!("{}.{}", self.at, crate::params::camel_case(name)), message.to_owned()));
    }

    /// Text; blank counts as absent.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.params.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.contains('\0') => {
                self.reject(name, "must not contain NUL characters");
                None
            }
            Some(Value::String(text)) => text::filled(Some(text.clone())),
            Some(_) => {
                self.reject(name, "is invalid");
                None
            }
        }
    }

    /// Text that must be there.
    fn needed(&mut self, name: &str) -> String {
        let before = self.wrong.len();
        let text = self.text(name);
        if text.is_none() && self.wrong.len() == before && !self.missing {
            self.reject(name, "can't be blank");
        }
        text.unwrap_or_default()
    }

    /// A list of texts.
    fn texts(&mut self, name: &str) -> Vec<String> {
        match self.params.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                let texts: Option<Vec<String>> = items
                    .iter()
                    .map(|item| item.as_str().filter(|text| !text.contains('\0')).map(str::to_owned))
                    .collect();
                texts.unwrap_or_else(|| {
                    self.reject(name, "must be an array of strings");
                    Vec::new()
                })
            }
            Some(_) => {
                self.reject(name, "must be an array of strings");
                Vec::new()
            }
        }
    }
}

/// The job that a brief asks for.
pub(super) fn brief(params: &Params, command_id: String) -> Result<pb::CreateJobRequest, Problem> {
    let mut context = Part::of(params, "context", "context", false);
    let campaign_id = context.text("campaign_id").or_else(|| {
        let top = params.get("campaign_id").and_then(Value::as_str);
        text::filled(top.map(str::to_owned))
    });
    let Some(campaign_id) = campaign_id else {
        return Err(Problem::flat(Kind::MissingField, "campaign_id is required").detail(
            "Give the campaign whose photos the film is to show: context.campaignId in a creative brief.",
        ));
    };
    let mut basics = Part::of(params, "ad_basics", "adBasics", true);
    let mut creative = Part::of(params, "creative", "creative", true);
    let mut specs = creative.part("video_specs", "creative.videoSpecs");
    let mut direction = creative.part("direction", "creative.direction");
    let mut advanced = Part::of(params, "advanced", "advanced", false);
    let said = said(&mut basics, &mut direction);
    let style = text::filled(Some(direction.needed("style")));
    let total_seconds = seconds(&mut specs);
    if matches!(advanced.params.get("auto_approve"), Some(Value::Bool(true))) {
        advanced.reject("auto_approve", "is not supported: money is spent only once the job is approved");
    }
    let asset_ids = assets(&mut creative);
    let mut top = Fields::of(params);
    // The brief is kept whole, with members that nobody reads.
    for (part, name) in [("ad_basics", "adBasics"), ("creative", "creative"), ("advanced", "advanced")] {
        if params.get(part).and_then(Value::as_object).is_some_and(object_has_nul) {
            top.reject::<()>(name, "must not contain NUL characters");
        }
    }
    let planner = top.text("planner", &[]).unwrap_or_default();
    let video_model = text::filled(top.text("video_model", &["model"]));
    let soundtrack = match top.value("generate_audio", &[]) {
        None | Some(Value::Null) => None,
        Some(Value::Bool(wanted)) => Some(*wanted),
        Some(_) => top.reject("generateAudio", "is invalid"),
    };
    let client_id = context.text("client_id");
    let request = pb::CreateJobRequest {
        command_id,
        kind: "image_pairs".to_owned(),
        campaign_id,
        client_id,
        video_model: video_model.or_else(|| advanced.texts("model_preferences").into_iter().next()),
        aspect_ratio: specs.text("format"),
        resolution: specs.text("resolution").or_else(|| advanced.text("resolution")),
        parameters_json: kept(params).to_string(),
        planner,
        asset_ids,
        total_seconds,
        style,
        music_genre: direction.text("music_style"),
        brief: said,
        soundtrack,
        ..pb::CreateJobRequest::default()
    };
    let parts = [context, basics, creative, specs, direction, advanced];
    let wrong: Vec<_> = parts.into_iter().flat_map(|part| part.wrong).collect();
    if !wrong.is_empty() {
        return Err(Problem::validation(JOBS.family(), wrong));
    }
    top.finish(JOBS.family())?;
    Ok(request)
}

/// What the planner is told of the film.
fn said(basics: &mut Part, direction: &mut Part) -> String {
    let elements = direction.texts("visual_elements").join(", ");
    let lines = [
        ("Shown", basics.needed("product")),
        ("For", basics.needed("target_audience")),
        ("Message", basics.needed("key_message")),
        ("Call to action", basics.needed("call_to_action")),
        ("Tone", direction.text("tone").unwrap_or_default()),
        ("Elements", elements),
    ];
    let said =
        lines.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name}: {text}"));
    said.collect::<Vec<_>>().join("\n")
}

fn seconds(specs: &mut Part) -> Option<f64> {
    match specs.params.get("duration") {
        Some(Value::Number(number)) => number.as_f64().filter(|seconds| seconds.is_finite()),
        Some(Value::String(text)) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
            text.trim().parse().ok()
        }
        None | Some(Value::Null) if !specs.missing => {
            specs.reject("duration", "can't be blank");
            None
        }
        None | Some(Value::Null) => None,
        Some(_) => {
            specs.reject("duration", "is invalid");
            None
        }
    }
}

/// Ids of the photos that the brief names.
fn assets(creative: &mut Part) -> Vec<String> {
    let items = match creative.params.get("assets") {
        None | Some(Value::Null) => return Vec::new(),
        // Nothing chosen is not the same as nothing said, which stands for all.
        Some(Value::Array(items)) if items.is_empty() => {
            creative.reject("assets", "should have at least 1 item(s); leave it out for all photos");
            return Vec::new();
        }
        Some(Value::Array(items)) => items.clone(),
        Some(_) => {
            creative.reject("assets", "is invalid");
            return Vec::new();
        }
    };
    let mut ids = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let named = item.as_object().map(|object| Params::of_object(object.clone())).unwrap_or_default();
        match named.get("asset_id").and_then(Value::as_str) {
            Some(id) if id.contains('\0') => {
                creative.reject(&format!("assets[{place}].assetId"), "must not contain NUL characters");
            }
            Some(id) => ids.push(id.to_owned()),
            None => creative.reject(
                &format!("assets[{place}]"),
                "needs an assetId; upload a URL with POST /api/v3/assets/from-url first",
            ),
        }
    }
    ids
}

/// The brief as it is kept with the job.
fn kept(params: &Params) -> Value {
    let mut brief = Map::new();
    for name in ["ad_basics", "creative", "advanced"] {
        if let Some(part) = params.get(name).filter(|part| !part.is_null()) {
            brief.insert(name.to_owned(), part.clone());
        }
    }
    json!({ "creative_brief": brief })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<pb::CreateJobRequest, Problem> {
        brief(&Params::of_object(body.as_object().cloned().unwrap_or_default()), "c-1".to_owned())
    }

    fn whole() -> Value {
        json!({
            "context": {"clientId": "cl-1", "campaignId": "c-1"},
            "adBasics": {"product": "A lodge", "targetAudience": "Families", "keyMessage": "Rest", "callToAction": "Book"},
            "creative": {
                "videoSpecs": {"duration": 30, "format": "9:16"},
                "direction": {"style": "modern", "tone": "calm", "visualElements": ["pool", "sun"], "musicStyle": "jazz"},
                "assets": [{"assetId": "a-1"}, {"asset_id": "a-2"}]
            },
            "advanced": {"modelPreferences": ["hailuo-02", "veo3"]},
            "generateAudio": false
        })
    }

    #[test]
    fn a_brief_says_what_the_film_is_to_be() {
        let request = read(&whole()).expect("a request");
        assert_eq!((request.campaign_id.as_str(), request.client_id.as_deref()), ("c-1", Some("cl-1")));
        assert_eq!((request.total_seconds, request.aspect_ratio.as_deref()), (Some(30.0), Some("9:16")));
        assert_eq!(
            (request.style.as_deref(), request.music_genre.as_deref()),
            (Some("modern"), Some("jazz"))
        );
        assert_eq!((request.video_model.as_deref(), request.soundtrack), (Some("hailuo-02"), Some(false)));
        assert_eq!(request.asset_ids, ["a-1", "a-2"]);
        let said = "Shown: A lodge\nFor: Families\nMessage: Rest\nCall to action: Book\nTone: calm\nElements: pool, sun";
        assert_eq!(request.brief, said);
        assert!(request.parameters_json.contains("creative_brief"));
    }

    #[test]
    fn what_a_brief_lacks_is_named_where_it_is() {
        let fields = |body: Value| match read(&body) {
            Ok(_) => Vec::new(),
            Err(problem) => problem.fields(),
        };
        let mut body = whole();
        body["adBasics"] = json!(null);
        body["creative"]["videoSpecs"] = json!({});
        body["creative"]["direction"]["style"] = json!(" ");
        assert_eq!(fields(body), ["adBasics", "creative.videoSpecs.duration", "creative.direction.style"]);
        let mut body = whole();
        body["adBasics"]["product"] = json!(3);
        body["creative"]["assets"] = json!([{"url": "https://img.example/a.jpg"}]);
        body["advanced"]["autoApprove"] = json!(true);
        assert_eq!(fields(body), ["adBasics.product", "creative.assets[0]", "advanced.autoApprove"]);
        assert_eq!(fields(json!({"context": {"campaignId": "c"}})), ["adBasics", "creative"]);
    }
}
