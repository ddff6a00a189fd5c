//! The routes of the contract: the 66 of the older API, and those that came since.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

/// Who may use a route when keys are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Who has a key; where a browser opens it by itself, who has a signed link.
    Key,
    /// Everyone.
    Public,
    /// Who has a signed link.
    Link,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    /// Method and path.
    pub(super) name: &'static str,
    pub(super) access: Access,
    /// Of the 66 routes of the older API.
    pub(super) is_old: bool,
}

const fn old(name: &'static str, access: Access) -> Route {
    Route { name, access, is_old: true }
}

const fn new(name: &'static str, access: Access) -> Route {
    Route { name, access, is_old: false }
}

use Access::{Key, Link, Public};

/// All routes.
pub(super) const ROUTES: &[Route] = &[
    old("GET /api/openapi.json", Public),
    old("GET /api/openapi", Public),
    old("GET /swaggerui", Public),
    old("GET /api/v3/clients", Key),
    old("POST /api/v3/clients", Key),
    old("GET /api/v3/clients/{id}", Key),
    old("PUT /api/v3/clients/{id}", Key),
    old("PATCH /api/v3/clients/{id}", Key),
    old("DELETE /api/v3/clients/{id}", Key),
    old("GET /api/v3/clients/{id}/campaigns", Key),
    old("GET /api/v3/clients/{id}/stats", Key),
    old("GET /api/v3/campaigns", Key),
    old("POST /api/v3/campaigns", Key),
    old("GET /api/v3/campaigns/{id}", Key),
    old("PUT /api/v3/campaigns/{id}", Key),
    old("PATCH /api/v3/campaigns/{id}", Key),
    old("DELETE /api/v3/campaigns/{id}", Key),
    old("GET /api/v3/campaigns/{id}/assets", Key),
    old("GET /api/v3/campaigns/{id}/stats", Key),
    old("POST /api/v3/campaigns/{id}/create-job", Key),
    old("GET /api/v3/assets", Key),
    old("POST /api/v3/assets", Key),
    old("GET /api/v3/assets/{id}", Key),
    old("DELETE /api/v3/assets/{id}", Key),
    old("POST /api/v3/assets/from-url", Key),
    old("POST /api/v3/assets/from-urls", Key),
    old("POST /api/v3/assets/unified", Key),
    old("GET /api/v3/assets/{id}/data", Public),
    old("GET /api/v3/assets/{id}/thumbnail", Public),
    old("POST /api/v3/jobs/from-image-pairs", Key),
    old("POST /api/v3/jobs/from-property-photos", Key),
    old("GET /api/v3/jobs/{id}", Key),
    old("POST /api/v3/jobs/{id}/approve", Key),
    old("GET /api/v3/generated-videos", Key),
    old("GET /api/v3/jobs/{job_id}/scenes", Key),
    old("GET /api/v3/jobs/{job_id}/scenes/{scene_id}", Key),
    old("PUT /api/v3/jobs/{job_id}/scenes/{scene_id}", Key),
    old("POST /api/v3/jobs/{job_id}/scenes/{scene_id}/regenerate", Key),
    old("DELETE /api/v3/jobs/{job_id}/scenes/{scene_id}", Key),
    old("GET /api/v3/videos/{job_id}/combined", Key),
    old("GET /api/v3/videos/{job_id}/thumbnail", Key),
    old("GET /api/v3/videos/{job_id}/clips/{filename}", Key),
    old("GET /api/v3/videos/{job_id}/clips/{filename}/thumbnail", Key),
    old("POST /api/v3/audio/generate-scenes", Key),
    old("GET /api/v3/audio/status/{job_id}", Key),
    old("GET /api/v3/audio/{job_id}/download", Key),
    old("GET /api/v3/audio/segments/{token}", Public),
    old("POST /api/webhooks/replicate", Public),
    old("GET /api/v3/testing/scene-templates", Key),
    old("POST /api/v3/testing/scene-templates/adapt", Key),
    old("POST /api/v3/testing/image-selection", Key),
    old("POST /api/v3/testing/music/single-scene", Key),
    old("POST /api/v3/testing/music/multi-scene", Key),
    old("POST /api/v3/testing/music/from-templates", Key),
    old("POST /api/v3/testing/overlay/text", Key),
    old("POST /api/v3/testing/overlay/preview", Key),
    old("POST /api/v3/testing/voiceover/generate", Key),
    old("POST /api/v3/testing/voiceover/script", Key),
    old("POST /api/v3/testing/avatar/preview", Key),
    old("GET /api/v3/testing/pipeline/config", Key),
    old("POST /api/v3/testing/pipeline/config", Key),
    old("POST /api/v3/testing/prompt-preview", Key),
    old("GET /api/v3/testing/campaigns", Key),
    old("GET /api/v3/testing/campaigns/{id}/assets", Key),
    old("GET /api/v3/testing/jobs/{id}/preview", Key),
    // The page asks for the key and sends it.
    old("GET /api/v3/testing/ui", Public),
    new("GET /api/v3/jobs", Key),
    new("POST /api/v3/jobs", Key),
    new("POST /api/v3/jobs/dry-run", Key),
    new("POST /api/v3/jobs/{id}/actions", Key),
    new("POST /api/v3/jobs/{id}/cancel", Key),
    new("GET /api/v3/jobs/{id}/events", Key),
    new("GET /api/v3/jobs/{id}/sub-jobs", Key),
    new("PATCH /api/v3/jobs/{id}/storyboard/scenes/{index}", Key),
    new("PUT /api/v3/jobs/{id}/storyboard/order", Key),
    new("GET /api/v3/ai-videos", Key),
    new("GET /api/v2/assets/{id}/data", Public),
    new("GET /api/v3/keys", Key),
    new("POST /api/v3/keys", Key),
    new("DELETE /api/v3/keys/{id}", Key),
    new("GET /api/v3/testing/media/{id}", Key),
    new("GET /swaggerui/{file}", Public),
    new("GET /api/v3/media/{sha256}", Link),
    new("POST /api/webhooks/replicate/{service}/{attempt}", Public),
    new("GET /errors/{code}", Public),
    new("GET /livez", Public),
    new("GET /readyz", Public),
    new("GET /version", Public),
];

/// Routes of the contract that do not exist yet. One that exists must leave this list: a test says so.
pub(super) const NOT_YET: &[&str] = &[];

/// Whether the gateway's own document has the route.
pub(super) fn exists(name: &str) -> bool {
    of_the_document().contains(&shape_of(name))
}

/// The routes of the gateway's document, the names of variable parts taken out.
pub(crate) fn of_the_document() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let methods = ["get", "put", "post", "delete", "patch"];
    let of_path = |(path, item): (&String, &Value)| {
        let known = methods.into_iter().filter(|method| item.get(method).is_some());
        known.map(|method| shape_of(&format!("{} {path}", method.to_uppercase()))).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// A route without the names of its variable parts, which say nothing to a caller.
pub(crate) fn shape_of(name: &str) -> String {
    name.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// The method of a route, and a path of it that names nothing.
pub(crate) fn request(name: &str) -> (Method, String) {
    let (method, path) = name.split_once(' ').expect("a method and a path");
    let parts = path.split('/').map(|part| if part.starts_with('{') { "0" } else { part });
    (method.parse().expect("a method"), parts.collect::<Vec<_>>().join("/"))
}
