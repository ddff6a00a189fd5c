//! `JobService` over gRPC: requests in, the words of the service out. No rule is decided here.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use job_domain::{Command, JobId, Refusal, SceneStatus, state::Override};
use kit::ServiceError;
use prost::Message;
use protos::job::v1::{self as pb, job_service_server::JobService};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{
    app::{App, Done, Remember},
    create::Creator,
    edit::Editor,
    error::{database, refused},
    events::Origin,
    feed, listing, store, view,
};

/// The service.
#[derive(Debug)]
pub struct Jobs {
    app: Arc<App>,
    creator: Creator,
    editor: Editor,
    cancel: CancellationToken,
}

type Feed = Pin<Box<dyn Stream<Item = Result<pb::FeedItem, Status>> + Send>>;

impl Jobs {
    /// The service, whose streams end on `cancel`.
    #[must_use]
    pub fn new(app: Arc<App>, creator: Creator, editor: Editor, cancel: CancellationToken) -> Self {
        Self { app, creator, editor, cancel }
    }

    /// The reply to a command, the same again when it is repeated.
    async fn reply(&self, command_id: &str, done: Done) -> Result<Response<pb::Job>, Status> {
        let before = match done {
            Done::Now(job) => return Ok(Response::new(view::job(&job))),
            Done::Before(before) => before,
        };
        let mut job = pb::Job::decode(before.as_slice()).map_err(ServiceError::internal)?;
        // The position was not known yet when the reply was stored.
        job.position = self.app.position_after(job.id, command_id).await.map_err(ServiceError::internal)?;
        Ok(Response::new(job))
    }

    async fn carry_out(
        &self,
        job: JobId,
        command_id: &str,
        digest: &str,
        command: Command,
    ) -> Result<Response<pb::Job>, Status> {
        let remember = Remember { id: command_id, digest, reply };
        let done = self.app.carry_out(job, &command, &Origin::api(command_id), remember).await?;
        self.reply(command_id, done).await
    }
}

fn reply(job: &job_domain::Job) -> Vec<u8> {
    view::of(job).encode_to_vec()
}

/// Digest of everything a request asks for: its kind, and all its fields but the id of the command.
pub(crate) fn digest(kind: &str, request: &impl Message) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(request.encode_to_vec());
    hex::encode(hash.finalize())
}

#[tonic::async_trait]
impl JobService for Jobs {
    type WatchStream = Feed;

