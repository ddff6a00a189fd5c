//! Which failures are worth a fresh attempt, and which are refusals of the content.

/// What a prediction's error text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The provider had a bad moment: a fresh attempt may work.
    Transient,
    /// The provider could not fetch our media: it, the network or our own gateway had a bad moment. That may last
    /// longer than one of the model's.
    Unfetched,
    /// The content is refused: the same input will be refused again.
    Refused,
    /// Anything else.
    Other,
}

/// Codes and wordings of <https://replicate.com/docs/reference/error-codes> and of the models behind it.
const REFUSED: &[&str] = &[
    "e005",
    "sensitive",
    "flagged",
    "nsfw",
    "safety",
    "content policy",
    "content_policy",
    "violates",
    "inappropriate",
    "moderation",
];

const TRANSIENT: &[&str] = &[
    "e6716",
    "e1000",
    "e1001",
    "e9243",
    "timeout starting prediction",
    "internal error",
    "internal server error",
    "try again later",
    "temporarily unavailable",
    "service is unavailable",
    "code 13",
    "code: 13",
    "prediction interrupted",
];

/// Wordings for an input that could not be fetched from its URL; models word it as they like.
const UNFETCHED: &[&str] = &[
    "could not download",
    "couldn't download",
    "failed to download",
    "unable to download",
    "error downloading",
    "could not fetch",
    "failed to fetch",
    "unable to fetch",
];

/// Wordings for an input that was fetched and is no use: it will be none the next time either.
const TOO_LARGE: &[&str] = &["larger than", "too large", "exceeds"];

/// What an error text of a failed prediction says; a refusal wins over a wording such as "try again later".
#[must_use]
pub fn reported(error: &str) -> Reported {
    let text = error.to_lowercase();
    let says = |wordings: &[&str]| wordings.iter().any(|part| text.contains(part));
    if says(REFUSED) {
        Reported::Refused
    } else if says(UNFETCHED) && !says(TOO_LARGE) {
        Reported::Unfetched
    } else if says(TRANSIENT) {
        Reported::Transient
    } else {
        Reported::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_moment_of_the_provider_is_transient() {
        for text in [
            "Timeout starting prediction (E6716)",
            "Prediction failed (E1000)",
            "Internal error. Please try again later.",
            "rpc error: code 13",
        ] {
            assert_eq!(reported(text), Reported::Transient, "{text}");
        }
    }

    #[test]
    fn media_that_could_not_be_fetched_may_be_fetched_later_unless_it_is_too_large() {
        let gone = "Could not download the input https://film.example/api/v3/media/ab: connection refused";
        assert_eq!(reported(gone), Reported::Unfetched);
        assert_eq!(reported("Failed to download image: 503 Server Error"), Reported::Unfetched);
        let large = "Could not download the input https://film.example/a: it is larger than 100 MB";
        assert_eq!(reported(large), Reported::Other);
    }

    #[test]
    fn refused_content_is_never_tried_again() {
        for text in [
            "The input or output was flagged as sensitive. Please try again later. (E005)",
            "Blocked by SAFETY filters",
        ] {
            assert_eq!(reported(text), Reported::Refused, "{text}");
        }
    }

    #[test]
    fn anything_else_is_just_a_failure() {
        assert_eq!(reported("CUDA out of memory"), Reported::Other);
        assert_eq!(reported(""), Reported::Other);
    }
}
