//! What the asset service knows of a campaign.

use kit::{
    Code, ServiceError,
    grpc::{BadAddress, Channel, channel},
};
use protos::asset::v1::{self as pb, asset_service_client::AssetServiceClient};

/// The asset service, over gRPC. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Assets {
    client: AssetServiceClient<Channel>,
}

impl Assets {
    /// The service at `address`; nothing is dialled yet.
    ///
    /// # Errors
    /// The address is not a URI.
    pub fn new(address: &str) -> Result<Self, BadAddress> {
        let client =
            AssetServiceClient::new(channel(address)?).max_decoding_message_size(kit::grpc::MAX_MESSAGE);
        Ok(Self { client })
    }

    /// The campaign; none when there is no such campaign.
    ///
    /// # Errors
    /// The service is away.
    pub async fn campaign(&self, id: &str) -> Result<Option<pb::Campaign>, ServiceError> {
        let request = pb::GetCampaignRequest { id: id.to_owned() };
        match self.client.clone().get_campaign(request).await {
            Ok(found) => Ok(Some(found.into_inner())),
            Err(status) => match ServiceError::from(status) {
                error if error.code == Code::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Every asset of the campaign, oldest first.
    ///
    /// # Errors
    /// The service is away.
    pub async fn of_campaign(&self, id: &str) -> Result<Vec<pb::Asset>, ServiceError> {
        let request = pb::ListAssetsRequest {
            campaign_id: Some(id.to_owned()),
            oldest_first: true,
            ..pb::ListAssetsRequest::default()
        };
        Ok(self.client.clone().list_assets(request).await?.into_inner().assets)
    }
}
