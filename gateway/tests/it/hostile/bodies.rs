//! A body that each route takes, to be spoiled in one place.

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::client;
use crate::{
    real::{Real, photo},
    world::answer,
};

/// A body that a route takes.
pub(super) struct Write {
    /// Method and path, as the OpenAPI document has them.
    pub(super) route: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
    /// Texts that the document does not list, in objects that it leaves open and on routes without a body.
    pub(super) texts: &'static [&'static str],
    /// Members of objects that hold anything: texts as any other values.
    pub(super) anything: &'static [&'static str],
}

/// What the bodies and paths name.
pub(super) struct Known {
    pub(super) client: String,
    campaign: String,
    job: i64,
    scenes: Vec<String>,
}

impl Known {
    /// A client with a campaign, and a job of it that waits for approval.
    pub(super) async fn new(real: &Real) -> Self {
        let client = client(real).await;
        let body = json!({"name": "Spring", "client_id": client});
        let made = real.client.call(Method::POST, "/api/v3/campaigns", Some(body)).await.expect("an answer");
        let campaign = made.body["data"]["id"].as_str().expect("an id").to_owned();
        for name in ["kitchen-1.jpg", "kitchen-2.jpg", "bedroom-1.jpg", "bedroom-2.jpg"] {
            let file = Part::bytes(photo(name)).file_name(name);
            let tags = name.split('-').next().expect("a room").to_owned();
            let form =
                Form::new().text("campaign_id", campaign.clone()).text("tags", tags).part("file", file);
            answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
        }
        let wish = json!({"campaign_id": campaign, "num_pairs": 2, "planner": "template"});
        let made = real.client.create_job("image-pairs", wish).await.expect("a job");
        let job = made["job_id"].as_i64().expect("a number");
        let job_now = real.client.job(job).await.expect("the job");
        let scenes = job_now["scenes"].as_array().expect("scenes").iter();
        let scenes = scenes.map(|scene| scene["id"].as_str().expect("an id").to_owned()).collect();
        Self { client, campaign, job, scenes }
    }

