//! The RPCs.

use protos::asset::v1 as pb;
use protos::asset::v1::legacy_service_server::LegacyService;
use protos::common::v1::BlobRef;
use tonic::{Request, Response, Status, Streaming};

use super::Legacy;
use crate::grpc::answer;

#[async_trait::async_trait]
impl LegacyService for Legacy {
    async fn store_bytes(
        &self,
        request: Request<Streaming<pb::Piece>>,
    ) -> Result<Response<pb::StoreBytesReply>, Status> {
        answer(Self::store_bytes(self, request.into_inner()).await)
    }

    async fn check_bytes(
        &self,
        request: Request<pb::CheckBytesRequest>,
    ) -> Result<Response<pb::CheckBytesReply>, Status> {
        answer(Self::check_bytes(self, request.into_inner()).await)
    }

    async fn fetch_bytes(
        &self,
        request: Request<pb::FetchBytesRequest>,
    ) -> Result<Response<BlobRef>, Status> {
        answer(Self::fetch_bytes(self, request.into_inner()).await)
    }

    async fn import(&self, request: Request<pb::ImportRequest>) -> Result<Response<pb::ImportReply>, Status> {
        answer(Self::import(self, request.into_inner()).await)
    }

    async fn list_imported(
        &self,
        request: Request<pb::ListImportedRequest>,
    ) -> Result<Response<pb::ListImportedReply>, Status> {
        answer(Self::list_imported(self, request.into_inner()).await)
    }
}
