//! What a key of one client reaches: that client, its campaigns, assets, jobs and videos.
//!
//! The rule is kept here, before any handler runs, and what it does not know is refused: a new route is closed to such
//! keys until it is named here. Things of other clients are as absent as things that do not exist.

use axum::{
    RequestExt as _,
    body::Body,
    extract::{MatchedPath, RawPathParams, Request},
};
use http::{Method, Uri, uri::PathAndQuery};
use protos::{asset::v1 as pb, job::v1::GetJobRequest};
use serde_json::Value;

use super::{Caller, forbidden};
use crate::{
    app::App,
    params::{BodyKind, MAX_BODY, Params, collect},
    problem::{ASSETS, CAMPAIGNS, CLIENTS, JOBS, Kind, Problem},
    routes::text,
};

/// Campaigns that one request may name.
const MOST_CAMPAIGNS: usize = 100;

/// What a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Client,
    Campaign,
    Asset,
    Job,
    /// Things that have a client, which the query can filter by.
    List,
    /// Something new, whose owner the body names.
    New,
    /// Everything else.
    Closed,
}

impl About {
    /// Of a route, by its method and its template.
    fn of(method: &Method, path: &str) -> Self {
        let Some(path) = path.strip_prefix("/api/v3/") else { return Self::Closed };
        let is_new = *method == Method::POST;
        let parts: Vec<&str> = path.split('/').collect();
        let is_id = |at: usize| parts.get(at).is_some_and(|part| part.starts_with('{'));
        match parts.as_slice() {
            ["clients"] if !is_new => Self::List,
            ["clients", ..] if is_id(1) => Self::Client,
            ["campaigns" | "assets" | "jobs"] if is_new => Self::New,
            ["campaigns" | "assets" | "jobs" | "generated-videos"] => Self::List,
            ["campaigns", ..] if is_id(1) => Self::Campaign,
            ["assets", "unified" | "from-url" | "from-urls"] => Self::New,
            ["assets", ..] if is_id(1) => Self::Asset,
            ["jobs", "from-image-pairs" | "from-property-photos" | "dry-run"] => Self::New,
            ["jobs" | "videos", ..] if is_id(1) => Self::Job,
            ["audio", "status", ..] if is_id(2) => Self::Job,
            ["audio", "segments", ..] => Self::Closed,
            ["audio", _, "download"] if is_id(1) => Self::Job,
            ["audio", "generate-scenes"] => Self::New,
            _ => Self::Closed,
        }
    }
}

/// The request as the caller may send it. For callers who reach everything that is the request itself.
///
/// # Errors
/// It is about something that the caller does not reach.
pub(super) async fn gate(app: &App, caller: &Caller, mut request: Request) -> Result<Request, Problem> {
    let Some(client) = caller.client() else { return Ok(request) };
    let template = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let id = id_in(&mut request).await;
    match About::of(request.method(), &template) {
        About::Client if id == client => {}
        About::Client => {
            return Err(Problem::new(CLIENTS.family(), Kind::ClientNotFound, "Client not found"));
        }
        About::Campaign => campaign(app, client, &id).await?,
        About::Asset => asset(app, client, &id).await?,
        About::Job => job(app, client, &id).await?,
        About::List => filter(&mut request, client)?,
        About::New => {}
        About::Closed => {
            return Err(forbidden(&template, "This route is not for keys that are bound to one client."));
        }
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        Ok(request)
    } else {
        owned(app, client, request).await
    }
}

/// The first variable part of the path.
async fn id_in(request: &mut Request) -> String {
    let params = request.extract_parts::<RawPathParams>().await;
    params.ok().and_then(|params| params.iter().next().map(|(_, id)| id.to_owned())).unwrap_or_default()
}

async fn campaign(app: &App, client: &str, id: &str) -> Result<(), Problem> {
    let request = pb::GetCampaignRequest { id: id.to_owned() };
    let found = app.backends.asset().get_campaign(request).await;
    let campaign = found.map_err(|status| CAMPAIGNS.problem(status))?.into_inner();
    if campaign.client_id == client {
        return Ok(());
    }
    Err(Problem::new(CAMPAIGNS.family(), Kind::CampaignNotFound, "Campaign not found"))
}

async fn asset(app: &App, client: &str, id: &str) -> Result<(), Problem> {
    let request = pb::GetAssetRequest { id: id.to_owned() };
    let found = app.backends.asset().get_asset(request).await;
    let asset = found.map_err(|status| ASSETS.problem(status))?.into_inner();
    if asset.client_id.as_deref() == Some(client) {
        return Ok(());
    }
    Err(Problem::flat(Kind::AssetNotFound, "Asset not found"))
}

async fn job(app: &App, client: &str, id: &str) -> Result<(), Problem> {
    let not_found = || Problem::job_not_found(id);
    let job_id = text::job_id(id).ok_or_else(not_found)?;
    let found = app.backends.job().get_job(GetJobRequest { job_id }).await;
    let job = found.map_err(|status| JOBS.problem(status).with("job_id", id))?.into_inner();
    if job.client_id.as_deref() == Some(client) { Ok(()) } else { Err(not_found()) }
}

/// Makes a list one of the client's things. One that asks for another client's finds that there is none.
fn filter(request: &mut Request, client: &str) -> Result<(), Problem> {
    let uri = request.uri();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.trim_end_matches("[]") {
            "client_id" | "clientId" if value.is_empty() || value == client => {}
            "client_id" | "clientId" => {
                return Err(Problem::flat(Kind::ClientNotFound, "Client not found"));
            }
            _ => drop(query.append_pair(&name, &value)),
        }
    }
    let target = format!("{}?{}", uri.path(), query.append_pair("client_id", client).finish());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Problem::internal())?;
    Ok(())
}

