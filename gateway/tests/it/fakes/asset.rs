//! The asset service.

use std::sync::Arc;

use protos::asset::v1::{self as pb, asset_service_server::AssetService};
use tonic::{Request, Response, Status};

use super::Script;

/// Answers from its script.
pub(crate) struct FakeAsset {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl AssetService for FakeAsset {
    async fn create_client(
        &self,
        request: Request<pb::CreateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        self.script.answer("create_client", request)
    }

    async fn get_client(
        &self,
        request: Request<pb::GetClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        self.script.answer("get_client", request)
    }

    async fn list_clients(
        &self,
        request: Request<pb::ListClientsRequest>,
    ) -> Result<Response<pb::ListClientsReply>, Status> {
        self.script.answer("list_clients", request)
    }

    async fn create_campaign(
        &self,
        request: Request<pb::CreateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        self.script.answer("create_campaign", request)
    }

    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        self.script.answer("get_campaign", request)
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> Result<Response<pb::ListCampaignsReply>, Status> {
        self.script.answer("list_campaigns", request)
    }

    async fn create_asset(
        &self,
        request: Request<pb::CreateAssetRequest>,
    ) -> Result<Response<pb::Asset>, Status> {
        self.script.answer("create_asset", request)
    }

    async fn import_asset(
        &self,
        request: Request<pb::ImportAssetRequest>,
    ) -> Result<Response<pb::Asset>, Status> {
        self.script.answer("import_asset", request)
    }

    async fn get_asset(&self, request: Request<pb::GetAssetRequest>) -> Result<Response<pb::Asset>, Status> {
        self.script.answer("get_asset", request)
    }

    async fn list_assets(
        &self,
        request: Request<pb::ListAssetsRequest>,
    ) -> Result<Response<pb::ListAssetsReply>, Status> {
        self.script.answer("list_assets", request)
    }

    async fn update_client(
        &self,
        request: Request<pb::UpdateClientRequest>,
    ) -> Result<Response<pb::Client>, Status> {
        self.script.answer("update_client", request)
    }

    async fn delete_client(
        &self,
        request: Request<pb::DeleteClientRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        self.script.answer("delete_client", request)
    }

    async fn update_campaign(
        &self,
        request: Request<pb::UpdateCampaignRequest>,
    ) -> Result<Response<pb::Campaign>, Status> {
        self.script.answer("update_campaign", request)
    }

    async fn delete_campaign(
        &self,
        request: Request<pb::DeleteCampaignRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        self.script.answer("delete_campaign", request)
    }

    async fn delete_asset(
        &self,
        request: Request<pb::DeleteAssetRequest>,
    ) -> Result<Response<pb::Deleted>, Status> {
        self.script.answer("delete_asset", request)
    }

    async fn get_picture(
        &self,
        request: Request<pb::GetPictureRequest>,
    ) -> Result<Response<pb::GetPictureReply>, Status> {
        self.script.answer("get_picture", request)
    }

    async fn create_api_key(
        &self,
        request: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::CreateApiKeyReply>, Status> {
        self.script.answer("create_api_key", request)
    }

    async fn list_api_keys(
        &self,
        request: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysReply>, Status> {
        self.script.answer("list_api_keys", request)
    }

    async fn revoke_api_key(
        &self,
        request: Request<pb::RevokeApiKeyRequest>,
    ) -> Result<Response<pb::ApiKey>, Status> {
        self.script.answer("revoke_api_key", request)
    }

    async fn get_key_ring(
        &self,
        request: Request<pb::GetKeyRingRequest>,
    ) -> Result<Response<pb::KeyRing>, Status> {
        self.script.answer("get_key_ring", request)
    }
}