    async fn create_job(&self, request: Request<pb::CreateJobRequest>) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest = digest("create", &pb::CreateJobRequest { command_id: String::new(), ..request.clone() });
        let remember = Remember { id: &request.command_id, digest: &digest, reply };
        let done = self.creator.create(&request, remember).await?;
        self.reply(&request.command_id, done).await
    }

    async fn get_job(&self, request: Request<pb::GetJobRequest>) -> Result<Response<pb::Job>, Status> {
        Ok(Response::new(view::job(&*self.app.get(request.into_inner().job_id).await?)))
    }

    async fn approve_job(
        &self,
        request: Request<pb::ApproveJobRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let pb::ApproveJobRequest { command_id, job_id } = request.into_inner();
        let digest = digest("approve", &pb::ApproveJobRequest { command_id: String::new(), job_id });
        self.carry_out(job_id, &command_id, &digest, Command::Approve).await
    }

    async fn cancel_job(&self, request: Request<pb::CancelJobRequest>) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest = digest("cancel", &pb::CancelJobRequest { command_id: String::new(), ..request.clone() });
        let reason = Some(request.reason).filter(|reason| !reason.trim().is_empty());
        self.carry_out(request.job_id, &request.command_id, &digest, Command::Cancel { reason }).await
    }

    async fn regenerate_scenes(
        &self,
        request: Request<pb::RegenerateScenesRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest = digest(
            "regenerate",
            &pb::RegenerateScenesRequest { command_id: String::new(), ..request.clone() },
        );
        let command = Command::Regenerate { scenes: request.scene_ids };
        self.carry_out(request.job_id, &request.command_id, &digest, command).await
    }

    async fn get_scene(
        &self,
        request: Request<pb::GetSceneRequest>,
    ) -> Result<Response<pb::GetSceneReply>, Status> {
        let id = request.into_inner().scene_id;
        let unknown = || refused(&Refusal::SceneNotFound { scene: id.clone() });
        let job_id = store::job_of_scene(self.app.log(), &id).await.map_err(database)?.ok_or_else(unknown)?;
        let job = self.app.get(job_id).await?;
        let scene = job.job.scene(&id).ok_or_else(unknown)?;
        let scene = Some(view::scene(&job.job, scene));
        Ok(Response::new(pb::GetSceneReply { job_id, scene }))
    }

    async fn list_videos(
        &self,
        request: Request<pb::ListVideosRequest>,
    ) -> Result<Response<pb::ListVideosReply>, Status> {
        Ok(Response::new(listing::videos(&self.app, request.into_inner()).await?))
    }

    async fn edit_scene(&self, request: Request<pb::EditSceneRequest>) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest = digest("edit", &pb::EditSceneRequest { command_id: String::new(), ..request.clone() });
        let command_id = request.command_id.clone();
        let remember = Remember { id: &command_id, digest: &digest, reply };
        let done = self.editor.edit(request, remember).await?;
        self.reply(&command_id, done).await
    }

    async fn reorder_scenes(
        &self,
        request: Request<pb::ReorderScenesRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest =
            digest("reorder", &pb::ReorderScenesRequest { command_id: String::new(), ..request.clone() });
        let command = Command::ReorderScenes { order: request.scene_ids };
        self.carry_out(request.job_id, &request.command_id, &digest, command).await
    }

    async fn override_scene(
        &self,
        request: Request<pb::OverrideSceneRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest =
            digest("override", &pb::OverrideSceneRequest { command_id: String::new(), ..request.clone() });
        let status = match request.status.as_deref() {
            Some(word) => Some(
                SceneStatus::from_word(word)
                    .ok_or_else(|| ServiceError::validation([("status", "is invalid")]))?,
            ),
            None => None,
        };
        let shown = Override { status, provider_id: request.provider_id };
        let command = Command::OverrideScene { scene: request.scene_id, shown };
        self.carry_out(request.job_id, &request.command_id, &digest, command).await
    }

    async fn remove_scene(
        &self,
        request: Request<pb::RemoveSceneRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest =
            digest("remove", &pb::RemoveSceneRequest { command_id: String::new(), ..request.clone() });
        let command = Command::RemoveScene { scene: request.scene_id };
        self.carry_out(request.job_id, &request.command_id, &digest, command).await
    }

    async fn get_estimate(
        &self,
        request: Request<pb::GetEstimateRequest>,
    ) -> Result<Response<pb::Estimate>, Status> {
        let pb::GetEstimateRequest { job, plan } = request.into_inner();
        let estimated = self.creator.estimate(&job.unwrap_or_default(), plan).await?;
        Ok(Response::new(pb::Estimate {
            job: Some(view::of(&estimated.job)),
            planned: estimated.planned,
            planner: estimated.planner.to_owned(),
            valid_until: estimated.valid_until.to_string(),
        }))
    }

    async fn list_jobs(
        &self,
        request: Request<pb::ListJobsRequest>,
    ) -> Result<Response<pb::ListJobsReply>, Status> {
        Ok(Response::new(listing::jobs(&self.app, request.into_inner()).await?))
    }

    async fn list_scenes(
        &self,
        request: Request<pb::ListScenesRequest>,
    ) -> Result<Response<pb::ListScenesReply>, Status> {
        Ok(Response::new(listing::scenes(&self.app, request.into_inner()).await?))
    }

    async fn get_spend(&self, request: Request<pb::GetSpendRequest>) -> Result<Response<pb::Spend>, Status> {
        let pb::GetSpendRequest { campaign_ids, client_id } = request.into_inner();
        let spend =
            store::spend(self.app.log(), &campaign_ids, client_id.as_deref()).await.map_err(database)?;
        let store::Spend { jobs, paid_jobs, micros } = spend;
        Ok(Response::new(pb::Spend { jobs, paid_jobs, spent_micros: micros }))
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Feed>, Status> {
        let after = request.into_inner().after_position;
        let feed = feed::watch(self.app.log().clone(), after, self.cancel.clone()).await;
        let feed = feed.map_err(ServiceError::internal)?;
        let items = feed.map(|item| item.map_err(|error| Status::from(ServiceError::internal(error))));
        Ok(Response::new(Box::pin(items)))
    }

    async fn read_feed(
        &self,
        request: Request<pb::ReadFeedRequest>,
    ) -> Result<Response<pb::ReadFeedReply>, Status> {
        let pb::ReadFeedRequest { job_id, after_position } = request.into_inner();
        self.app.get(job_id).await?;
        let items =
            feed::read(self.app.log(), job_id, after_position).await.map_err(ServiceError::internal)?;
        Ok(Response::new(pb::ReadFeedReply { items }))
    }

    async fn get_strip(
        &self,
        request: Request<pb::GetStripRequest>,
    ) -> Result<Response<pb::GetStripReply>, Status> {
        let job_id = request.into_inner().job_id;
        self.app.get(job_id).await?;
        let lines = feed::strip(self.app.log(), job_id).await.map_err(ServiceError::internal)?;
        Ok(Response::new(pb::GetStripReply { lines }))
    }
}