    /// A body for each route that takes one; for some that take several kinds, several.
    pub(super) fn writes(&self) -> Vec<Write> {
        [self.things(), self.assets(), self.jobs(), self.scenes(), testing(&self.campaign, self.job)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn things(&self) -> Vec<Write> {
        let (client, campaign) = (&self.client, &self.campaign);
        vec![
            write("POST /api/v3/clients", json!({"name": "Northwind Stays"})).anything(&["/metadata/x"]),
            write("PUT /api/v3/clients/{id}", json!({})).at(client).anything(&["/metadata/x"]),
            write("PATCH /api/v3/clients/{id}", json!({})).at(client).anything(&["/metadata/x"]),
            write("POST /api/v3/campaigns", json!({"name": "Spring", "client_id": client}))
                .anything(&["/metadata/x"]),
            write("PUT /api/v3/campaigns/{id}", json!({})).at(campaign).anything(&["/metadata/x"]),
            write("PATCH /api/v3/campaigns/{id}", json!({})).at(campaign).anything(&["/metadata/x"]),
            write("POST /api/v3/keys", json!({"name": "Frontend", "scopes": ["read"]})),
        ]
    }

    fn assets(&self) -> Vec<Write> {
        let asset = json!({"source_url": "https://img.example/a.jpg", "client_id": self.client});
        let many = json!({"assets": [asset]});
        vec![
            write("POST /api/v3/assets", asset.clone()).anything(&["/metadata/x"]),
            write("POST /api/v3/assets/from-url", asset.clone()).anything(&["/metadata/x"]),
            write("POST /api/v3/assets/unified", asset).anything(&["/metadata/x"]),
            write("POST /api/v3/assets/from-urls", many).anything(&["/assets/0/metadata/x"]),
        ]
    }

    /// Nothing is made, whatever is taken.
    fn jobs(&self) -> Vec<Write> {
        let wish = json!({"campaign_id": self.campaign, "planner": "template", "dry_run": true});
        let brief = json!({
            "context": {"campaignId": self.campaign}, "planner": "template", "dryRun": true,
            "adBasics": {"product": "A lodge", "targetAudience": "Couples", "keyMessage": "Quiet",
                "callToAction": "Book"},
            "creative": {"videoSpecs": {"duration": 8}, "direction": {"style": "warm"}},
        });
        vec![
            write("POST /api/v3/jobs/from-image-pairs", wish.clone()).anything(&["/parameters/x"]),
            write("POST /api/v3/jobs/from-property-photos", wish).anything(&["/parameters/x"]),
            write("POST /api/v3/jobs", brief.clone()).anything(&["/creative/x"]),
            write("POST /api/v3/jobs/dry-run", brief).anything(&["/creative/x"]),
            write("POST /api/v3/campaigns/{id}/create-job", json!({"planner": "template", "dry_run": true}))
                .at(&self.campaign)
                .anything(&["/parameters/x"]),
        ]
    }

    fn scenes(&self) -> Vec<Write> {
        let (job, scene) = (self.job.to_string(), self.scenes[0].as_str());
        let order = json!({"order": self.scenes});
        let regenerate = json!({"action": "regenerate_scene", "payload": {}});
        vec![
            write("POST /api/v3/jobs/{id}/actions", json!({"action": "cancel"}))
                .at(&job)
                .texts(&["/payload/reason"]),
            write("POST /api/v3/jobs/{id}/actions", regenerate)
                .at(&job)
                .texts(&["/payload/sceneId"])
                .anything(&["/payload/feedback"]),
            write("POST /api/v3/jobs/{id}/cancel", json!({})).at(&job).texts(&["/reason"]),
            write("PUT /api/v3/jobs/{id}/storyboard/order", order).at(&job),
            write("PATCH /api/v3/jobs/{id}/storyboard/scenes/{index}", json!({})).at(&job).at("0"),
            write("PUT /api/v3/jobs/{job_id}/scenes/{scene_id}", json!({})).at(&job).at(scene),
            write("POST /api/v3/jobs/{job_id}/scenes/{scene_id}/regenerate", json!({}))
                .at(&job)
                .at(scene)
                .anything(&["/feedback"]),
            write("POST /api/v3/audio/generate-scenes", json!({"job_id": self.job})).texts(&[
                "/audio_params/prompt",
                "/audio_params/sync_mode",
                "/audio_params/error_strategy",
            ]),
        ]
    }
}

fn testing(campaign: &str, job: i64) -> Vec<Write> {
    let overlay = json!({"job_id": job, "text": "Northwind Stays"});
    let look = &["/options/font", "/options/color", "/options/position"];
    vec![
        write("POST /api/v3/testing/avatar/preview", json!({})),
        write("POST /api/v3/testing/image-selection", json!({"campaign_id": campaign})),
        write("POST /api/v3/testing/music/from-templates", json!({})),
        write("POST /api/v3/testing/music/single-scene", json!({"scene": {}})).texts(&[
            "/scene/title",
            "/scene/description",
            "/scene/music_description",
            "/scene/music_style",
            "/scene/music_energy",
        ]),
        write("POST /api/v3/testing/music/multi-scene", json!({"scenes": [{}]})).texts(&[
            "/scenes/0/title",
            "/scenes/0/description",
            "/scenes/0/music_description",
            "/scenes/0/music_style",
            "/scenes/0/music_energy",
        ]),
        write("POST /api/v3/testing/overlay/preview", overlay.clone()).texts(look),
        write("POST /api/v3/testing/overlay/text", overlay).texts(look),
        write("POST /api/v3/testing/pipeline/config", json!({"step": "voiceover", "updates": {}}))
            .anything(&["/updates/x"]),
        write("POST /api/v3/testing/pipeline/config", json!({"config": {}})).anything(&["/config/x"]),
        write("POST /api/v3/testing/prompt-preview", json!({"scene_type": "hook", "for": "video"})),
        write("POST /api/v3/testing/scene-templates/adapt", json!({"scene_count": 3})),
        write("POST /api/v3/testing/voiceover/generate", json!({"script": "Welcome"})).texts(&[
            "/options/provider",
            "/options/voice",
            "/options/model",
        ]),
        write("POST /api/v3/testing/voiceover/script", json!({})).texts(&[
            "/property_details/name",
            "/property_details/type",
            "/property_details/location",
            "/property_details/features/0",
            "/scenes/0/title",
            "/scenes/0/description",
            "/options/tone",
            "/options/style",
            "/options/length",
        ]),
    ]
}

/// A route that takes this body.
fn write(route: &'static str, body: Value) -> Write {
    let path = route.split_once(' ').expect("a method and a path").1.to_owned();
    Write { route, path, body, texts: &[], anything: &[] }
}

impl Write {
    /// Fills the next variable part of the path.
    fn at(mut self, value: &str) -> Self {
        let (start, rest) = self.path.split_once('{').expect("a variable part");
        let (_, end) = rest.split_once('}').expect("the end of a variable part");
        self.path = format!("{start}{value}{end}");
        self
    }

    fn texts(self, texts: &'static [&'static str]) -> Self {
        Self { texts, ..self }
    }

    fn anything(self, anything: &'static [&'static str]) -> Self {
        Self { anything, ..self }
    }
}
