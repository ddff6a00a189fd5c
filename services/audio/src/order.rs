//! The orders that buy segments: their keys, their inputs, and what is kept with each of their facts.

use std::path::Path;

use async_trait::async_trait;
use media::Media;
use predictions::{Also, Buyer, Fact, MediaInput, Order, OrderState, Rejected, Usable};
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::events::Request;
use crate::model::MusicModel;
use crate::plan::{self, SegmentPlan, Window};
use crate::prompt;
use crate::store;

/// What comes back with each fact of a segment's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Key of the soundtrack.
    pub soundtrack: String,
    /// Number of the segment, from 1.
    pub number: u32,
    /// What it repeats of the segment before.
    pub window: Option<Window>,
}

impl Context {
    /// Key of the order, such as `job-43/soundtrack-1/segment-2`.
    #[must_use]
    pub fn order_key(&self) -> String {
        format!("{}/segment-{}", self.soundtrack, self.number)
    }
}

/// The order for a planned segment; `previous` is the file that it continues.
#[must_use]
pub fn order(model: &MusicModel, request: &Request, plan: SegmentPlan, previous: Option<&BlobRef>) -> Order {
    let until_ms = plan.from_ms + u64::from(plan.new_seconds) * 1000;
    let mut input = json!({
        "prompt": prompt::compose(&request.scenes, request.prompt.as_deref(), plan.from_ms, until_ms),
        "duration": plan.new_seconds,
        "model_version": model.variant,
        // Exact to the sample, and not encoded twice; the finished track is what gets compressed.
        "output_format": "wav",
        "normalization_strategy": "loudness",
    });
    let mut media = Vec::new();
    if let (Some(window), Some(previous)) = (plan.window, previous) {
        input["continuation"] = json!(true);
        input["continuation_start"] = json!(window.start);
        input["continuation_end"] = json!(window.end);
        media.push(MediaInput { field: "input_audio".to_owned(), blob: previous.clone() });
    }
    let context = Context { soundtrack: request.key.clone(), number: plan.index, window: plan.window };
    Order {
        key: context.order_key(),
        digest: digest(model, &input, &media),
        campaign_id: request.campaign_id.clone(),
        model: model.slug.to_owned(),
        mark_seed: media.is_empty().then(|| model.seed_field.to_owned()),
        input,
        media,
        price_micros: model.price_micros,
        context: serde_json::to_value(context).unwrap_or(Value::Null),
    }
}

fn digest(model: &MusicModel, input: &Value, media: &[MediaInput]) -> String {
    let files: Vec<&str> = media.iter().map(|media| media.blob.sha256.as_str()).collect();
    let text = json!({ "model": model.slug, "input": input, "media": files }).to_string();
    hex::encode(Sha256::digest(text))
}

/// The audio service as its engine sees it.
#[derive(Clone, Debug)]
pub struct AudioBuyer {
    /// Looks at what was delivered.
    pub media: Media,
}

#[async_trait]
impl Buyer for AudioBuyer {
    fn name(&self) -> &'static str {
        "audio"
    }

    fn model_key(&self, order: &Order) -> String {
        // Without owner and version: `musicgen`.
        let name = order.model.split(':').next().unwrap_or_default();
        name.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn also(&self, state: &OrderState, fact: &Fact, _at: jiff::Timestamp) -> anyhow::Result<Also> {
        let Some(order) = &state.order else { return Ok(Also::default()) };
        let context: Context = serde_json::from_value(order.context.clone())?;
        let statements = store::segment_statement(&context, state, fact).into_iter().collect();
        Ok(Also { events: Vec::new(), statements })
    }

    async fn check(&self, order: &Order, file: &Path) -> anyhow::Result<Result<Usable, Rejected>> {
        let context: Context = serde_json::from_value(order.context.clone())?;
        let probe = match self.media.probe(file).await {
            Ok(probe) => probe,
            Err(error) if error.is_about_the_input() => return Ok(Err(Rejected(error.to_string()))),
            Err(error) => return Err(error.into()),
        };
        if let Err(error) = probe.require_audio() {
            return Ok(Err(Rejected(error.to_string())));
        }
        let length_ms = probe.duration_ms;
        if !plan::is_usable(context.window, length_ms) {
            return Ok(Err(Rejected(format!("the file lasts {length_ms} ms and so has no new music in it"))));
        }
        let content_type = media::sniff(file).await?.map_or("audio/wav", |found| found.content_type);
        Ok(Ok(Usable { content_type: content_type.to_owned(), found: json!({ "length_ms": length_ms }) }))
    }
}
