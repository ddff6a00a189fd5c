//! The asset service, as far as jobs ask it.

use std::{collections::HashMap, sync::Arc};

use kit::ServiceError;
use parking_lot::Mutex;
use protos::{
    asset::v1::{self as pb, asset_service_server::AssetService},
    common::v1::BlobRef,
};
use tonic::{Request, Response, Status};

/// Campaigns and their assets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assets {
    campaigns: Arc<Mutex<HashMap<String, Known>>>,
}

/// A campaign with its assets.
type Known = (pb::Campaign, Vec<pb::Asset>);

/// A photo of 1600×1200.
pub(crate) fn image(id: &str) -> pb::Asset {
    pb::Asset {
        id: id.to_owned(),
        r#type: "image".to_owned(),
        name: Some(format!("{id}.jpg")),
        tags: vec!["kitchen".to_owned()],
        blob: Some(BlobRef {
            sha256: format!("sha-{id}"),
            size: 1_000,
            content_type: "image/jpeg".to_owned(),
        }),
        width: Some(1_600),
        height: Some(1_200),
        ..pb::Asset::default()
    }
}

impl Assets {
    /// A campaign of the client `northwind` with so many photos, `<id>-1` and so on.
    pub(crate) fn campaign(&self, id: &str, name: &str, photos: usize) {
        self.campaign_of(id, name, (1..=photos).map(|number| image(&format!("{id}-{number}"))).collect());
    }

    /// A campaign with assets of one's own.
    pub(crate) fn campaign_of(&self, id: &str, name: &str, assets: Vec<pb::Asset>) {
        let campaign = pb::Campaign {
            id: id.to_owned(),
            client_id: "northwind".to_owned(),
            name: name.to_owned(),
            brief: Some("A sunny \"lodge\", 100% quiet".to_owned()),
            ..pb::Campaign::default()
        };
        self.campaigns.lock().insert(id.to_owned(), (campaign, assets));
    }
}

#[tonic::async_trait]
impl AssetService for Assets {
    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        let campaigns = self.campaigns.lock();
        let found = campaigns.get(&request.into_inner().id).map(|(campaign, _)| campaign.clone());
        found.map(Response::new).ok_or_else(|| ServiceError::not_found("Campaign not found").into())
    }

    async fn list_assets(
        &self,
        request: Request<pb::ListAssetsRequest>,
    ) -> Result<Response<pb::ListAssetsReply>, Status> {
        let request = request.into_inner();
        assert!(request.oldest_first && request.limit == 0, "frames are dealt oldest first, over all photos");
        let campaigns = self.campaigns.lock();
        let assets = request.campaign_id.and_then(|id| campaigns.get(&id).map(|(_, assets)| assets.clone()));
        let assets = assets.unwrap_or_default();
        Ok(Response::new(pb::ListAssetsReply { total: assets.len() as u64, assets, next: None }))
    }

    async fn create_client(
        &self,
        _: Request<pb::CreateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn get_client(&self, _: Request<pb::GetClientRequest>) -> Result<Response<pb::Client>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn list_clients(
        &self,
        _: Request<pb::ListClientsRequest>,
    ) -> Result<Response<pb::ListClientsReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn create_campaign(
        &self,
        _: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn list_campaigns(
        &self,
        _: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn create_asset(&self, _: Request<pb::CreateAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn import_asset(&self, _: Request<pb::ImportAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn get_asset(&self, _: Request<pb::GetAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn update_client(
        &self,
        _: Request<pb::UpdateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn delete_client(
        &self,
        _: Request<pb::DeleteClientRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn update_campaign(
        &self,
        _: Request<pb::UpdateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn delete_campaign(
        &self,
        _: Request<pb::DeleteCampaignRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn delete_asset(
        &self,
        _: Request<pb::DeleteAssetRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn get_picture(
        &self,
        _: Request<pb::GetPictureRequest>,
    ) -> Result<Response<pb::GetPictureReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn create_api_key(
        &self,
        _: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn list_api_keys(
        &self,
        _: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn revoke_api_key(
        &self,
        _: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::ApiKey>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn get_key_ring(&self, _: Request<pb::GetKeyRingRequest>) -> Result<Response<pb::KeyRing>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }
}
