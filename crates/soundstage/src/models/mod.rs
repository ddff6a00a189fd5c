//! The models of the stage: what they are called, what they accept, what they cost.

mod input;
mod musicgen;
mod video;

use serde_json::Value;

pub(crate) use input::Invalid;
pub(crate) use musicgen::SongJob;
pub(crate) use video::{ClipJob, Shape};

/// One model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    Veo,
    Hailuo,
    MusicGen,
}

/// What a prediction has to make.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Job {
    Clip(ClipJob),
    Song(SongJob),
}

/// The version ids that the stage gives its models.
const VERSIONS: [(Model, &str, &str); 3] = [
    (Model::Veo, "google/veo-3.1", "hidden"),
    (Model::Hailuo, "minimax/hailuo-02", "hidden"),
    (Model::MusicGen, "meta/musicgen", "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"),
];

impl Model {
    /// Finds a model by `owner/name`, `owner/name:version` or a bare version id.
    pub(crate) fn named(reference: &str) -> Option<Self> {
        let (name, version) = match reference.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (reference, None),
        };
        VERSIONS
            .iter()
            .find(|(_, slug, id)| match version {
                Some(version) => *slug == name && *id == version,
                None => *slug == name || (*id == name && *id != "hidden"),
            })
            .map(|(model, ..)| *model)
    }

    pub(crate) fn slug(self) -> &'static str {
        VERSIONS.iter().find(|(model, ..)| *model == self).map_or("", |(_, slug, _)| slug)
    }

    pub(crate) fn version(self) -> &'static str {
        VERSIONS.iter().find(|(model, ..)| *model == self).map_or("", |(.., version)| version)
    }

    /// `video` or `music`, as in the ledger.
    pub(crate) fn kind(self) -> &'static str {
        if self == Self::MusicGen { "music" } else { "video" }
    }

    /// Checks an input by the model's schema.
    pub(crate) fn check(self, input: &Value) -> Result<Job, Vec<Invalid>> {
        match self {
            Self::Veo => video::veo(input).map(Job::Clip),
            Self::Hailuo => video::hailuo(input).map(Job::Clip),
            Self::MusicGen => musicgen::song(input).map(Job::Song),
        }
    }

    /// What a successful run costs, in USD.
    pub(crate) fn price_usd(self, job: &Job) -> f64 {
        match (self, job) {
            (Self::Veo, Job::Clip(clip)) => 0.20 * f64::from(clip.seconds),
            (Self::Hailuo, Job::Clip(clip)) => 0.10 * f64::from(clip.seconds),
            _ => 0.08,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_by_slug_version_or_both() {
        let id = Model::MusicGen.version();
        assert_eq!(Model::named("google/veo-3.1"), Some(Model::Veo));
        assert_eq!(Model::named(&format!("meta/musicgen:{id}")), Some(Model::MusicGen));
        assert_eq!(Model::named(id), Some(Model::MusicGen));
        assert_eq!(Model::named("meta/musicgen:1234"), None);
        assert_eq!(Model::named("hidden"), None);
    }
}
