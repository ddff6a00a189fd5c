//! The job service, with a feed that a test fills.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::Stream;
use protos::job::v1::{self as pb, job_service_server::JobService};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Response, Status};

use super::Script;

/// Answers from its script; the feed is what [`FakeJob::publish`] is given.
pub(crate) struct FakeJob {
    pub(crate) script: Arc<Script>,
    pub(crate) feed: Arc<Feed>,
}

/// Those who watch.
pub(crate) struct Feed {
    watchers: Mutex<Vec<mpsc::UnboundedSender<Result<pb::FeedItem, Status>>>>,
    after: watch::Sender<Vec<i64>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { watchers: Mutex::default(), after: watch::Sender::new(Vec::new()) }
    }
}

impl Feed {
    /// Waits until the feed was asked for `times` times; the positions that were asked for.
    pub(crate) async fn watched(&self, times: usize) -> Vec<i64> {
        self.after.subscribe().wait_for(|after| after.len() >= times).await.expect("a watcher").clone()
    }

    /// Gives an item to those who watch.
    pub(crate) fn publish(&self, item: &pb::FeedItem) {
        self.watchers.lock().expect("a lock").retain(|watcher| watcher.send(Ok(item.clone())).is_ok());
    }

    /// Breaks all connections.
    pub(crate) fn break_off(&self) {
        self.watchers.lock().expect("a lock").clear();
    }
}

#[tonic::async_trait]
impl JobService for FakeJob {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<pb::FeedItem, Status>> + Send>>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.feed.watchers.lock().expect("a lock").push(sender);
        self.feed.after.send_modify(|after| after.push(request.into_inner().after_position));
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver))))
    }

    async fn create_job(&self, request: Request<pb::CreateJobRequest>) -> Result<Response<pb::Job>, Status> {
        self.script.answer("create_job", request)
    }

    async fn get_job(&self, request: Request<pb::GetJobRequest>) -> Result<Response<pb::Job>, Status> {
        self.script.answer("get_job", request)
    }

    async fn approve_job(
        &self,
        request: Request<pb::ApproveJobRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        self.script.answer("approve_job", request)
    }

    async fn cancel_job(&self, request: Request<pb::CancelJobRequest>) -> Result<Response<pb::Job>, Status> {
        self.script.answer("cancel_job", request)
    }

    async fn regenerate_scenes(
        &self,
        request: Request<pb::RegenerateScenesRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        self.script.answer("regenerate_scenes", request)
    }

    async fn get_scene(
        &self,
        request: Request<pb::GetSceneRequest>,
    ) -> Result<Response<pb::GetSceneReply>, Status> {
        self.script.answer("get_scene", request)
    }

    async fn list_videos(
        &self,
        request: Request<pb::ListVideosRequest>,
    ) -> Result<Response<pb::ListVideosReply>, Status> {
        self.script.answer("list_videos", request)
    }

    async fn edit_scene(&self, request: Request<pb::EditSceneRequest>) -> Result<Response<pb::Job>, Status> {
        self.script.answer("edit_scene", request)
    }

    async fn reorder_scenes(
        &self,
        request: Request<pb::ReorderScenesRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        self.script.answer("reorder_scenes", request)
    }

    async fn override_scene(
        &self,
        request: Request<pb::OverrideSceneRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        self.script.answer("override_scene", request)
    }

    async fn remove_scene(
        &self,
        request: Request<pb::RemoveSceneRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        self.script.answer("remove_scene", request)
    }

    async fn get_estimate(
        &self,
        request: Request<pb::GetEstimateRequest>,
    ) -> Result<Response<pb::Estimate>, Status> {
        self.script.answer("get_estimate", request)
    }

    async fn list_jobs(
        &self,
        request: Request<pb::ListJobsRequest>,
    ) -> Result<Response<pb::ListJobsReply>, Status> {
        self.script.answer("list_jobs", request)
    }

    async fn list_scenes(
        &self,
        request: Request<pb::ListScenesRequest>,
    ) -> Result<Response<pb::ListScenesReply>, Status> {
        self.script.answer("list_scenes", request)
    }

    async fn get_spend(&self, request: Request<pb::GetSpendRequest>) -> Result<Response<pb::Spend>, Status> {
        self.script.answer("get_spend", request)
    }

    async fn read_feed(
        &self,
        request: Request<pb::ReadFeedRequest>,
    ) -> Result<Response<pb::ReadFeedReply>, Status> {
        self.script.answer("read_feed", request)
    }

    async fn get_strip(
        &self,
        request: Request<pb::GetStripRequest>,
    ) -> Result<Response<pb::GetStripReply>, Status> {
        self.script.answer("get_strip", request)
    }
}
