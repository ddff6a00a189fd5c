//! A job's events as they happen, as Server-Sent Events.

use std::convert::Infallible;

use axum::{
    Extension,
    extract::{ConnectInfo, State},
    response::{IntoResponse as _, Response, Sse, sse::Event},
};
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use protos::job::v1 as pb;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type},
};

use super::jobs::{
    self,
    view::{Job, Progress},
};
use crate::{
    app::App,
    auth::ByLink,
    feed::{HEARTBEAT, Message, Reader},
    media::REVALIDATE,
    params::InPath,
    problem::{JOBS, Problem, ProblemSchema},
    server::Cut,
};

/// What is in the `data` of each message.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobEvent {
    /// Of the event in the log; also the message's `id`.
    position: i64,
    job_id: i32,
    /// `snapshot`, or what happened, such as `scene_rendered`.
    event: String,
    /// RFC 3339, UTC.
    recorded_at: String,
    /// Of the job, after the event.
    status: String,
    #[schema(required)]
    outcome: Option<String>,
    progress: Progress,
    /// The scene it is about.
    #[schema(required)]
    scene_index: Option<i32>,
    #[schema(required)]
    scene_id: Option<String>,
    /// One line for a person.
    text: String,
    #[schema(required)]
    error: Option<String>,
    /// True in the last message: nothing more comes unless a person acts.
    terminal: bool,
    /// The whole job, in the snapshot only.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Job>,
}

/// A message of the stream.
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct JobMessage;

impl PartialSchema for JobMessage {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let name = text().description(Some("`snapshot`, `progress` or `end`; a comment has none."));
        let id = text().description(Some("The event's position, to come back with as `Last-Event-ID`."));
        let event = Ref::from_schema_name(JobEvent::name());
        let data = text().content_media_type("application/json").content_schema(Some(event));
        ObjectBuilder::new()
            .description(Some("A message of the stream."))
            .property("event", name)
            .property("id", id)
            .property("data", data)
            .required("data")
            .into()
    }
}

impl ToSchema for JobMessage {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((JobEvent::name().into_owned(), JobEvent::schema()));
        JobEvent::schemas(schemas);
    }
}

/// Follows a job: a snapshot, then each event as it happens, until the job is over. Every message has the
/// event's position as its id; a reader that comes back with `Last-Event-ID` gets what it missed instead of
/// a snapshot, and 204 when the job is over and nothing was missed. Messages are named `snapshot`, `progress`
/// and `end`; a comment comes every 15 s when nothing happens. A reader that does not keep up is cut.
#[utoipa::path(
    get, path = "/api/v3/jobs/{id}/events", tag = "Jobs", operation_id = "follow_job",
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Position of the last event that the reader has"),
    ),
    responses(
        (status = 200, description = "The events", body = JobMessage, content_type = "text/event-stream"),
        (status = 204, description = "The job is over and the reader has everything"),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
    ConnectInfo(Cut(cut)): ConnectInfo<Cut>,
    InPath(id): InPath<String>,
    by_link: Option<Extension<ByLink>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = match by_link {
        Some(Extension(ByLink(end))) => app.with_links_until(end),
        None => app,
    };
    let Some(job_id) = super::text::job_id(&id) else { return Err(Problem::job_not_found(&id)) };
    // Listening starts before the job is read, so that nothing falls between the two.
    let listening = app.hub.listen(job_id, cut);
    let job = jobs::find(&app, &id).await?;
    let (over, position) = (is_over(&job), job.position);
    let resumed = last_event_id(&headers).filter(|last| (0..=position).contains(last));
    let mut reader = Reader::new(
        (job_id, resumed.unwrap_or(position)),
        listening,
        app.backends.clone(),
        app.clock.clone(),
        app.cancel.clone(),
    );
    let first = match resumed {
        None => Some(snapshot(&app, job)),
        Some(_) => {
            let missed = reader.catch_up().await.map_err(|status| JOBS.problem(status).with("job_id", id))?;
            if over && !missed {
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            None
        }
    };
    if over && first.is_some() {
        return Ok(sse(stream::iter(first)));
    }
    Ok(sse(stream::iter(first).chain(messages(reader))))
}

fn sse(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let mut response = Sse::new(events.map(Ok::<_, Infallible>)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    // Proxies that gather answers would hold the events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn messages(reader: Reader) -> impl Stream<Item = Event> + Send {
    stream::unfold(reader, |mut reader| async move {
        let event = match reader.next().await? {
            Message::Item(item) => happened(&item),
            Message::Heartbeat => Event::default().comment(format!("alive every {} s", HEARTBEAT.as_secs())),
        };
        Some((event, reader))
    })
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

/// Whether nothing more comes unless a person acts.
fn is_over(job: &pb::Job) -> bool {
    let ended = matches!(job.status.as_str(), "completed" | "failed" | "canceled");
    // Music that somebody wished for a finished video.
    let is_scored = job.status == "completed"
        && job.audio.as_ref().is_some_and(|audio| matches!(audio.status.as_str(), "pending" | "generating"));
    ended && !is_scored && job.next_cut.as_ref().is_none_or(|next| next.progress.is_none())
}

fn snapshot(app: &App, job: pb::Job) -> Event {
    let data = JobEvent {
        position: job.position,
        job_id: job.id,
        event: "snapshot".to_owned(),
        recorded_at: job.updated_at.clone(),
        status: job.status.clone(),
        outcome: job.outcome.clone(),
        progress: Progress::from(job.progress.clone()),
        scene_index: None,
        scene_id: None,
        text: format!("{} is {}", job.video_name, job.status),
        error: job.error.clone(),
        terminal: is_over(&job),
        job: Some(Job::shown(app, job)),
    };
    message("snapshot", &data)
}

fn happened(item: &pb::FeedItem) -> Event {
    let data = JobEvent {
        position: item.position,
        job_id: item.job_id,
        event: item.event.clone(),
        recorded_at: item.recorded_at.clone(),
        status: item.status.clone(),
        outcome: item.outcome.clone(),
        progress: Progress::from(item.progress.clone()),
        scene_index: item.scene_index,
        scene_id: item.scene_id.clone(),
        text: item.text.clone(),
        error: item.error.clone(),
        terminal: item.terminal,
        job: None,
    };
    message(if item.terminal { "end" } else { "progress" }, &data)
}

fn message(name: &str, data: &JobEvent) -> Event {
    let event = Event::default().event(name).id(data.position.to_string());
    // Everything in it can be written as JSON, in one line.
    event.clone().json_data(data).unwrap_or(event)
}
