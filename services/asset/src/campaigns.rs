//! Campaigns: creating, finding, changing and deleting them.

use kit::ServiceError;
use protos::asset::v1::{
    Campaign, CreateCampaignRequest, DeleteCampaignRequest, Deleted, ListCampaignsReply,
    ListCampaignsRequest, UpdateCampaignRequest,
};
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Write};
use crate::changes::{Changes, DELETED};
use crate::command::Command;
use crate::error;
use crate::events::{CampaignCreated, CampaignDeleted, CampaignUpdated, Event};
use crate::fields::{ABSENT, Check};
use crate::store::assets::With;
use crate::store::{self, Page, time_text};

/// How often a write is decided again because what it rests on was changed meanwhile.
const DECISIONS: usize = 5;

pub(crate) async fn create(app: &App, request: CreateCampaignRequest) -> Result<Campaign, ServiceError> {
    let command = Command::new("CreateCampaign", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let event = first(app, request.clone()).await?;
        let at = app.now();
        let reply = reply(&event, time_text(at));
        if let Some(reply) = app.store(&command, Write::first(event, at), reply).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}

async fn first(app: &App, request: CreateCampaignRequest) -> Result<CampaignCreated, ServiceError> {
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
    client_exists(app, &mut check, &event.client_id).await?;
    check.finish().map(|()| event)
}

/// Refuses a client that is given and does not exist.
async fn client_exists(app: &App, check: &mut Check, client_id: &str) -> Result<(), ServiceError> {
    if !client_id.is_empty() && !store::clients::exists(&app.log, client_id).await.map_err(error::log)? {
        check.refuse("client_id", ABSENT);
    }
    Ok(())
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
        metadata_json: event.metadata.map(|metadata| Value::Object(metadata).to_string()),
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
    let ListCampaignsRequest { client_id, limit, offset, after, newest_first } = request;
    let page = Page { limit, offset, after };
    let found = store::campaigns::list(&app.log, client_id, newest_first, page).await;
    let found = found.map_err(error::log)?;
    Ok(ListCampaignsReply { campaigns: found.items, total: found.total, next: found.next })
}

/// Changes the fields that were sent, as for clients. With another client its assets go there too.
pub(crate) async fn update(app: &App, request: UpdateCampaignRequest) -> Result<Campaign, ServiceError> {
    let command = Command::new("UpdateCampaign", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let stream = format!("campaign-{}", request.id);
        // The version before the row: a change between the two is met by the append.
        let version = store::version(&app.log, &stream).await.map_err(error::log)?;
        let old = get(app, &request.id).await?;
        let event = decide(app, &old, &request).await?;
        let at = app.now();
        if event.changed.is_empty() {
            command.remember(&app.log, &old, at).await?;
            return Ok(old);
        }
        let reply = Campaign { created_at: old.created_at, ..reply(&event.now, time_text(at)) };
        if let Some(reply) = app.store(&command, Write::change(event, version, at), reply).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}

async fn decide(
    app: &App,
    old: &Campaign,
    request: &UpdateCampaignRequest,
) -> Result<CampaignUpdated, ServiceError> {
    let mut check = Check::default();
    let mut changes = Changes::of(&request.fields);
    let mut now = CampaignCreated {
        campaign_id: old.id.clone(),
        client_id: old.client_id.clone(),
        name: old.name.clone(),
        goal: old.goal.clone(),
        status: old.status.clone(),
        product_url: old.product_url.clone(),
        brief: old.brief.clone(),
        metadata: store::stored_object(old.metadata_json.as_deref()),
    };
    let wish = request.clone();
    changes.set("client_id", &mut now.client_id, || check.required("client_id", wish.client_id));
    changes.set("name", &mut now.name, || check.name(wish.name));
    changes.set("goal", &mut now.goal, || check.text("goal", wish.goal));
    changes.set("status", &mut now.status, || check.text("status", wish.status));
    changes.set("product_url", &mut now.product_url, || check.text("product_url", wish.product_url));
    changes.set("brief", &mut now.brief, || check.text("brief", wish.brief));
    changes.set("metadata", &mut now.metadata, || check.object("metadata", wish.metadata_json.as_deref()));
    client_exists(app, &mut check, &now.client_id).await?;
    check.finish().map(|()| CampaignUpdated { changed: changes.changed(), now })
}

/// Deletes a campaign with its assets, each told by an event of its own.
pub(crate) async fn delete(app: &App, request: DeleteCampaignRequest) -> Result<Deleted, ServiceError> {
    let command = Command::new("DeleteCampaign", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let Campaign { id: campaign_id, client_id, .. } = get(app, &request.id).await?;
        let assets = store::assets::going(&app.log, With::Campaign(&campaign_id)).await;
        let with_it = assets.map_err(error::log)?.into_iter().map(Event::from).collect();
        let event = CampaignDeleted { campaign_id, client_id };
        // What came after the look at the table still refers to the campaign, and the database then refuses; so it
        // does when the campaign has gone to another client.
        if let Some(reply) = app.store(&command, Write::last(with_it, event, app.now()), DELETED).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}
