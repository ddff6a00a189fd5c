//! What is sent again, and what is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kit::{ServiceError, grpc::Options};
use protos::asset::v1 as pb;
use tokio::sync::mpsc;
use tonic::{Code, Status};
use tower::retry::budget::TpsBudget;

use super::replica::{Answer, Replica, client, client_with, reserved, soon, who};

/// Two replicas, of which the first that is asked tells its place and never answers.
fn one_hangs() -> (Vec<Replica>, mpsc::UnboundedReceiver<usize>) {
    let (tell, hangs) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicBool::new(false));
    let replica = |place: usize| {
        let (tell, asked) = (tell.clone(), Arc::clone(&asked));
        Replica::new(move |_| {
            let first = !asked.swap(true, Ordering::SeqCst);
            let tell = tell.clone();
            Box::pin(async move {
                if first {
                    tell.send(place).unwrap();
                    std::future::pending::<()>().await;
                }
                Ok(pb::Client { name: "answered".to_owned(), ..Default::default() })
            })
        })
    };
    (vec![replica(0), replica(1)], hangs)
}

fn addresses(replicas: &[Replica]) -> String {
    replicas.iter().map(|replica| replica.address.to_string()).collect::<Vec<_>>().join(",")
}

/// Makes a write, kills the replica that works on it, and tells what became of the call and how many calls the
/// other replica got.
async fn killed_over_a_write(command_id: &str) -> (Result<String, Status>, usize) {
    let (mut replicas, mut hangs) = one_hangs();
    let mut client = client(&addresses(&replicas));
    let request = pb::CreateClientRequest { command_id: command_id.to_owned(), ..Default::default() };
    let call = tokio::spawn(async move { client.create_client(request).await });
    let place = soon(hangs.recv()).await.unwrap();
    replicas[place].kill();
    let answer = soon(call).await.unwrap().map(|answer| answer.into_inner().name);
    (answer, replicas[1 - place].calls())
}

#[tokio::test]
async fn a_read_whose_replica_is_killed_is_answered_by_another() {
    let (mut replicas, mut hangs) = one_hangs();
    let client = client(&addresses(&replicas));
    let call = tokio::spawn(async move { who(&client).await });
    let place = soon(hangs.recv()).await.unwrap();
    replicas[place].kill();
    assert_eq!(soon(call).await.unwrap().unwrap(), "answered");
}

#[tokio::test]
async fn a_command_whose_replica_is_killed_is_answered_by_another() {
    let (answer, calls) = killed_over_a_write("c-1").await;
    assert_eq!((answer.unwrap().as_str(), calls), ("answered", 1));
}

#[tokio::test]
async fn a_write_that_cannot_be_told_from_another_is_not_sent_again() {
    let (answer, calls) = killed_over_a_write("").await;
    assert_eq!((answer.unwrap_err().code(), calls), (Code::Unavailable, 0));
}

#[tokio::test]
async fn a_call_that_was_never_sent_is_always_sent_again() {
    let (away, replica) = (reserved(), Replica::well());
    let mut client = client(&format!("{},{}", away.local_addr().unwrap(), replica.address));
    for _ in 0..8 {
        client.create_client(pb::CreateClientRequest::default()).await.unwrap();
    }
    assert_eq!(replica.calls(), 8);
}

fn away() -> Answer {
    Box::pin(async { Err(Status::unavailable("going down")) })
}

#[tokio::test]
async fn a_replica_that_says_it_is_away_is_left_for_another() {
    let (away, replica) = (Replica::new(|_| away()), Replica::well());
    let client = client(&format!("{},{}", away.address, replica.address));
    for _ in 0..8 {
        assert_eq!(who(&client).await.unwrap(), replica.address.to_string());
    }
}

#[tokio::test]
async fn a_refusal_of_the_service_is_an_answer() {
    let refusal = || Err(ServiceError::unavailable("The planner is away.").into());
    let replica = Replica::new(move |_| Box::pin(async move { refusal() }));
    let status = who(&client(&replica.address.to_string())).await.unwrap_err();
    assert_eq!(ServiceError::from(status).message, "The planner is away.");
    assert_eq!(replica.calls(), 1);
}

#[tokio::test]
async fn a_call_that_kills_its_handler_is_not_sent_to_the_next() {
    let replica = Replica::new(|_| Box::pin(async { panic!("as the test wants") }));
    let status = who(&client(&replica.address.to_string())).await.unwrap_err();
    assert_eq!((status.code(), replica.calls()), (Code::Internal, 1));
}

#[tokio::test]
async fn a_call_is_sent_a_few_times_only() {
    let dead = Replica::new(|_| away());
    let status = who(&client(&dead.address.to_string())).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "going down"));
    assert_eq!(dead.calls(), 4);
}

#[tokio::test]
async fn a_dead_service_is_not_hammered() {
    const CALLS: usize = 40;
    let dead = Replica::new(|_| away());
    // One for every two calls and none besides.
    let budget = Arc::new(TpsBudget::new(Duration::from_mins(1), 0, 0.5));
    let client = client_with(&dead.address.to_string(), Options { budget, ..Options::default() });
    let answers = futures::future::join_all((0..CALLS).map(|_| who(&client))).await;
    assert!(answers.iter().all(Result::is_err));
    assert!((CALLS + 1..=CALLS + CALLS / 2).contains(&dead.calls()), "{}", dead.calls());
}
