//! How a job ended: what its row says, and what of it is there.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::json::{self, Members};
use crate::unfinished::unfinished;

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ending {
    /// `completed` or `failed`.
    pub(super) status: &'static str,
    /// Why it failed.
    pub(super) error: String,
    /// Why the video is missing, when there was one.
    pub(super) missing: Option<String>,
}

/// What is in the place of a job's video.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Video {
    /// Bytes of a video, as far as can be told without looking into them.
    There,
    /// Nothing.
    Absent,
    /// A sentence: so the service ended jobs of which it could not join the clips.
    Sentence(String),
}

/// How a job with this status ended. None: there is no such status.
pub(super) fn of(status: &str, progress: Option<&Members>, video: &Video) -> Option<Ending> {
    let failed = |error: String| Ending { status: "failed", error, missing: None };
    Some(match (status, video) {
        ("completed", Video::There) => Ending { status: "completed", error: String::new(), missing: None },
        ("completed", Video::Absent) => {
            let missing = "the bytes of its video are not in the source".to_owned();
            let error = format!("the older service completed it, but {missing}");
            Ending { missing: Some(missing), ..failed(error) }
        }
        ("completed", Video::Sentence(sentence)) => {
            let missing =
                format!("the older service stored a sentence in the place of its video: {sentence}");
            Ending { missing: Some(missing.clone()), ..failed(missing) }
        }
        ("failed", _) => failed(
            reason(progress)
                .unwrap_or_else(|| "it failed in the older service, which kept no reason".to_owned()),
        ),
        ("pending" | "approved" | "processing", _) => failed(unfinished(status)),
        _ => return None,
    })
}

/// What a job's progress says went wrong.
fn reason(progress: Option<&Members>) -> Option<String> {
    match progress?.get("error")? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

/// Whether the soundtrack is in the video.
pub(super) fn audio_merged(progress: Option<&Members>) -> bool {
    let Some(progress) = progress else { return false };
    progress.get("video_with_audio") == Some(&Value::Bool(true))
        || json::text(Some(progress), &["audio_status"]) == Some("completed_and_merged")
}

/// What a person should know of the soundtrack of a job that is completed.
pub(super) fn audio_warning(progress: Option<&Members>) -> Option<String> {
    let failed = json::text(progress, &["audio_status"]) == Some("failed");
    failed.then(|| match reason(progress) {
        Some(reason) => format!("its soundtrack failed in the older service: {reason}"),
        None => "its soundtrack failed in the older service, which kept no reason".to_owned(),
    })
}

/// Takes the still of the video out of a job's progress. Errors: there is one, but it is no Base64; it stays.
pub(super) fn take_poster(progress: &mut Members) -> Result<Option<Vec<u8>>, String> {
    let Some(text) = json::text(Some(progress), &["thumbnail"]) else { return Ok(None) };
    // Some were written as the address of an image in itself.
    let text =
        if text.starts_with("data:") { text.split_once(',').map_or("", |(_, data)| data) } else { text };
    let text: String = text.split_ascii_whitespace().collect();
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => {
            progress.shift_remove("thumbnail");
            Ok(Some(bytes))
        }
        Ok(_) => Err("the still of its video is empty".to_owned()),
        Err(error) => Err(format!("the still of its video cannot be read: it is no Base64 ({error})")),
    }
}

/// The sentence that bytes are, if they are one: readable text from the first byte to the last, which no video is.
pub(super) fn sentence(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let readable = !text.is_empty() && text.chars().all(|char| !char.is_control() || char.is_whitespace());
    readable.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    //! Endings, one by one.

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn members(value: &Value) -> Members {
        value.as_object().cloned().unwrap()
    }

    #[rstest]
    #[case::with_a_video("completed", Video::There, "completed", "")]
    #[case::without_one("completed", Video::Absent, "failed", "the bytes of its video are not in the source")]
    #[case::with_a_sentence("completed", Video::Sentence("Stitched with errors".to_owned()), "failed", "Stitched with errors")]
    #[case::failed("failed", Video::Absent, "failed", "no clips")]
    #[case::pending("pending", Video::Absent, "failed", "(status pending) and is not taken further")]
    #[case::approved("approved", Video::Absent, "failed", "(status approved) and is not taken further")]
    #[case::processing("processing", Video::There, "failed", "(status processing) and is not taken further")]
    fn a_job_ends_by_its_status_and_its_video(
        #[case] status: &str,
        #[case] video: Video,
        #[case] ended: &str,
        #[case] reason: &str,
    ) {
        let progress = members(&json!({"error": "no clips"}));
        let ending = of(status, Some(&progress), &video).unwrap();
        assert_eq!(ending.status, ended);
        assert!(ending.error.contains(reason), "{}", ending.error);
        assert_eq!(ending.error.is_empty(), ended == "completed");
        assert_eq!(ending.missing.is_some(), status == "completed" && video != Video::There);
    }

    #[test]
    fn an_unknown_status_is_no_ending() {
        assert_eq!(of("cancelled", None, &Video::There), None);
    }

    #[rstest]
    #[case(json!({"error": "  "}), "kept no reason")]
    #[case(json!({}), "kept no reason")]
    #[case(json!({"error": {"code": 7}}), "{\"code\":7}")]
    fn a_reason_of_any_shape_is_one_that_a_person_can_read(#[case] progress: Value, #[case] reason: &str) {
        let ending = of("failed", Some(&members(&progress)), &Video::Absent).unwrap();
        assert!(ending.error.contains(reason), "{}", ending.error);
    }

    #[rstest]
    #[case(json!({"video_with_audio": true}), true)]
    #[case(json!({"audio_status": "completed_and_merged"}), true)]
    #[case(json!({"audio_status": "completed", "video_with_audio": "true"}), false)]
    fn sound_is_in_the_video_when_progress_says_so(#[case] progress: Value, #[case] merged: bool) {
        assert_eq!(audio_merged(Some(&members(&progress))), merged);
    }

    #[rstest]
    #[case::plain("/9j/4A==")]
    #[case::with_breaks("/9j/\n4A==\n")]
    #[case::address("data:image/jpeg;base64,/9j/4A==")]
    fn the_still_is_taken_out_of_progress(#[case] text: &str) {
        let mut progress = members(&json!({"thumbnail": text, "stage": "completed"}));
        assert_eq!(take_poster(&mut progress), Ok(Some(vec![0xff, 0xd8, 0xff, 0xe0])));
        assert_eq!(progress, members(&json!({"stage": "completed"})));
    }

    #[test]
    fn a_still_that_cannot_be_read_is_said_and_stays() {
        let mut progress = members(&json!({"thumbnail": "no base64!"}));
        assert!(take_poster(&mut progress).unwrap_err().contains("no Base64"));
        assert_eq!(progress, members(&json!({"thumbnail": "no base64!"})));
    }

    proptest! {
        #[test]
        fn no_mp4_is_a_sentence(after in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut video = b"\0\0\0\x18ftypmp42".to_vec();
            video.extend(after);
            prop_assert_eq!(sentence(&video), None);
        }

        #[test]
        fn any_words_are_a_sentence(words in "[a-zA-Zé:,.]{1,20}( [a-z]{1,9}){0,5}") {
            prop_assert_eq!(sentence(words.as_bytes()), Some(words.clone()));
        }
    }
}
