//! Keys that open the API: making, listing and revoking them, and what recognises them.
//!
//! A key is `fsk_` with eight digits that name it, and 256 random bits after them. It is shown once, when it is made;
//! what is kept is its SHA-256, beside the log and not in it. With so many random bits nothing slower is needed: a
//! digest can be neither reversed nor guessed.

use jiff::Timestamp;
use kit::ServiceError;
use protos::asset::v1::{
    ApiKey, CreateApiKeyReply, CreateApiKeyRequest, KeyRing, ListApiKeysReply, ListApiKeysRequest,
    RevokeApiKeyRequest,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::app::{App, Write};
use crate::command::Command;
use crate::error;
use crate::events::{ApiKeyCreated, ApiKeyRevoked};
use crate::fields::{ABSENT, BLANK, Check, INVALID};
use crate::store::{self, Page, time_text};

/// What a key may be for.
const SCOPES: [&str; 3] = ["read", "write", "admin"];

pub(crate) async fn create(
    app: &App,
    request: CreateApiKeyRequest,
) -> Result<CreateApiKeyReply, ServiceError> {
    let command = Command::new("CreateApiKey", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let at = app.now();
    let secret = Secret::new();
    let event = check(app, request, &secret, at).await?;
    // What is remembered for a repetition is the reply without the key.
    let reply = CreateApiKeyReply { key: Some(shown(&event, at)), secret: None };
    let digest = store::keys::insert_digest(&event.key_id, &secret.digest());
    let key_id = event.key_id.clone();
    let reply = app.store(&command, Write::first(event, at).and(digest), reply).await?;
    let reply = reply.ok_or_else(error::contended)?;
    // Another call with the same command may have been faster: then its key is the one that counts.
    let ours = reply.key.as_ref().is_some_and(|key| key.id == key_id);
    Ok(CreateApiKeyReply { secret: ours.then_some(secret.text), ..reply })
}

async fn check(
    app: &App,
    request: CreateApiKeyRequest,
    secret: &Secret,
    now: Timestamp,
) -> Result<ApiKeyCreated, ServiceError> {
    let mut check = Check::default();
    let event = ApiKeyCreated {
        key_id: Uuid::new_v4().to_string(),
        name: check.name(request.name),
        prefix: secret.prefix.clone(),
        scopes: scopes(&mut check, &request.scopes),
        client_id: check.filled("client_id", request.client_id),
        expires_at: expiry(&mut check, request.expires_at, now),
    };
    if let Some(client) = &event.client_id {
        if !store::clients::exists(&app.log, client).await.map_err(error::log)? {
            check.refuse("client_id", ABSENT);
        }
        if event.scopes.iter().any(|scope| scope == "admin") {
            check.refuse("scopes", "cannot hold admin for a key of one client");
        }
    }
    check.finish().map(|()| event)
}

/// Each once, in the order in which they are listed here.
fn scopes(check: &mut Check, given: &[String]) -> Vec<String> {
    if given.is_empty() {
        check.refuse("scopes", BLANK);
    }
    if given.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        check.refuse("scopes", "must be of read, write and admin");
    }
    let wanted = SCOPES.iter().filter(|scope| given.iter().any(|given| given == *scope));
    wanted.map(|scope| (*scope).to_owned()).collect()
}

fn expiry(check: &mut Check, given: Option<String>, now: Timestamp) -> Option<Timestamp> {
    let given = check.filled("expires_at", given)?;
    match given.trim().parse::<Timestamp>() {
        Ok(expires_at) if expires_at > now => Some(expires_at),
        Ok(_) => {
            check.refuse("expires_at", "must be in the future");
            None
        }
        Err(_) => {
            check.refuse("expires_at", INVALID);
            None
        }
    }
}

/// A key as only its owner will know it.
struct Secret {
    prefix: String,
    text: String,
}

impl Secret {
    fn new() -> Self {
        let prefix = format!("fsk_{}", hex::encode(rand::random::<[u8; 4]>()));
        let text = format!("{prefix}_{}", hex::encode(rand::random::<[u8; 32]>()));
        Self { prefix, text }
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }
}

fn shown(event: &ApiKeyCreated, at: Timestamp) -> ApiKey {
    let event = event.clone();
    ApiKey {
        id: event.key_id,
        name: event.name,
        prefix: event.prefix,
        scopes: event.scopes,
        client_id: event.client_id,
        created_at: time_text(at),
        expires_at: event.expires_at.map(time_text),
        revoked_at: None,
    }
}

pub(crate) async fn list(app: &App, request: ListApiKeysRequest) -> Result<ListApiKeysReply, ServiceError> {
    let ListApiKeysRequest { limit, offset, after } = request;
    let found = store::keys::list(&app.log, Page { limit, offset, after }).await.map_err(error::log)?;
    Ok(ListApiKeysReply { keys: found.items, total: found.total, next: found.next })
}

/// Revoking a key that is revoked already changes nothing.
pub(crate) async fn revoke(app: &App, request: RevokeApiKeyRequest) -> Result<ApiKey, ServiceError> {
    let command = Command::new("RevokeApiKey", &request.command_id, &request);
    if let Some(reply) = command.earlier(&app.log).await? {
        return Ok(reply);
    }
    let key = find(app, &request.id).await?;
    if key.revoked_at.is_some() {
        return Ok(key);
    }
    let at = app.now();
    let event = ApiKeyRevoked { key_id: key.id.clone() };
    let reply = ApiKey { revoked_at: Some(time_text(at)), ..key };
    match app.store(&command, Write::last(Vec::new(), event, at), reply).await? {
        Some(reply) => Ok(reply),
        // Somebody else was faster.
        None => find(app, &request.id).await,
    }
}

async fn find(app: &App, id: &str) -> Result<ApiKey, ServiceError> {
    let found = store::keys::find(&app.log, id).await.map_err(error::log)?;
    found.ok_or_else(|| ServiceError::not_found("Key not found"))
}

pub(crate) async fn ring(app: &App) -> Result<KeyRing, ServiceError> {
    let keys = store::keys::ring(&app.log, app.now()).await.map_err(error::log)?;
    Ok(KeyRing { keys })
}
