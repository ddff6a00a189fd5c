//! Every source, subject and durable name, spelled once.

/// The services that publish.
pub mod source {
    /// Clients, campaigns, assets.
    pub const ASSET: &str = "asset";
    /// Jobs and their scenes.
    pub const JOB: &str = "job";
    /// Clips.
    pub const RENDER: &str = "render";
    /// Cuts, mixes and posters.
    pub const STITCH: &str = "stitch";
    /// Soundtracks.
    pub const AUDIO: &str = "audio";

    /// All of them.
    pub const ALL: [&str; 5] = [ASSET, JOB, RENDER, STITCH, AUDIO];
}

/// Durable names: `<consumer>-<source>`.
pub mod durable {
    /// What job hears from render.
    pub const JOB_RENDER: &str = "job-render";
    /// What job hears from stitch.
    pub const JOB_STITCH: &str = "job-stitch";
    /// What job hears from audio.
    pub const JOB_AUDIO: &str = "job-audio";
    /// What job hears from asset.
    pub const JOB_ASSET: &str = "job-asset";
}

const ROOT: &str = "filmstrip";
const VERSION: &str = "v1";

/// Where a subscription's checkpoint lies in the consumer's database.
#[must_use]
pub fn checkpoint(durable: &str) -> String {
    format!("bus/{durable}")
}

/// A subject is made of tokens without dots, blanks or wildcards.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{token:?} cannot be a part of a subject: only letters, digits, `-` and `_` can")]
pub struct BadToken {
    token: String,
}

/// `filmstrip.<source>.v1.<entity>.<name>`.
///
/// # Errors
/// When a part is not a token.
pub fn subject(source: &str, entity: &str, name: &str) -> Result<String, BadToken> {
    for token in [source, entity, name] {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if token.is_empty() || !token.bytes().all(fits) {
            return Err(BadToken { token: token.to_owned() });
        }
    }
    Ok(format!("{ROOT}.{source}.{VERSION}.{entity}.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_service_version_entity_and_event() {
        assert_eq!(
            subject(source::RENDER, "43-2-1", "render_finished").unwrap(),
            "filmstrip.render.v1.43-2-1.render_finished"
        );
    }

    #[test]
    fn a_part_that_would_change_the_subject_is_refused() {
        for bad in ["", "a.b", "a b", "*", ">", "a\n"] {
            assert!(subject(source::JOB, bad, "job_completed").is_err(), "{bad:?}");
        }
    }
}
