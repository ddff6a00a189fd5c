//! Pure: what may be asked to be spoken, and what it costs.

use serde::{Deserialize, Serialize};

/// The longest script, in characters.
pub const LONGEST_SCRIPT: usize = 5_000;
/// What is billed for a character, USD micros: the public price of a thousand is 0.10 USD
/// (<https://elevenlabs.io/pricing/api>).
const MICROS_PER_CHARACTER: i64 = 100;
/// The providers that there are.
pub const PROVIDERS: [&str; 1] = ["elevenlabs"];
/// The voices that have a name here, with the provider's ids of its public ones.
const VOICES: [(&str, &str); 4] = [
    ("professional", "21m00Tcm4TlvDq8ikWAM"),
    ("friendly", "EXAVITQu4vr4xnSDxMaL"),
    ("calm", "pNInz6obpgDQGcFmaJgB"),
    ("energetic", "TxGEqnHWrfWFTfGW9XjX"),
];
const USUAL_VOICE: &str = "professional";
const USUAL_MODEL: &str = "eleven_multilingual_v2";

/// Models that traces and metrics call by their own names: callers may name any.
const MODELS: [&str; 4] = [USUAL_MODEL, "eleven_v3", "eleven_flash_v2_5", "eleven_turbo_v2_5"];

/// A script that is to be spoken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Such as `testing/voice-ab12`.
    pub key: String,
    /// Digest of what is wanted, by the asker.
    pub digest: String,
    /// What is said.
    pub script: String,
    /// The provider's id of the voice.
    pub voice: String,
    /// The provider's model.
    pub model: String,
    /// How even the voice is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<f64>,
    /// How close it is to the original, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity_boost: Option<f64>,
    /// How fast it speaks, 0.7 to 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}

/// The provider's id for a voice by name or id.
#[must_use]
pub fn voice_id(voice: &str) -> String {
    let wanted = if voice.trim().is_empty() { USUAL_VOICE } else { voice.trim() };
    let known = VOICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    known.map_or(wanted, |(_, id)| id).to_owned()
}

/// The provider's model, the usual one when none is named.
#[must_use]
pub fn model_id(model: &str) -> String {
    if model.trim().is_empty() { USUAL_MODEL.to_owned() } else { model.trim().to_owned() }
}

/// What traces and metrics call a model.
#[must_use]
pub fn model_key(model: &str) -> &'static str {
    MODELS.iter().find(|known| **known == model).unwrap_or(&"other")
}

impl Request {
    /// What is wrong with it, by field. `provider` is the one that was asked for.
    #[must_use]
    pub fn check(&self, provider: &str) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.script.trim().is_empty() {
            wrong.push(("script", "can't be blank".to_owned()));
        }
        if self.script.chars().count() > LONGEST_SCRIPT {
            wrong.push(("script", format!("should be at most {LONGEST_SCRIPT} character(s)")));
        }
        if self.script.contains('\0') {
            wrong.push(("script", "must not contain NUL characters".to_owned()));
        }
        if !provider.is_empty() && !PROVIDERS.contains(&provider) {
            wrong.push(("options.provider", format!("must be one of {}", PROVIDERS.join(", "))));
        }
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        if !is_id(&self.voice) {
            let names: Vec<&str> = VOICES.iter().map(|(name, _)| *name).collect();
            wrong.push((
                "options.voice",
                format!("must be one of {}, or the provider's id", names.join(", ")),
            ));
        }
        if !is_id(&self.model) {
            wrong.push(("options.model", "must be the provider's name of a model".to_owned()));
        }
        for (field, value, least, most) in [
            ("options.stability", self.stability, 0.0, 1.0),
            ("options.similarity_boost", self.similarity_boost, 0.0, 1.0),
            ("options.speed", self.speed, 0.7, 1.2),
        ] {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                wrong.push((field, format!("must be from {least} to {most}")));
            }
        }
        wrong
    }

    /// Whether another request, under whatever key, would be spoken the same.
    #[must_use]
    pub fn sounds_like(&self, other: &Self) -> bool {
        let named = |request: &Self| Self { key: String::new(), digest: String::new(), ..request.clone() };
        named(self) == named(other)
    }

    /// What speaking it costs, USD micros.
    #[must_use]
    pub fn price_micros(&self) -> i64 {
        i64::try_from(self.script.chars().count()).unwrap_or(i64::MAX).saturating_mul(MICROS_PER_CHARACTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(script: &str) -> Request {
        Request {
            key: "testing/voice-1".into(),
            digest: "d".into(),
            script: script.into(),
            voice: voice_id(""),
            model: model_id(""),
            stability: None,
            similarity_boost: None,
            speed: None,
        }
    }

    #[test]
    fn a_voice_has_a_name_or_the_providers_id() {
        assert_eq!(voice_id(" Professional "), "21m00Tcm4TlvDq8ikWAM");
        assert_eq!(voice_id("abcDEF123"), "abcDEF123");
    }

    #[test]
    fn metrics_have_few_models_whatever_callers_name() {
        assert_eq!(model_key(&model_id("")), USUAL_MODEL);
        assert_eq!([model_key("eleven_v3"), model_key("made_up_4711")], ["eleven_v3", "other"]);
    }

    #[test]
    fn the_price_follows_the_characters() {
        assert_eq!(request("Grüße").price_micros(), 500);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let fields = |request: &Request, provider: &str| {
            request.check(provider).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&request("Hello"), "elevenlabs"), Vec::<&str>::new());
        assert_eq!(fields(&request(" "), "polly"), ["script", "options.provider"]);
        assert!(request("Hello").check("polly")[0].1.contains("elevenlabs"));
        let wrong = Request {
            voice: "../../v1/user".into(),
            model: String::new(),
            speed: Some(9.0),
            stability: Some(f64::NAN),
            ..request(&"x".repeat(5_001))
        };
        let wanted = ["script", "options.voice", "options.model", "options.stability", "options.speed"];
        assert_eq!(fields(&wrong, ""), wanted);
    }
}
