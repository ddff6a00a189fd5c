//! What a job's parameters say: the older service kept there what its columns were never filled with.

use serde_json::{Map, Value};

use crate::{
    model::Broken,
    source::rows::{Record, uuid},
};

/// What is said of a job.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) client: Option<String>,
    pub(super) campaign: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: &'static str,
    pub(super) aspect_ratio: Option<String>,
    pub(super) resolution: Option<String>,
}

/// Places of the client, of the campaign, of what is to be made.
const CLIENT: [&str; 4] = ["/context/clientId", "/context/client_id", "/client_id", "/clientId"];
const CAMPAIGN: [&str; 4] = ["/context/campaignId", "/context/campaign_id", "/campaign_id", "/campaignId"];
const NAME: [&str; 4] = ["/video_name", "/videoName", "/name", "/title"];
const ASPECT: [&str; 5] = [
    "/creative/videoSpecs/format",
    "/creative/video_specs/format",
    "/aspect_ratio",
    "/aspectRatio",
    "/input/aspect_ratio",
];
const RESOLUTION: [&str; 3] =
    ["/creative/videoSpecs/resolution", "/creative/video_specs/resolution", "/resolution"];

impl Said {
    /// Reads it.
    pub(super) fn read(
        row: &Record,
        parameters: &Map<String, Value>,
        metadata: Option<&Value>,
    ) -> Result<Self, Broken> {
        let property = ["property_info", "propertyInfo", "scene_pairs"];
        let is_property = property.iter().any(|name| parameters.contains_key(*name));
        let parameters = Value::Object(parameters.clone());
        let name = texts(&parameters, &NAME)
            .next()
            .or_else(|| texts(metadata.unwrap_or(&Value::Null), &NAME).next());
        Ok(Self {
            client: id(texts(&parameters, &CLIENT).chain(row.filled("client_id")?)),
            campaign: id(texts(&parameters, &CAMPAIGN).chain(row.filled("campaign_id")?)),
            name: name.map(str::to_owned),
            kind: if is_property { "property_photos" } else { "image_pairs" },
            // The column has a default that nobody asked for.
            aspect_ratio: texts(&parameters, &ASPECT).next().or(row.filled("format")?).map(str::to_owned),
            resolution: texts(&parameters, &RESOLUTION).next().map(str::to_owned),
        })
    }
}

/// The texts at places of an object that say something.
fn texts<'a>(object: &'a Value, places: &'a [&str]) -> impl Iterator<Item = &'a str> {
    places
        .iter()
        .filter_map(|place| object.pointer(place)?.as_str())
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The first that is an id; else the first, for the reason why it is none (such as the name of a person).
fn id<'a>(candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<_> = candidates.collect();
    let id = candidates.iter().find(|text| uuid(text).is_some()).or(candidates.first())?;
    Some((*id).to_owned())
}
