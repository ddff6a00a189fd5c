//! Whose an asset is: a client, a campaign, or both when they belong together.

use eventlog::Log;
use kit::ServiceError;

use crate::error;
use crate::fields::{ABSENT, Check};
use crate::store;

const NOBODY: &str = "must include campaign_id or client_id";
const ANOTHERS: &str = "does not belong to the client";

/// The client and the campaign of an asset.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner {
    pub(super) client_id: Option<String>,
    pub(super) campaign_id: Option<String>,
}

/// Looks both up; a campaign brings its client along.
pub(super) async fn find(log: &Log, check: &mut Check, named: Owner) -> Result<Owner, ServiceError> {
    let Owner { client_id, campaign_id } = named;
    if client_id.is_none() && campaign_id.is_none() {
        check.refuse("campaign_id", NOBODY);
        check.refuse("client_id", NOBODY);
    }
    if let Some(id) = &client_id
        && !store::clients::exists(log, id).await.map_err(error::log)?
    {
        check.refuse("client_id", ABSENT);
    }
    let Some(campaign) = &campaign_id else { return Ok(Owner { client_id, campaign_id }) };
    let Some(campaign) = store::campaigns::find(log, campaign).await.map_err(error::log)? else {
        check.refuse("campaign_id", ABSENT);
        return Ok(Owner { client_id, campaign_id });
    };
    if client_id.as_ref().is_some_and(|id| *id != campaign.client_id) {
        check.refuse("campaign_id", ANOTHERS);
    }
    Ok(Owner { client_id: client_id.or(Some(campaign.client_id)), campaign_id })
}
