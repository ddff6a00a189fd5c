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
}
