//! What the provider sends: predictions, pages, files. Lenient where the provider is free to change, total where
//! we decide on it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One prediction (<https://replicate.com/docs/reference/http#predictions.get>).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Prediction {
    /// The provider's id.
    pub id: String,
    /// How it is.
    #[serde(deserialize_with = "status")]
    pub status: Status,
    /// What it was given; empty once the provider has forgotten.
    #[serde(deserialize_with = "or_default")]
    pub input: Value,
    /// What came out.
    #[serde(deserialize_with = "or_default")]
    pub output: Value,
    /// Why it failed; text, or whatever the model put there.
    #[serde(deserialize_with = "or_default")]
    pub error: Value,
    /// When it was accepted.
    pub created_at: Option<Timestamp>,
    /// When the model began; from then on it costs money.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub completed_at: Option<Timestamp>,
    /// Input and output are forgotten.
    #[serde(deserialize_with = "or_default")]
    pub data_removed: bool,
}

/// The provider's status words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Not running yet.
    #[default]
    Starting,
    /// Running.
    Processing,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Stopped; costs money if it had begun.
    Canceled,
    /// Stopped before it began.
    Aborted,
    /// A word that this build does not know.
    Other(String),
}

impl From<&str> for Status {
    fn from(word: &str) -> Self {
        match word {
            "starting" | "queued" => Self::Starting,
            "processing" => Self::Processing,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" | "cancelled" => Self::Canceled,
            "aborted" => Self::Aborted,
            other => Self::Other(other.to_owned()),
        }
    }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    String::deserialize(deserializer).map(|word| Status::from(word.as_str()))
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Prediction {
    /// The error as text.
    #[must_use]
    pub fn error_text(&self) -> String {
        match &self.error {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Whether it has come to an end, as far as its status says.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.status {
            Status::Starting | Status::Processing => false,
            Status::Succeeded | Status::Failed | Status::Canceled | Status::Aborted => true,
            // A word that we do not know.
            Status::Other(_) => self.completed_at.is_some(),
        }
    }

    /// Where the output is: a URL, the first of a list, or the `video`, `audio` or `url` of an object.
    #[must_use]
    pub fn output_url(&self) -> Option<&str> {
        let value = match &self.output {
            Value::Array(list) => list.first()?,
            Value::Object(members) => ["video", "audio", "url"].iter().find_map(|name| members.get(*name))?,
            other => other,
        };
        value.as_str().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    }
}

/// A page of predictions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Page {
    /// The address of the next, older page.
    #[serde(default)]
    pub next: Option<String>,
    /// The predictions.
    pub results: Vec<Prediction>,
}

/// A file that was given to the provider.
#[derive(Debug, Deserialize)]
pub(crate) struct UploadedFile {
    pub(crate) urls: FileUrls,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FileUrls {
    pub(crate) get: String,
}

/// Without `Debug`: it must not get into a log.
#[derive(Deserialize)]
pub(crate) struct WebhookSecret {
    pub(crate) key: String,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case(json!("https://x/y.mp4"), Some("https://x/y.mp4"))]
    #[case(json!(["https://x/1.mp4", "https://x/2.mp4"]), Some("https://x/1.mp4"))]
    #[case(json!({"video": "https://x/v.mp4"}), Some("https://x/v.mp4"))]
    #[case(json!({"thumbnail": "https://x/t.jpg"}), None)]
    #[case(json!("file:///etc/passwd"), None)]
    #[case(json!([]), None)]
    #[case(Value::Null, None)]
    fn outputs_come_in_three_shapes(#[case] output: Value, #[case] url: Option<&str>) {
        assert_eq!(Prediction { output, ..Prediction::default() }.output_url(), url);
    }

    #[test]
    fn unknown_words_and_missing_members_are_read() {
        let read: Prediction =
            serde_json::from_value(json!({"id": "p", "status": "paused", "error": null, "logs": ""}))
                .unwrap();
        assert_eq!(read.status, Status::Other("paused".into()));
        assert_eq!(read.error_text(), "");
    }
}
