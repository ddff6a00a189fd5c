//! What a server says of itself, and how it stops.

use std::sync::Arc;

use kit::{Dependency, grpc, trace};
use tokio::sync::{Notify, mpsc};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::replica::{Replica, client, reserved, soon, who};

const ASSET: &str = "filmstrip.asset.v1.AssetService";

fn health(addresses: &str) -> HealthClient<grpc::Channel> {
    HealthClient::new(grpc::channel(addresses).unwrap())
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn a_call_carries_the_trace_of_its_caller_or_begins_one() {
    let echo = Replica::new(|_| {
        let name = trace::traceparent().unwrap_or_default();
        Box::pin(async { Ok(protos::asset::v1::Client { name, ..Default::default() }) })
    });
    let client = client(&echo.address.to_string());
    let context = trace::TraceContext::root();
    let seen = trace::within(context, who(&client)).await.unwrap();
    assert_eq!(seen[3..35], context.to_string()[3..35]);
    let (one, other) = (who(&client).await.unwrap(), who(&client).await.unwrap());
    assert_ne!(one[3..35], other[3..35]);
}

#[tokio::test]
async fn health_is_told_of_the_server_and_of_each_service_in_it() {
    let replica = Replica::well();
    let mut health = health(&replica.address.to_string());
    for service in ["", ASSET] {
        let answer = health.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(of("filmstrip.job.v1.JobService")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(replica.calls(), 0, "finding out what is served calls nothing");
}

#[tokio::test]
async fn a_withdrawn_server_says_so_and_finishes_what_is_under_way() {
    let (release, (tell, mut begun)) = (Arc::new(Notify::new()), mpsc::unbounded_channel());
    let held = Arc::clone(&release);
    let mut replica = Replica::new(move |_| {
        let held = Arc::clone(&held);
        tell.send(()).unwrap();
        Box::pin(async move {
            held.notified().await;
            Ok(Default::default())
        })
    });
    let address = replica.address.to_string();
    let client = client(&address);
    let call = tokio::spawn(async move { who(&client).await });
    soon(begun.recv()).await.unwrap();

    let mut health = health(&address);
    let mut watch = health.watch(of(ASSET)).await.unwrap().into_inner();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    replica.readiness.withdraw();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let all = health.check(of("")).await.unwrap().into_inner();
    assert_eq!(all.status(), ServingStatus::NotServing);
    let lives = health.check(of(grpc::LIVE)).await.unwrap().into_inner();
    assert_eq!(lives.status(), ServingStatus::Serving, "also while it stops");

    replica.cancel.cancel();
    // Those who watch are let go, so that the server can stop.
    assert!(soon(watch.message()).await.unwrap().is_none());
    release.notify_one();
    soon(call).await.unwrap().unwrap();
    replica.stopped().await;
}

#[tokio::test]
async fn a_stream_begins_at_a_replica_that_is_there() {
    let (away, replica) = (reserved(), Replica::well());
    let addresses = format!("{},{}", away.local_addr().unwrap(), replica.address);
    let mut health = health(&addresses);
    for _ in 0..4 {
        let mut watch = health.watch(of("")).await.unwrap().into_inner();
        assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    }
}

#[tokio::test]
async fn reflection_lists_the_services_and_a_method_that_is_not_classified_goes_through() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let replica = Replica::well();
    let mut client = ServerReflectionClient::new(grpc::channel(&replica.address.to_string()).unwrap());
    let list = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers = client.server_reflection_info(tokio_stream::iter([list])).await.unwrap().into_inner();
    let answer = soon(answers.message()).await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == ASSET));
}

#[tokio::test]
async fn a_server_without_its_database_says_so_until_that_is_back() {
    let replica = Replica::well();
    let mut health = health(&replica.address.to_string());
    let mut watch = health.watch(of(ASSET)).await.unwrap().into_inner();
    let tell = |name, there, needed| replica.readiness.tell(name, Dependency { there, needed });
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    tell("nats", false, false);
    tell("database", false, true);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    for name in ["database", "nats"] {
        let told = health.check(of(name)).await.unwrap().into_inner();
        assert_eq!(told.status(), ServingStatus::NotServing, "{name}");
    }
    let lives = health.check(of(grpc::LIVE)).await.unwrap().into_inner();
    assert_eq!(lives.status(), ServingStatus::Serving, "whatever it waits for");
    tell("database", true, true);
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_service_is_well_as_long_as_one_of_its_replicas_says_so() {
    let patience = std::time::Duration::from_secs(30);
    let (away, stopping, well) = (reserved(), Replica::well(), Replica::well());
    stopping.readiness.withdraw();
    let addresses = format!("{},{},{}", away.local_addr().unwrap(), stopping.address, well.address);
    let channel = grpc::channel(&addresses).unwrap();
    // Each look asks all of them, whoever's turn it is.
    for _ in 0..4 {
        assert!(channel.serves(patience).await);
    }
    let mut told = health(&well.address.to_string()).watch(of("")).await.unwrap().into_inner();
    assert_eq!(soon(told.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    well.readiness.withdraw();
    assert_eq!(soon(told.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(!channel.serves(patience).await);
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let away = reserved();
    let status = who(&client(&away.local_addr().unwrap().to_string())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let transport = status.message().to_owned();
    let error = kit::ServiceError::from(status);
    assert_eq!(error.message, "The asset service is not reachable; try again in a moment.");
    assert_eq!(error.source.unwrap().to_string(), transport, "what the transport said is for the log");
}

#[tokio::test]
async fn a_database_that_is_away_is_no_fault_of_ours_and_is_named() {
    let replica = Replica::new(|_| {
        Box::pin(async { Err(kit::ServiceError::internal(eventlog::LogError::Closed).into()) })
    });
    let status = who(&client(&replica.address.to_string())).await.unwrap_err();
    let error = kit::ServiceError::from(status);
    assert_eq!(error.code, kit::Code::Unavailable);
    assert!(error.message.contains("The database of the asset service is away"), "{}", error.message);
    assert_eq!(replica.calls(), 1, "asking another replica of the same database would not help");
}