/// A write whose fields name nobody else. Fields beside an uploaded file are looked at by who reads them.
async fn owned(app: &App, client: &str, request: Request) -> Result<Request, Problem> {
    let kind = BodyKind::of(request.headers());
    let query = Params::of_query(request.uri().query());
    check(app, client, &query).await?;
    if kind == BodyKind::Multipart {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let bytes = collect(body, MAX_BODY).await?;
    let params = Params::of_body(kind, &bytes)?;
    check(app, client, &params).await?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Whether a caller may write fields like these.
///
/// # Errors
/// They name a client, a campaign or a job that the caller does not reach.
pub(crate) async fn check_fields(app: &App, caller: &Caller, params: &Params) -> Result<(), Problem> {
    match caller.client() {
        None => Ok(()),
        Some(client) => check(app, client, params).await,
    }
}

async fn check(app: &App, client: &str, params: &Params) -> Result<(), Problem> {
    let mut named = Named::default();
    named.look(params.fields());
    for id in named.clients {
        if id != client {
            return Err(foreign("client", id));
        }
    }
    if named.campaigns.len() > MOST_CAMPAIGNS {
        return Err(forbidden(
            "",
            "A key that is bound to one client may name 100 campaigns in one request.",
        ));
    }
    for id in named.campaigns {
        campaign(app, client, id).await.map_err(|problem| not_owned(problem, "campaign", id))?;
    }
    for id in named.jobs {
        job(app, client, &id).await.map_err(|problem| not_owned(problem, "job", &id))?;
    }
    Ok(())
}

/// A thing of somebody else and one that does not exist are refused alike.
fn not_owned(problem: Problem, what: &str, id: &str) -> Problem {
    if problem.is(Kind::CampaignNotFound) || problem.is(Kind::JobNotFound) {
        foreign(what, id)
    } else {
        problem
    }
}

fn foreign(what: &str, id: &str) -> Problem {
    forbidden("", &format!("This key is bound to one client, and the {what} {id:?} is not that client's."))
}

/// Whom the fields of a request name, at any depth but in metadata, which names nobody.
#[derive(Debug, Default)]
struct Named<'a> {
    clients: Vec<&'a str>,
    campaigns: Vec<&'a str>,
    jobs: Vec<String>,
}

impl<'a> Named<'a> {
    fn look(&mut self, fields: impl IntoIterator<Item = (&'a String, &'a Value)>) {
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("metadata" | "meta", _) => {}
                ("client_id" | "clientId", Value::String(id)) if !id.trim().is_empty() => {
                    self.clients.push(id)
                }
                ("campaign_id" | "campaignId", Value::String(id))
                    if !id.trim().is_empty() && !self.campaigns.contains(&id.as_str()) =>
                {
                    self.campaigns.push(id);
                }
                ("job_id" | "jobId", Value::String(id)) => self.jobs.push(id.clone()),
                ("job_id" | "jobId", Value::Number(id)) => self.jobs.push(id.to_string()),
                (_, Value::Object(object)) => self.look(object),
                (_, Value::Array(items)) => self.look_in(items),
                _ => {}
            }
        }
    }

    fn look_in(&mut self, items: &'a [Value]) {
        for item in items {
            match item {
                Value::Object(object) => self.look(object),
                Value::Array(items) => self.look_in(items),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_route_that_is_not_named_is_closed() {
        for (method, path, about) in [
            (Method::GET, "/api/v3/clients", About::List),
            (Method::POST, "/api/v3/clients", About::Closed),
            (Method::PATCH, "/api/v3/clients/{id}", About::Client),
            (Method::GET, "/api/v3/clients/{id}/stats", About::Client),
            (Method::POST, "/api/v3/campaigns/{id}/create-job", About::Campaign),
            (Method::POST, "/api/v3/assets/from-urls", About::New),
            (Method::POST, "/api/v3/jobs/from-image-pairs", About::New),
            (Method::GET, "/api/v3/jobs/{id}/events", About::Job),
            (Method::GET, "/api/v3/videos/{job_id}/clips/{filename}", About::Job),
            (Method::GET, "/api/v3/audio/status/{job_id}", About::Job),
            (Method::GET, "/api/v3/audio/{job_id}/download", About::Job),
            (Method::GET, "/api/v3/testing/campaigns", About::Closed),
            (Method::GET, "/api/v3/keys", About::Closed),
            (Method::GET, "/api/v3/tomorrow", About::Closed),
            (Method::POST, "/api/v3/jobs/tomorrow", About::Closed),
            (Method::GET, "/elsewhere", About::Closed),
        ] {
            assert_eq!(About::of(&method, path), about, "{method} {path}");
        }
    }

    #[test]
    fn whoever_a_body_names_is_found_at_any_depth() {
        let body = json!({
            "clientId": "cl-1", "campaign_id": " ", "metadata": {"client_id": "nobody"}, "job_id": 43,
            "assets": [{"campaignId": "c-1"}, [{"campaign_id": "c-2", "client_id": "cl-2"}], "text", {"campaign_id": "c-1"}],
        });
        let mut named = Named::default();
        named.look(body.as_object().expect("an object"));
        assert_eq!(named.clients, ["cl-1", "cl-2"]);
        assert_eq!(named.campaigns, ["c-1", "c-2"]);
        assert_eq!(named.jobs, ["43"]);
    }
}
