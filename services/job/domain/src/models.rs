//! The model registry: one place for validation, price and rendering.

use crate::refusal::Violation;

/// Micro-dollars in a dollar.
pub const MICROS_PER_USD: i64 = 1_000_000;
/// The key of the model used when nobody names one.
pub const DEFAULT_MODEL: &str = "veo3";

/// How a requested length becomes one that the model makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Up to 5 s gives 4, up to 7 s gives 6, more gives 8.
    Veo,
    /// From 9 s on gives 10, less gives 6.
    Hailuo,
}

/// How the shape of the clip is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// It is sent along; this one unless asked otherwise.
    Sent {
        /// The default.
        default: &'static str,
    },
    /// The clip has the shape of its first frame; a wish is checked and not sent.
    FollowsFirstFrame,
}

/// A video model that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Key in our own records, a public identifier.
    pub key: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Names under which callers may ask for it, the key among them.
    pub aliases: &'static [&'static str],
    /// The provider's name of the model.
    pub slug: &'static str,
    /// The lengths that it makes, in seconds, ascending.
    pub billed_seconds: &'static [u32],
    /// How a requested length becomes one of them.
    pub rounding: Rounding,
    /// The aspect ratios that may be asked for.
    pub aspect_ratios: &'static [&'static str],
    /// How the shape is chosen.
    pub aspect: Aspect,
    /// The resolutions, best first.
    pub resolutions: &'static [&'static str],
    /// Pairs of length and resolution that the model refuses.
    pub refused: &'static [(u32, &'static str)],
    /// Price in micro-dollars per billed second.
    pub price_micros_per_second: i64,
}

static MODELS: [Model; 2] = [
    Model {
        key: "veo3",
        name: "Veo 3.1",
        aliases: &["veo3", "veo-3.1", "veo3.1", "google/veo-3.1"],
        slug: "google/veo-3.1",
        billed_seconds: &[4, 6, 8],
        rounding: Rounding::Veo,
        aspect_ratios: &["16:9", "9:16"],
        aspect: Aspect::Sent { default: "16:9" },
        resolutions: &["1080p", "720p"],
        refused: &[],
        price_micros_per_second: 200_000,
    },
    Model {
        // The misspelling is a public identifier.
        key: "hilua-2.5",
        name: "Hailuo-02",
        aliases: &[
            "hilua-2.5",
            "hilua",
            "hailuo-2.5",
            "hailuo-2.0",
            "hailuo-02",
            "hailuo2",
            "minimax/hailuo-02",
        ],
        slug: "minimax/hailuo-02",
        billed_seconds: &[6, 10],
        rounding: Rounding::Hailuo,
        aspect_ratios: &["16:9", "9:16"],
        aspect: Aspect::FollowsFirstFrame,
        resolutions: &["1080p", "768p"],
        refused: &[(10, "1080p")],
        price_micros_per_second: 100_000,
    },
];

/// Every model.
#[must_use]
pub fn registry() -> &'static [Model] {
    &MODELS
}

/// A model by any of its names, in any case, with white space around it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    let name = name.trim().to_lowercase();
    MODELS.iter().find(|model| model.aliases.contains(&name.as_str()))
}

/// A model by name, or which names there are. `field` is where the name came from.
pub fn require(field: &str, name: &str) -> Result<&'static Model, Violation> {
    find(name).ok_or_else(|| {
        let names: Vec<_> = MODELS.iter().flat_map(|model| model.aliases).copied().collect();
        let name: String = name.chars().take(60).collect();
        Violation::new(field, format!("is not supported: \"{name}\"; use one of {}", names.join(", ")))
    })
}

impl Model {
    /// The longest clip in seconds.
    #[must_use]
    pub fn longest(&self) -> u32 {
        self.billed_seconds.iter().copied().max().unwrap_or_default()
    }

    /// The length that is made and billed for a requested one.
    #[must_use]
    pub fn billed(&self, requested_ms: i64) -> u32 {
        match self.rounding {
            Rounding::Veo if requested_ms <= 5_000 => 4,
            Rounding::Veo if requested_ms <= 7_000 => 6,
            Rounding::Veo => 8,
            Rounding::Hailuo if requested_ms >= 9_000 => 10,
            Rounding::Hailuo => 6,
        }
    }

    /// Checks a length that a caller asks for: above 0 and not longer than the model makes.
    pub fn check_length(&self, field: &str, requested_ms: i64) -> Result<(), Violation> {
        if requested_ms > 0 && requested_ms <= i64::from(self.longest()) * 1_000 {
            return Ok(());
        }
        let longest = self.longest();
        Err(Violation::new(
            field,
            format!("must be more than 0 and at most {longest} seconds for {}", self.name),
        ))
    }

    /// Checks an aspect ratio that a caller asks for.
    pub fn check_aspect(&self, field: &str, ratio: &str) -> Result<(), Violation> {
        if self.aspect_ratios.contains(&ratio) {
            return Ok(());
        }
        let ratios = self.aspect_ratios.join(", ");
        Err(Violation::new(field, format!("is not supported by {}; use one of {ratios}", self.name)))
    }

    /// Checks a resolution that a caller asks for, for clips of the lengths given.
    pub fn check_resolution(&self, field: &str, wanted: &str, lengths: &[u32]) -> Result<(), Violation> {
        if !self.resolutions.contains(&wanted) {
            let offered = self.resolutions.join(", ");
            return Err(Violation::new(
                field,
                format!("is not supported by {}; use one of {offered}", self.name),
            ));
        }
        match lengths.iter().find(|seconds| self.refused.contains(&(**seconds, wanted))) {
            None => Ok(()),
            Some(seconds) => Err(Violation::new(
                field,
                format!("is not possible for clips of {seconds} seconds with {}", self.name),
            )),
        }
    }

    /// The aspect ratio to send; none when the clip follows its first frame.
    #[must_use]
    pub fn aspect_to_send(&self, wanted: Option<&str>) -> Option<String> {
        match self.aspect {
            Aspect::Sent { default } => Some(wanted.unwrap_or(default).to_owned()),
            Aspect::FollowsFirstFrame => None,
        }
    }

    /// The resolution to send: the one asked for, else the best that the length allows.
    #[must_use]
    pub fn resolution_to_send(&self, wanted: Option<&str>, seconds: u32) -> String {
        let possible = |resolution: &&str| !self.refused.contains(&(seconds, *resolution));
        let best = self.resolutions.iter().copied().find(possible).unwrap_or_default();
        wanted.filter(possible).unwrap_or(best).to_owned()
    }

    /// Price of a clip in micro-dollars.
    #[must_use]
    pub fn price_micros(&self, billed_seconds: u32) -> i64 {
        i64::from(billed_seconds) * self.price_micros_per_second
    }
}
