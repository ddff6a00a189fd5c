//! One campaign of twenty photographs.

use protos::{
    asset::v1::{self as pb, asset_service_server::AssetService},
    common::v1::BlobRef,
};
use tonic::{Request, Response, Status};

/// The campaign that every job is about.
pub(crate) const CAMPAIGN: &str = "spring";
const PHOTOS: usize = 20;

/// The asset service, as far as jobs ask it.
#[derive(Clone, Debug)]
pub(crate) struct Assets;

fn photo(number: usize) -> pb::Asset {
    let blob =
        BlobRef { sha256: format!("{number:064x}"), size: 1_000, content_type: "image/jpeg".to_owned() };
    pb::Asset {
        id: format!("photo-{number}"),
        r#type: "image".to_owned(),
        name: Some(format!("photo-{number}.jpg")),
        tags: vec!["kitchen".to_owned()],
        blob: Some(blob),
        width: Some(1_600),
        height: Some(1_200),
        ..pb::Asset::default()
    }
}

#[tonic::async_trait]
impl AssetService for Assets {
    async fn get_campaign(
        &self,
        _: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        Ok(Response::new(pb::Campaign {
            id: CAMPAIGN.to_owned(),
            client_id: "northwind".to_owned(),
            name: "Spring".to_owned(),
            brief: Some("A sunny lodge".to_owned()),
            ..pb::Campaign::default()
        }))
    }

    async fn list_assets(
        &self,
        _: Request<pb::ListAssetsRequest>,
    ) -> Result<Response<pb::ListAssetsReply>, Status> {
        let assets: Vec<pb::Asset> = (1..=PHOTOS).map(photo).collect();
        Ok(Response::new(pb::ListAssetsReply { total: assets.len() as u64, assets, next: None }))
    }

    async fn create_client(
        &self,
        _: Request<pb::CreateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        not_asked()
    }

    async fn get_client(&self, _: Request<pb::GetClientRequest>) -> Result<Response<pb::Client>, Status> {
        not_asked()
    }

    async fn list_clients(
        &self,
        _: Request<pb::ListClientsRequest>,
    ) -> Result<Response<pb::ListClientsReply>, Status> {
        not_asked()
    }

    async fn create_campaign(
        &self,
        _: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        not_asked()
    }

    async fn list_campaigns(
        &self,
        _: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsReply>, Status> {
        not_asked()
    }

    async fn create_asset(&self, _: Request<pb::CreateAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        not_asked()
    }

    async fn import_asset(&self, _: Request<pb::ImportAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        not_asked()
    }

    async fn get_asset(&self, _: Request<pb::GetAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        not_asked()
    }

    async fn update_client(
        &self,
        _: Request<pb::UpdateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        not_asked()
    }

    async fn delete_client(
        &self,
        _: Request<pb::DeleteClientRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        not_asked()
    }

    async fn update_campaign(
        &self,
        _: Request<pb::UpdateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        not_asked()
    }

    async fn delete_campaign(
        &self,
        _: Request<pb::DeleteCampaignRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        not_asked()
    }

    async fn delete_asset(
        &self,
        _: Request<pb::DeleteAssetRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        not_asked()
    }

    async fn get_picture(
        &self,
        _: Request<pb::GetPictureRequest>,
    ) -> Result<Response<pb::GetPictureReply>, Status> {
        not_asked()
    }

    async fn create_api_key(
        &self,
        _: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyReply>, Status> {
        not_asked()
    }

    async fn list_api_keys(
        &self,
        _: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysReply>, Status> {
        not_asked()
    }

    async fn revoke_api_key(
        &self,
        _: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::ApiKey>, Status> {
        not_asked()
    }

    async fn get_key_ring(&self, _: Request<pb::GetKeyRingRequest>) -> Result<Response<pb::KeyRing>, Status> {
        not_asked()
    }
}

fn not_asked<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not asked by jobs"))
}
