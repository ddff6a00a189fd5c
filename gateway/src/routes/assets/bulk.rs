//! Many assets from many URLs in one request: each is tried, and told of, for itself.

use axum::extract::State;
use futures::{StreamExt as _, stream};
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    fields::{self, NewAsset},
    refused,
    view::Asset,
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, Params},
    problem::{ASSETS, Kind, Problem, ProblemSchema},
    routes::reply::Reply,
};

/// URLs in one request.
const MOST: usize = 100;
/// URLs fetched at one time for one request.
const AT_ONCE: usize = 4;
/// What the elements get from the request when they name neither themselves.
const SHARED: [&str; 2] = ["campaign_id", "client_id"];

/// Assets to make from URLs; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewAssets {
    /// 1 to 100; an element may also be a URL alone. Also `items`, `requests`, `sources`.
    assets: Vec<NewAsset>,
    /// For the elements that name neither a campaign nor a client.
    campaign_id: Option<String>,
    client_id: Option<String>,
}

/// What became of many URLs.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkReply {
    /// The assets that were stored, in the order of the request.
    data: Vec<Asset>,
    meta: BulkMeta,
}

/// How many were stored, and why the others were not.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkMeta {
    created: usize,
    failed: usize,
    /// In the order of the request.
    errors: Vec<BulkError>,
}

/// One that was not stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkError {
    /// Its place in the request, from 0.
    index: usize,
    /// Its URL.
    #[schema(required)]
    source: Option<String>,
    /// A text; an object of field names and messages when its fields were wrong.
    error: Value,
    /// The same as a problem, as a request for it alone would have been answered.
    #[schema(value_type = crate::problem::ProblemSchema)]
    problem: Value,
}

/// Stores assets from many URLs. The answer is 201 also when some failed, or all: `meta` says which and why.
#[utoipa::path(
    post, path = "/api/v3/assets/from-urls", tag = "Assets", operation_id = "create_assets_from_urls",
    request_body = NewAssets,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write: what was stored is not stored again, what failed is tried again")),
    responses(
        (status = 201, description = "Each was tried", body = BulkReply),
        (status = 400, description = "No list of assets", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Too many, or some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_from_urls(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<BulkReply>, Problem> {
    let mut fields = Fields::of(&params);
    let Some(Value::Array(items)) = fields.present("assets", &["items", "requests", "sources"]) else {
        return Err(nothing());
    };
    if items.is_empty() {
        return Err(nothing());
    }
    if items.len() > MOST {
        fields.reject::<()>("assets", &format!("should have at most {MOST} item(s)"));
    }
    let shared = SHARED.map(|name| (name, fields.text(name, &[])));
    fields.finish(ASSETS.family())?;
    let elements: Vec<_> = items.iter().map(|item| Element::of(item, &shared)).collect();
    let tries: Vec<_> = elements
        .into_iter()
        .enumerate()
        .map(|(index, element)| element.tried(app.clone(), format!("{command_id}#{index}")))
        .collect();
    let outcomes: Vec<_> = stream::iter(tries).buffered(AT_ONCE).collect().await;
    let (mut data, mut errors) = (Vec::new(), Vec::new());
    for (index, (source, outcome)) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(asset) => data.push(Asset::from(asset)),
            Err(problem) => errors.push(BulkError::of(index, source, problem)),
        }
    }
    let meta = BulkMeta { created: data.len(), failed: errors.len(), errors };
    Ok(Reply::created(BulkReply { data, meta }))
}

fn nothing() -> Problem {
    Problem::flat(Kind::MissingField, "assets must be a non-empty array")
}

/// One of many; none when it is nothing that could be an asset.
struct Element(Option<Params>);

impl Element {
    fn of(item: &Value, shared: &[(&str, Option<String>)]) -> Self {
        let own = match item {
            Value::Object(object) => object.clone(),
            Value::String(url) => Map::from_iter([("source_url".to_owned(), Value::from(url.clone()))]),
            Value::Null => Map::new(),
            _ => return Self(None),
        };
        let mut params = Params::of_object(own);
        // A campaign of its own must not meet the client of the others.
        if SHARED.iter().all(|name| params.get(name).is_none_or(Value::is_null)) {
            for (name, value) in shared {
                params.set(name, value.clone().into());
            }
        }
        Self(Some(params))
    }

    /// Its URL, as it was given.
    fn source(&self) -> Option<String> {
        let params = self.0.as_ref()?;
        let url = Fields::of(params).value("source_url", &["url"]).and_then(Value::as_str);
        url.map(str::to_owned)
    }

    /// Its URL, and what became of it.
    async fn tried(self, app: App, command_id: String) -> (Option<String>, Result<pb::Asset, Problem>) {
        (self.source(), self.store(&app, command_id).await)
    }

    async fn store(&self, app: &App, command_id: String) -> Result<pb::Asset, Problem> {
        let Some(params) = &self.0 else {
            return Err(Problem::flat(Kind::MissingField, "must be an object or a URL"));
        };
        let fields = Some(fields::read(params)?);
        let source_url = fields::source_url(params)?
            .ok_or_else(|| Problem::flat(Kind::SourceMissing, "source_url is required"))?;
        let request = pb::ImportAssetRequest { command_id, fields, source_url };
        Ok(app.backends.patient_asset().import_asset(request).await.map_err(refused)?.into_inner())
    }
}

impl BulkError {
    fn of(index: usize, source: Option<String>, problem: Problem) -> Self {
        let problem = problem.into_json();
        let said = ["details", "reason", "error"].iter().find_map(|name| problem.get(*name).cloned());
        let error = said.or_else(|| problem.get("detail").cloned()).unwrap_or_default();
        Self { index, source, error, problem }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owners(item: Value) -> (Option<Value>, Option<Value>) {
        let shared = [("campaign_id", Some("c-1".to_owned())), ("client_id", Some("cl-1".to_owned()))];
        let Element(Some(params)) = Element::of(&item, &shared) else { return (None, None) };
        (params.get("campaign_id").cloned(), params.get("client_id").cloned())
    }

    #[test]
    fn an_element_that_names_nobody_gets_what_is_shared() {
        let shared = (Some(json!("c-1")), Some(json!("cl-1")));
        assert_eq!(owners(json!({"url": "https://x.example/a.jpg"})), shared);
        assert_eq!(owners(json!({"campaign_id": null})), shared);
        assert_eq!(owners(json!("https://x.example/a.jpg")), shared);
        assert_eq!(owners(json!({"campaignId": "c-2"})), (Some(json!("c-2")), None));
        assert_eq!(owners(json!({"client_id": "cl-2"})), (None, Some(json!("cl-2"))));
        assert_eq!(owners(json!(7)), (None, None));
    }
}
