//! A replica of the asset service that does what a test says, in a runtime of its own, so that it can be killed.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use kit::{Readiness, grpc};
use protos::asset::v1::{
    self as pb,
    asset_service_client::AssetServiceClient,
    asset_service_server::{AssetService, AssetServiceServer},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
    sync::watch,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, metadata::MetadataMap, service::RoutesBuilder};

/// Longest that a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Answer = BoxFuture<'static, Result<pb::Client, Status>>;

/// Does what a test wants of each call; sees the call's metadata.
pub(crate) trait Handle: Fn(MetadataMap) -> Answer + Send + Sync + 'static {}
impl<F: Fn(MetadataMap) -> Answer + Send + Sync + 'static> Handle for F {}

pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) readiness: Readiness,
    pub(crate) cancel: CancellationToken,
    seen: watch::Receiver<usize>,
    served: Option<tokio::task::JoinHandle<Result<(), grpc::ServeError>>>,
    runtime: Option<Runtime>,
}

impl Replica {
    /// One that answers each call with its own address as the name.
    pub(crate) fn well() -> Self {
        let socket = reserved();
        let address = socket.local_addr().unwrap();
        Self::on(socket, move |_| Box::pin(async move { Ok(named(address)) }))
    }

    pub(crate) fn new(handle: impl Handle) -> Self {
        Self::on(reserved(), handle)
    }

    /// One at a port that was taken before.
    pub(crate) fn on(socket: TcpSocket, handle: impl Handle) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (readiness, cancel) = (Readiness::new(), CancellationToken::new());
        let (calls, seen) = watch::channel(0);
        let mut routes = RoutesBuilder::default();
        routes.add_service(AssetServiceServer::new(Fake { calls, handle: Arc::new(handle) }));
        let entered = runtime.enter();
        let listener: TcpListener = socket.listen(128).unwrap();
        drop(entered);
        let address = listener.local_addr().unwrap();
        let served = runtime.spawn(grpc::serve(listener, routes, readiness.clone(), cancel.clone()));
        Self { address, readiness, cancel, seen, served: Some(served), runtime: Some(runtime) }
    }

    /// Calls that came so far.
    pub(crate) fn calls(&self) -> usize {
        *self.seen.borrow()
    }

    /// Ends without a word, as a killed process does.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Waits until it has stopped by itself.
    pub(crate) async fn stopped(&mut self) {
        soon(self.served.take().unwrap()).await.unwrap().unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of ours on which nobody listens.
pub(crate) fn reserved() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

pub(crate) fn named(address: SocketAddr) -> pb::Client {
    pb::Client { name: address.to_string(), ..Default::default() }
}

pub(crate) fn client(addresses: &str) -> AssetServiceClient<grpc::Channel> {
    client_with(addresses, grpc::Options::default())
}

pub(crate) fn client_with(addresses: &str, options: grpc::Options) -> AssetServiceClient<grpc::Channel> {
    AssetServiceClient::new(grpc::Channel::new(addresses, options).unwrap())
}

/// Asks which replica answers.
pub(crate) async fn who(client: &AssetServiceClient<grpc::Channel>) -> Result<String, Status> {
    let answer = client.clone().get_client(pb::GetClientRequest::default()).await?;
    Ok(answer.into_inner().name)
}

/// Waits for what must happen.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it did not happen")
}

struct Fake {
    calls: watch::Sender<usize>,
    handle: Arc<dyn Handle>,
}

impl Fake {
    async fn answer<Q>(&self, request: Request<Q>) -> Result<Response<pb::Client>, Status> {
        self.calls.send_modify(|calls| *calls += 1);
        (self.handle)(request.metadata().clone()).await.map(Response::new)
    }
}

macro_rules! not_asked_for {
    ($($name:ident: $request:ident => $reply:ident),*) => {
        #[tonic::async_trait]
        impl AssetService for Fake {
            async fn get_client(&self, r: Request<pb::GetClientRequest>) -> Result<Response<pb::Client>, Status> {
                self.answer(r).await
            }

            async fn create_client(
                &self,
                r: Request<pb::CreateClientRequest>,
            ) -> Result<Response<pb::Client>, Status> {
                self.answer(r).await
            }

            $(async fn $name(&self, _: Request<pb::$request>) -> Result<Response<pb::$reply>, Status> {
                Err(Status::unimplemented("not asked for here"))
            })*
        }
    };
}

not_asked_for! {
    list_clients: ListClientsRequest => ListClientsReply,
    create_campaign: CreateCampaignRequest => Campaign,
    get_campaign: GetCampaignRequest => Campaign,
    list_campaigns: ListCampaignsRequest => ListCampaignsReply,
    create_asset: CreateAssetRequest => Asset,
    import_asset: ImportAssetRequest => Asset,
    get_asset: GetAssetRequest => Asset,
    list_assets: ListAssetsRequest => ListAssetsReply,
    update_client: UpdateClientRequest => Client,
    delete_client: DeleteClientRequest => Deleted,
    update_campaign: UpdateCampaignRequest => Campaign,
    delete_campaign: DeleteCampaignRequest => Deleted,
    delete_asset: DeleteAssetRequest => Deleted,
    get_picture: GetPictureRequest => GetPictureReply,
    create_api_key: CreateApiKeyRequest => CreateApiKeyReply,
    list_api_keys: ListApiKeysRequest => ListApiKeysReply,
    revoke_api_key: RevokeApiKeyRequest => ApiKey,
    get_key_ring: GetKeyRingRequest => KeyRing
}
