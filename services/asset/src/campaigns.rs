//! Campaigns: creating and finding them.

use kit::ServiceError;
use protos::asset::v1::{Campaign, CreateCampaignRequest, ListCampaignsReply, ListCampaignsRequest};
use uuid::Uuid;

use crate::app::App;
use crate::command::Command;
use crate::error;
use crate::events::{CampaignCreated, Event};
use crate::fields::{ABSENT, Check};
use crate::store::{self, Page, time_text};

/// How often a creation is decided again because its client went away or came meanwhile.
const DECISIONS: usize = 3;

pub(crate) async fn create(app: &App, request: CreateCampaignRequest) -> Result<Campaign, ServiceError> {
    let command = Command::new("CreateCampaign", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let event = decide(app, request.clone()).await?;
        let at = app.now();
        let reply = reply(&event, time_text(at));
        let stored = app.store(&command, &Event::CampaignCreated(event), at, reply).await?;
        if let Some(reply) = stored {
            return Ok(reply);
        }
    }
    Err(error::contended())
}

async fn decide(app: &App, request: CreateCampaignRequest) -> Result<CampaignCreated, ServiceError> {
    let mut check = Check::default();
    let event = CampaignCreated {
        campaign_id: Uuid::new_v4().to_string(),
        client_id: check.required("client_id", request.client_id),
        name: check.name(request.name),
        goal: check.text("goal", request.goal),
        status: check.text("status", request.status),
        product_url: check.text("product_url", request.product_url),
        brief: check.text("brief", request.brief),
        metadata: check.object("metadata", request.metadata_json.as_deref()),
    };
    let client = &event.client_id;
    if !client.is_empty() && !store::clients::exists(&app.log, client).await.map_err(error::log)? {
        check.refuse("client_id", ABSENT);
    }
    check.finish().map(|()| event)
}

fn reply(event: &CampaignCreated, at: String) -> Campaign {
    let event = event.clone();
    Campaign {
        id: event.campaign_id,
        client_id: event.client_id,
        name: event.name,
        goal: event.goal,
        status: event.status,
        product_url: event.product_url,
        brief: event.brief,
        metadata_json: event.metadata.map(|metadata| serde_json::Value::Object(metadata).to_string()),
        created_at: at.clone(),
        updated_at: at,
    }
}

pub(crate) async fn get(app: &App, id: &str) -> Result<Campaign, ServiceError> {
    let found = store::campaigns::find(&app.log, id).await.map_err(error::log)?;
    found.ok_or_else(|| ServiceError::not_found("Campaign not found"))
}

pub(crate) async fn list(
    app: &App,
    request: ListCampaignsRequest,
) -> Result<ListCampaignsReply, ServiceError> {
    let page = Page { limit: request.limit, offset: request.offset };
    let found = store::campaigns::list(&app.log, request.client_id, page).await;
    let (campaigns, total) = found.map_err(error::log)?;
    Ok(ListCampaignsReply { campaigns, total })
}
