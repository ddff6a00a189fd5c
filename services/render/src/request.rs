//! A wish, checked and turned into an order.

use job_domain::models::{self, Model};
use predictions::{MediaInput, Order};
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};

use crate::{error::RenderError, model};

/// A clip that is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// Such as `job-43/scene-2/take-1`.
    pub key: String,
    /// Digest of what is wanted, by the asker.
    pub digest: String,
    /// Whose turn it is is decided by campaign.
    pub campaign_id: String,
    /// Which take of which scene.
    pub take: Take,
    /// The provider's name of the model, such as `google/veo-3.1`.
    pub model: String,
    /// What is to be seen.
    pub prompt: String,
    /// The photo it begins with.
    pub first_frame: Option<BlobRef>,
    /// The photo it ends with; the first again when there is none.
    pub last_frame: Option<BlobRef>,
    /// Length, one of the model's.
    pub seconds: u32,
    /// Shape, for a model that takes one.
    pub aspect_ratio: Option<String>,
    /// Such as `1080p`.
    pub resolution: String,
    /// USD micros per second.
    pub price_per_second_micros: i64,
}

/// Which take of which scene; comes back with each fact of its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The job.
    pub job_id: i32,
    /// The scene.
    pub scene_id: String,
    /// Its place among the scenes.
    pub scene_index: i32,
    /// Number of the take, from 1.
    pub take: u32,
    /// Ordered length, seconds.
    pub seconds: u32,
}

impl Wish {
    /// The order for this wish.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn order(&self) -> Result<Order, RenderError> {
        let mut wrong = Vec::new();
        let mut complain = |field: &'static str, message: String| wrong.push((field, message));
        for (field, value) in [
            ("key", &self.key),
            ("digest", &self.digest),
            ("scene_id", &self.take.scene_id),
            ("prompt", &self.prompt),
        ] {
            if value.trim().is_empty() {
                complain(field, "can't be blank".to_owned());
            }
        }
        if self.take.job_id < 1 || self.take.take < 1 {
            complain("take", "job_id and take must be 1 or more".to_owned());
        }
        if self.price_per_second_micros < 0 {
            complain("price_per_second_micros", "can't be negative".to_owned());
        }
        for (field, frame) in [("first_frame", &self.first_frame), ("last_frame", &self.last_frame)] {
            match frame {
                Some(frame) if !is_sha256(&frame.sha256) => {
                    complain(field, "is no reference to a blob".to_owned())
                }
                None if field == "first_frame" => complain(field, "can't be blank".to_owned()),
                _ => {}
            }
        }
        let found = models::registry().iter().find(|known| known.slug == self.model);
        match found {
            None => {
                let slugs: Vec<_> = models::registry().iter().map(|model| model.slug).collect();
                complain("model", format!("is not supported; use one of {}", slugs.join(", ")));
            }
            Some(model) => self.check(model, &mut complain),
        }
        let input = found.and_then(|found| model::input(found, self));
        match (input, &self.first_frame) {
            (Some((input, fields)), Some(first)) if wrong.is_empty() => {
                let last = self.last_frame.as_ref().unwrap_or(first);
                let media = vec![
                    MediaInput { field: fields.first.to_owned(), blob: first.clone() },
                    MediaInput { field: fields.last.to_owned(), blob: last.clone() },
                ];
                Ok(self.with(input, media))
            }
            _ => Err(RenderError::Invalid(wrong)),
        }
    }

    fn with(&self, input: serde_json::Value, media: Vec<MediaInput>) -> Order {
        Order {
            key: self.key.clone(),
            digest: self.digest.clone(),
            campaign_id: self.campaign_id.clone(),
            model: self.model.clone(),
            input,
            media,
            mark_seed: None,
            price_micros: self.price_per_second_micros.saturating_mul(i64::from(self.seconds)),
            context: serde_json::to_value(&self.take).unwrap_or_default(),
        }
    }

    fn check(&self, model: &Model, complain: &mut impl FnMut(&'static str, String)) {
        if !model.billed_seconds.contains(&self.seconds) {
            let lengths: Vec<_> = model.billed_seconds.iter().map(u32::to_string).collect();
            complain("seconds", format!("must be one of {} for {}", lengths.join(", "), model.name));
        }
        if let Err(violation) = model.check_resolution("resolution", &self.resolution, &[self.seconds]) {
            complain("resolution", violation.message);
        }
        if let Some(ratio) = &self.aspect_ratio
            && let Err(violation) = model.check_aspect("aspect_ratio", ratio)
        {
            complain("aspect_ratio", violation.message);
        }
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn photo(digit: &str) -> Option<BlobRef> {
        Some(BlobRef { sha256: digit.repeat(64), size: 1, content_type: "image/jpeg".into() })
    }

    fn wish() -> Wish {
        Wish {
            key: "job-43/scene-2/take-1".into(),
            digest: "d".into(),
            campaign_id: "c".into(),
            take: Take { job_id: 43, scene_id: "s".into(), scene_index: 2, take: 1, seconds: 6 },
            model: "google/veo-3.1".into(),
            prompt: "a kitchen".into(),
            first_frame: photo("a"),
            last_frame: None,
            seconds: 6,
            aspect_ratio: Some("16:9".into()),
            resolution: "1080p".into(),
            price_per_second_micros: 200_000,
        }
    }

    #[test]
    fn an_order_has_its_price_both_frames_and_its_take() {
        let order = wish().order().unwrap();
        assert_eq!(order.price_micros, 1_200_000);
        assert_eq!(order.media[0].blob, order.media[1].blob, "the first frame is repeated");
        assert_eq!(serde_json::from_value::<Take>(order.context).unwrap(), wish().take);
    }

    #[rstest]
    #[case::key(|wish: &mut Wish| wish.key.clear(), "key")]
    #[case::prompt(|wish: &mut Wish| wish.prompt = " \n".into(), "prompt")]
    #[case::model(|wish: &mut Wish| wish.model = "sora".into(), "model")]
    #[case::seconds(|wish: &mut Wish| wish.seconds = 5, "seconds")]
    #[case::aspect(|wish: &mut Wish| wish.aspect_ratio = Some("1:1".into()), "aspect_ratio")]
    #[case::resolution(|wish: &mut Wish| wish.resolution = "4k".into(), "resolution")]
    #[case::no_frame(|wish: &mut Wish| wish.first_frame = None, "first_frame")]
    #[case::bad_frame(|wish: &mut Wish| wish.last_frame = photo("../"), "last_frame")]
    #[case::price(|wish: &mut Wish| wish.price_per_second_micros = -1, "price_per_second_micros")]
    #[case::take(|wish: &mut Wish| wish.take.take = 0, "take")]
    fn a_wrong_field_is_named(#[case] spoil: fn(&mut Wish), #[case] field: &str) {
        let mut wish = wish();
        spoil(&mut wish);
        let RenderError::Invalid(wrong) = wish.order().unwrap_err() else { panic!("another error") };
        assert_eq!(wrong.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [field], "{wrong:?}");
    }

    #[test]
    fn ten_seconds_in_1080p_are_refused_where_the_model_refuses_them() {
        let mut wish = wish();
        (wish.model, wish.seconds, wish.aspect_ratio) = ("minimax/hailuo-02".into(), 10, None);
        assert!(wish.order().is_err());
        wish.resolution = "768p".into();
        assert!(wish.order().is_ok());
    }
}
