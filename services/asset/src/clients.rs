//! Clients: creating and finding them.

use kit::ServiceError;
use protos::asset::v1::{Client, CreateClientRequest, ListClientsReply, ListClientsRequest};
use uuid::Uuid;

use crate::app::App;
use crate::command::Command;
use crate::error;
use crate::events::{ClientCreated, Event};
use crate::fields::Check;
use crate::store::{self, Page, time_text};

pub(crate) async fn create(app: &App, request: CreateClientRequest) -> Result<Client, ServiceError> {
    let command = Command::new("CreateClient", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let event = check(request)?;
    let at = app.now();
    let reply = reply(&event, time_text(at));
    let stored = app.store(&command, &Event::ClientCreated(event), at, reply).await?;
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
        metadata_json: event.metadata.map(|metadata| serde_json::Value::Object(metadata).to_string()),
        created_at: at.clone(),
        updated_at: at,
    }
}

pub(crate) async fn get(app: &App, id: &str) -> Result<Client, ServiceError> {
    let found = store::clients::find(&app.log, id).await.map_err(error::log)?;
    found.ok_or_else(|| ServiceError::not_found("Client not found"))
}

pub(crate) async fn list(app: &App, request: ListClientsRequest) -> Result<ListClientsReply, ServiceError> {
    let page = Page { limit: request.limit, offset: request.offset };
    let (clients, total) = store::clients::list(&app.log, page).await.map_err(error::log)?;
    Ok(ListClientsReply { clients, total })
}
