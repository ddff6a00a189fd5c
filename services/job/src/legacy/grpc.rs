//! `LegacyService` over gRPC.

use protos::job::v1::{self as pb, legacy_service_server::LegacyService};
use tonic::{Request, Response, Status};

use super::Legacy;

#[tonic::async_trait]
impl LegacyService for Legacy {
    async fn import(
        &self,
        request: Request<pb::ImportJobRequest>,
    ) -> Result<Response<pb::ImportJobReply>, Status> {
        let pb::ImportJobRequest { job, leave_up_to } = request.into_inner();
        Ok(Response::new(self.import_leaving(job.unwrap_or_default(), leave_up_to).await?))
    }

    async fn list_imported(
        &self,
        request: Request<pb::ListImportedJobsRequest>,
    ) -> Result<Response<pb::ListImportedJobsReply>, Status> {
        Ok(Response::new(Self::list_imported(self, request.into_inner()).await?))
    }
}
