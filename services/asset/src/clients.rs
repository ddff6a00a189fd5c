//! Clients: creating, finding, changing and deleting them.

use kit::ServiceError;
use protos::asset::v1::{
    Client, CreateClientRequest, DeleteClientRequest, Deleted, ListClientsReply, ListClientsRequest,
    UpdateClientRequest,
};
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Write};
use crate::changes::{Changes, DELETED};
use crate::command::Command;
use crate::error;
use crate::events::{CampaignDeleted, ClientCreated, ClientDeleted, ClientUpdated, Event};
use crate::fields::Check;
use crate::store::assets::With;
use crate::store::{self, Page, time_text};

/// How often a change is decided again because others changed the same meanwhile.
const DECISIONS: usize = 5;

pub(crate) async fn create(app: &App, request: CreateClientRequest) -> Result<Client, ServiceError> {
    let command = Command::new("CreateClient", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let event = check(request)?;
    let at = app.now();
    let reply = reply(&event, time_text(at));
    let stored = app.store(&command, Write::first(event, at), reply).await?;
    stored.ok_or_else(error::contended)
}

fn check(request: CreateClientRequest) -> Result<ClientCreated, ServiceError> {
    let mut check = Check::default();
    let event = ClientCreated {
        client_id: Uuid::new_v4().to_string(),
        name: check.name(request.name),
        description: check.text("description", request.description),
        homepage: check.text("homepage", request.homepage),
        brand_guidelines: check.text("brand_guidelines", request.brand_guidelines),
        metadata: check.object("metadata", request.metadata_json.as_deref()),
    };
    check.finish().map(|()| event)
}

fn reply(event: &ClientCreated, at: String) -> Client {
    let event = event.clone();
    Client {
        id: event.client_id,
        name: event.name,
        description: event.description,
        homepage: event.homepage,
        brand_guidelines: event.brand_guidelines,
        metadata_json: event.metadata.map(|metadata| Value::Object(metadata).to_string()),
        created_at: at.clone(),
        updated_at: at,
    }
}

pub(crate) async fn get(app: &App, id: &str) -> Result<Client, ServiceError> {
    let found = store::clients::find(&app.log, id).await.map_err(error::log)?;
    found.ok_or_else(not_found)
}

fn not_found() -> ServiceError {
    ServiceError::not_found("Client not found")
}

pub(crate) async fn list(app: &App, request: ListClientsRequest) -> Result<ListClientsReply, ServiceError> {
    let ListClientsRequest { limit, offset, after, id } = request;
    let found = store::clients::list(&app.log, id, Page { limit, offset, after }).await;
    let found = found.map_err(error::log)?;
    Ok(ListClientsReply { clients: found.items, total: found.total, next: found.next })
}

/// Changes the fields that were sent. When none of them gets another value, nothing is stored and the time of
/// the last change stays.
pub(crate) async fn update(app: &App, request: UpdateClientRequest) -> Result<Client, ServiceError> {
    let command = Command::new("UpdateClient", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let stream = format!("client-{}", request.id);
        // The version before the row: a change between the two is met by the append.
        let version = store::version(&app.log, &stream).await.map_err(error::log)?;
        let old = get(app, &request.id).await?;
        let event = decide(&old, &request)?;
        let at = app.now();
        if event.changed.is_empty() {
            command.remember(&app.log, &old, at).await?;
            return Ok(old);
        }
        let reply = Client { created_at: old.created_at, ..reply(&event.now, time_text(at)) };
        if let Some(reply) = app.store(&command, Write::change(event, version, at), reply).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}

fn decide(old: &Client, request: &UpdateClientRequest) -> Result<ClientUpdated, ServiceError> {
    let mut check = Check::default();
    let mut changes = Changes::of(&request.fields);
    let mut now = ClientCreated {
        client_id: old.id.clone(),
        name: old.name.clone(),
        description: old.description.clone(),
        homepage: old.homepage.clone(),
        brand_guidelines: old.brand_guidelines.clone(),
        metadata: store::stored_object(old.metadata_json.as_deref()),
    };
    let wish = request.clone();
    changes.set("name", &mut now.name, || check.name(wish.name));
    changes.set("description", &mut now.description, || check.text("description", wish.description));
    changes.set("homepage", &mut now.homepage, || check.text("homepage", wish.homepage));
    changes.set("brand_guidelines", &mut now.brand_guidelines, || {
        check.text("brand_guidelines", wish.brand_guidelines)
    });
    changes.set("metadata", &mut now.metadata, || check.object("metadata", wish.metadata_json.as_deref()));
    check.finish().map(|()| ClientUpdated { changed: changes.changed(), now })
}

/// Deletes a client with its campaigns and the assets of both, each told by an event of its own.
pub(crate) async fn delete(app: &App, request: DeleteClientRequest) -> Result<Deleted, ServiceError> {
    let command = Command::new("DeleteClient", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let client_id = request.id;
    for _ in 0..DECISIONS {
        get(app, &client_id).await?;
        let assets = store::assets::going(&app.log, With::Client(&client_id)).await.map_err(error::log)?;
        let campaigns = store::campaigns::ids_of(&app.log, &client_id).await.map_err(error::log)?;
        let mut with_it: Vec<Event> = assets.into_iter().map(Event::from).collect();
        with_it.extend(
            campaigns.into_iter().map(|campaign_id| {
                Event::from(CampaignDeleted { campaign_id, client_id: client_id.clone() })
            }),
        );
        let event = ClientDeleted { client_id: client_id.clone() };
        // What came after the look at the tables still refers to the client, and the database then refuses; so it
        // does when what was seen as the client's has gone to another.
        if let Some(reply) = app.store(&command, Write::last(with_it, event, app.now()), DELETED).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}
