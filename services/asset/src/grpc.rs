//! The service's RPCs: requests in, replies or refusals out. Rules are in the modules that it calls.

use std::sync::Arc;

use kit::ServiceError;
use protos::asset::v1 as pb;
use protos::asset::v1::asset_service_server::AssetService;
use tonic::{Request, Response, Status};

use crate::app::App;
use crate::{assets, campaigns, clients, keys, pictures};

/// The RPCs of the asset service.
#[derive(Clone, Debug)]
pub struct Grpc {
    app: Arc<App>,
}

impl Grpc {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

pub(crate) fn answer<T>(outcome: Result<T, ServiceError>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(Status::from)
}

#[async_trait::async_trait]
impl AssetService for Grpc {
    async fn create_client(
        &self,
        request: Request<pb::CreateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        answer(clients::create(&self.app, request.into_inner()).await)
    }

    async fn get_client(
        &self,
        request: Request<pb::GetClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        answer(clients::get(&self.app, &request.into_inner().id).await)
    }

    async fn list_clients(
        &self,
        request: Request<pb::ListClientsRequest>,
    ) -> Result<Response<pb::ListClientsReply>, Status> {
        answer(clients::list(&self.app, request.into_inner()).await)
    }

    async fn create_campaign(
        &self,
        request: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        answer(campaigns::create(&self.app, request.into_inner()).await)
    }

    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        answer(campaigns::get(&self.app, &request.into_inner().id).await)
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsReply>, Status> {
        answer(campaigns::list(&self.app, request.into_inner()).await)
    }

    async fn create_asset(
        &self,
        request: Request<pb::CreateAssetRequest>,
    ) -> Result<Response<pb::Asset>, Status> {
        answer(assets::create(&self.app, request.into_inner()).await)
    }

    async fn import_asset(
        &self,
        request: Request<pb::ImportAssetRequest>,
    ) -> Result<Response<pb::Asset>, Status> {
        answer(assets::import(&self.app, request.into_inner()).await)
    }

    async fn get_asset(&self, request: Request<pb::GetAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        answer(assets::get(&self.app, &request.into_inner().id).await)
    }

    async fn list_assets(
        &self,
        request: Request<pb::ListAssetsRequest>,
    ) -> Result<Response<pb::ListAssetsReply>, Status> {
        answer(assets::list(&self.app, request.into_inner()).await)
    }

    async fn update_client(
        &self,
        request: Request<pb::UpdateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        answer(clients::update(&self.app, request.into_inner()).await)
    }

    async fn delete_client(
        &self,
        request: Request<pb::DeleteClientRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        answer(clients::delete(&self.app, request.into_inner()).await)
    }

    async fn update_campaign(
        &self,
        request: Request<pb::UpdateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        answer(campaigns::update(&self.app, request.into_inner()).await)
    }

    async fn delete_campaign(
        &self,
        request: Request<pb::DeleteCampaignRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        answer(campaigns::delete(&self.app, request.into_inner()).await)
    }

    async fn delete_asset(
        &self,
        request: Request<pb::DeleteAssetRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        answer(assets::delete(&self.app, request.into_inner()).await)
    }

    async fn get_picture(
        &self,
        request: Request<pb::GetPictureRequest>,
    ) -> Result<Response<pb::GetPictureReply>, Status> {
        answer(pictures::get(&self.app, request.into_inner()).await)
    }

    async fn create_api_key(
        &self,
        request: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyReply>, Status> {
        answer(keys::create(&self.app, request.into_inner()).await)
    }

    async fn list_api_keys(
        &self,
        request: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysReply>, Status> {
        answer(keys::list(&self.app, request.into_inner()).await)
    }

    async fn revoke_api_key(
        &self,
        request: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::ApiKey>, Status> {
        answer(keys::revoke(&self.app, request.into_inner()).await)
    }

    async fn get_key_ring(&self, _: Request<pb::GetKeyRingRequest>) -> Result<Response<pb::KeyRing>, Status> {
        answer(keys::ring(&self.app).await)
    }
}
