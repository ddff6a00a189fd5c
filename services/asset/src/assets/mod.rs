//! Assets: creating them from stored bytes or a URL, finding and deleting them.

mod describe;
mod inspect;
mod owner;

use kit::ServiceError;
use protos::asset::v1::{
    Asset, AssetFields, CreateAssetRequest, DeleteAssetRequest, Deleted, ImportAssetRequest, ListAssetsReply,
    ListAssetsRequest,
};
use protos::common::v1::BlobRef;
use serde_json::Value;
use uuid::Uuid;

use crate::app::{App, Write};
use crate::changes::DELETED;
use crate::command::Command;
use crate::error;
use crate::events::{AssetDeleted, AssetStored};
use crate::fields::Check;
use crate::store::{self, Page, assets::Wanted, time_text};
use describe::Description;
pub(crate) use inspect::format_of;
use owner::Owner;

/// How often a creation is decided again because its client or campaign changed meanwhile.
const DECISIONS: usize = 3;

const NO_FILE: &str = "either blob_data or source_url must be present";

/// Records an asset whose bytes are in the store already.
pub(crate) async fn create(app: &App, request: CreateAssetRequest) -> Result<Asset, ServiceError> {
    let command = Command::new("CreateAsset", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let CreateAssetRequest { fields, blob, file_name, .. } = request;
    let draft = Draft::check(app, fields.unwrap_or_default(), &file_name).await?;
    let blob =
        blob.filter(|blob| blob.size > 0).ok_or_else(|| ServiceError::validation([("base", NO_FILE)]))?;
    record(app, &command, &draft, blob, None).await
}

/// Fetches a URL and records an asset of what came.
pub(crate) async fn import(app: &App, request: ImportAssetRequest) -> Result<Asset, ServiceError> {
    let command = Command::new("ImportAsset", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let url = request.source_url.trim().to_owned();
    // Before anything is fetched: a request that will be refused must not make us call anybody.
    let draft = Draft::check(app, request.fields.unwrap_or_default(), &describe::file_name(&url)).await?;
    if url.is_empty() {
        return Err(ServiceError::validation([("base", NO_FILE)]));
    }
    let blob = app.importer.fetch(&url).await?;
    if blob.size == 0 {
        return Err(ServiceError::validation([("base", NO_FILE)]));
    }
    record(app, &command, &draft, blob, Some(url)).await
}

/// What the caller says, checked.
#[derive(Debug)]
struct Draft {
    /// As the caller named them: a campaign's client is looked up, and may change.
    named: Owner,
    owner: Owner,
    description: Description,
}

impl Draft {
    async fn check(app: &App, fields: AssetFields, file_name: &str) -> Result<Self, ServiceError> {
        let mut check = Check::default();
        let client_id = check.text("client_id", fields.client_id.clone());
        let campaign_id = check.text("campaign_id", fields.campaign_id.clone());
        let description = Description::check(&mut check, fields, file_name);
        let named = Owner { client_id, campaign_id };
        let owner = owner::find(&app.log, &mut check, named.clone()).await?;
        check.finish()?;
        Ok(Self { named, owner, description })
    }
}

async fn record(
    app: &App,
    command: &Command,
    draft: &Draft,
    blob: BlobRef,
    source_url: Option<String>,
) -> Result<Asset, ServiceError> {
    let seen = inspect::inspect(app, &blob).await?;
    let mut owner = draft.owner.clone();
    for _ in 0..DECISIONS {
        let event = AssetStored {
            asset_id: Uuid::new_v4().to_string(),
            kind: seen.kind.to_owned(),
            client_id: owner.client_id.clone(),
            campaign_id: owner.campaign_id.clone(),
            name: draft.description.name.clone(),
            description: draft.description.text.clone(),
            tags: draft.description.tags.clone(),
            metadata: draft.description.metadata.clone(),
            source_url: source_url.clone(),
            blob: seen.blob.clone().into(),
            thumbnail: seen.thumbnail.clone().map(Into::into),
            format: seen.format.clone(),
            width: seen.width,
            height: seen.height,
            duration_ms: seen.duration_ms,
        };
        let at = app.now();
        let reply = reply(&event, time_text(at));
        if let Some(reply) = app.store(command, Write::first(event, at), reply).await? {
            return Ok(reply);
        }
        let mut check = Check::default();
        owner = owner::find(&app.log, &mut check, draft.named.clone()).await?;
        check.finish()?;
    }
    Err(error::contended())
}

fn reply(event: &AssetStored, at: String) -> Asset {
    let event = event.clone();
    Asset {
        id: event.asset_id,
        r#type: event.kind,
        client_id: event.client_id,
        campaign_id: event.campaign_id,
        name: event.name,
        description: event.description,
        tags: event.tags,
        metadata_json: event.metadata.map(|metadata| Value::Object(metadata).to_string()),
        source_url: event.source_url,
        blob: Some(event.blob.into()),
        thumbnail: event.thumbnail.map(Into::into),
        format: event.format,
        width: event.width,
        height: event.height,
        duration_ms: event.duration_ms,
        created_at: at.clone(),
        updated_at: at,
    }
}

pub(crate) async fn get(app: &App, id: &str) -> Result<Asset, ServiceError> {
    let found = store::assets::find(&app.log, id).await.map_err(error::log)?;
    found.ok_or_else(not_found)
}

fn not_found() -> ServiceError {
    ServiceError::not_found("Asset not found")
}

/// An empty condition, or a type that no asset has, matches everything, as the contract says.
pub(crate) async fn list(app: &App, request: ListAssetsRequest) -> Result<ListAssetsReply, ServiceError> {
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    let kind = request.r#type.map(|kind| kind.to_ascii_lowercase());
    let wanted = Wanted {
        client_id: given(request.client_id),
        campaign_id: given(request.campaign_id),
        kind: kind.filter(|kind| ["image", "video", "audio", "document"].contains(&kind.as_str())),
        oldest_first: request.oldest_first,
    };
    let page = Page { limit: request.limit, offset: request.offset, after: request.after };
    let found = store::assets::list(&app.log, wanted, page).await.map_err(error::log)?;
    Ok(ListAssetsReply { assets: found.items, total: found.total, next: found.next })
}

/// Deletes an asset. Its bytes stay: a storyboard keeps their hash, and the same bytes may be another asset's.
pub(crate) async fn delete(app: &App, request: DeleteAssetRequest) -> Result<Deleted, ServiceError> {
    let command = Command::new("DeleteAsset", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    for _ in 0..DECISIONS {
        let Asset { id: asset_id, client_id, campaign_id, .. } = get(app, &request.id).await?;
        let event = AssetDeleted { asset_id, client_id, campaign_id };
        // Somebody else was faster: it is gone, or another client's.
        if let Some(reply) = app.store(&command, Write::last(Vec::new(), event, app.now()), DELETED).await? {
            return Ok(reply);
        }
    }
    Err(error::contended())
}
