//! Served and called over loopback.

use kit::{grpc, trace};
use protos::stitch::v1::{
    CancelProductRequest, GetFrameReply, GetFrameRequest, GetProductRequest, Product, RequestCutRequest,
    RequestMixRequest,
    stitch_service_client::StitchServiceClient,
    stitch_service_server::{StitchService, StitchServiceServer},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::RoutesBuilder};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// Answers with the trace context it ran in.
struct Echo;

#[tonic::async_trait]
impl StitchService for Echo {
    async fn request_cut(&self, _: Request<RequestCutRequest>) -> Result<Response<Product>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn request_mix(&self, _: Request<RequestMixRequest>) -> Result<Response<Product>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn get_product(&self, _: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        Ok(Response::new(Product { key: trace::traceparent().unwrap_or_default(), ..Default::default() }))
    }

    async fn cancel_product(&self, _: Request<CancelProductRequest>) -> Result<Response<Product>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn get_frame(&self, _: Request<GetFrameRequest>) -> Result<Response<GetFrameReply>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }
}

struct Served {
    address: String,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), grpc::ServeError>>,
}

async fn serve() -> Served {
    let listener = grpc::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let cancel = CancellationToken::new();
    let mut routes = RoutesBuilder::default();
    routes.add_service(StitchServiceServer::new(Echo));
    let task = tokio::spawn(grpc::serve(listener, routes, cancel.clone()));
    Served { address, cancel, task }
}

#[tokio::test]
async fn a_call_carries_the_trace_of_its_caller() {
    let served = serve().await;
    let mut client = StitchServiceClient::new(grpc::channel(&served.address).unwrap());
    let context = trace::TraceContext::root();
    let seen = trace::within(context, client.get_product(GetProductRequest::default())).await.unwrap();
    assert_eq!(seen.into_inner().key[3..35], context.to_string()[3..35]);
    served.cancel.cancel();
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_is_served() {
    let served = serve().await;
    let mut client = HealthClient::new(grpc::channel(&served.address).unwrap());
    let health = client.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(health.status, 1, "SERVING");
    served.cancel.cancel();
    served.task.await.unwrap().unwrap();
}

#[test]
fn an_address_that_is_none_is_refused_by_name() {
    let error = grpc::channel("not an address").unwrap_err().to_string();
    assert!(error.contains("not an address"), "{error}");
}
