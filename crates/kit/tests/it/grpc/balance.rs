//! Calls go to all replicas that are well, and to those that join.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use kit::grpc::{self, Options, Resolve};
use tonic::Code;

use super::replica::{Replica, client, client_with, reserved, soon, who};

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn calls_are_spread_over_the_replicas() {
    let replicas = [Replica::well(), Replica::well(), Replica::well()];
    let client = client(&list(&replicas.each_ref().map(|replica| replica.address)));
    for _ in 0..30 {
        who(&client).await.unwrap();
    }
    let calls = replicas.each_ref().map(Replica::calls);
    assert!(calls.iter().all(|&calls| calls >= 5), "{calls:?}");
}

#[tokio::test]
async fn a_replica_that_is_away_costs_no_failed_call() {
    let (away, replica) = (reserved(), Replica::well());
    let client = client(&list(&[away.local_addr().unwrap(), replica.address]));
    for _ in 0..20 {
        assert_eq!(who(&client).await.unwrap(), replica.address.to_string());
    }
}

#[tokio::test]
async fn a_replica_that_dies_costs_no_failed_call() {
    let (mut dying, replica) = (Replica::well(), Replica::well());
    let client = client(&list(&[dying.address, replica.address]));
    soon(async {
        while dying.calls() == 0 {
            who(&client).await.unwrap();
        }
    })
    .await;
    dying.kill();
    let calls = (0..20).map(|_| who(&client));
    for answer in futures::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(who(&client).await.unwrap(), replica.address.to_string());
}

#[tokio::test]
async fn a_replica_that_comes_back_gets_calls_again() {
    let (away, other) = (reserved(), Replica::well());
    let client = client(&list(&[away.local_addr().unwrap(), other.address]));
    for _ in 0..4 {
        who(&client).await.unwrap();
    }
    let back = Replica::on(away, |_| Box::pin(async { Ok(Default::default()) }));
    soon(async {
        while back.calls() == 0 {
            who(&client).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_replica_closed_is_made_again() {
    let mut old = Replica::well();
    let address = old.address;
    let client = client(&address.to_string());
    who(&client).await.unwrap();
    old.cancel.cancel();
    old.stopped().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    let _new = Replica::on(socket, move |_| Box::pin(async move { Ok(super::replica::named(address)) }));
    assert_eq!(who(&client).await.unwrap(), address.to_string());
}

#[tokio::test]
async fn all_addresses_of_a_name_are_replicas() {
    let replica = Replica::well();
    // The machine may have an address for the name on which nobody listens, such as ::1.
    let client = client(&format!("dns://localhost:{}", replica.address.port()));
    for _ in 0..4 {
        assert_eq!(who(&client).await.unwrap(), replica.address.to_string());
    }
}

/// Knows the addresses that a test says.
#[derive(Debug, Default)]
struct Directory(Mutex<Vec<SocketAddr>>);

impl Directory {
    fn says(&self, addresses: &[SocketAddr]) {
        *self.0.lock().unwrap() = addresses.to_vec();
    }
}

impl Resolve for Directory {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!((host, port), ("asset", 5001));
        Box::pin(async { Ok(self.0.lock().unwrap().clone()) })
    }
}

#[tokio::test]
async fn replicas_join_and_leave_as_the_name_says() {
    let (first, second) = (Replica::well(), Replica::well());
    let directory = Arc::new(Directory::default());
    let resolver: Arc<dyn Resolve> = Arc::clone(&directory) as _;
    let options = Options { resolver, look_up_every: Duration::ZERO, ..Options::default() };
    let client = client_with("dns://asset:5001", options);

    let nobody = who(&client).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unavailable);
    assert!(nobody.message().contains("asset has no address"), "{nobody}");

    directory.says(&[first.address]);
    assert_eq!(who(&client).await.unwrap(), first.address.to_string());
    directory.says(&[first.address, second.address]);
    soon(async {
        while second.calls() == 0 {
            who(&client).await.unwrap();
        }
    })
    .await;
    directory.says(&[second.address]);
    let before = first.calls();
    for _ in 0..6 {
        assert_eq!(who(&client).await.unwrap(), second.address.to_string());
    }
    assert_eq!(first.calls(), before, "it left");
    directory.says(&[]);
    assert_eq!(who(&client).await.unwrap(), second.address.to_string(), "no answer is no news");
}

#[tokio::test]
async fn a_name_is_looked_up_again_beside_the_calls() {
    let (first, second) = (Replica::well(), Replica::well());
    let directory = Arc::new(Directory::default());
    directory.says(&[first.address]);
    let resolver: Arc<dyn Resolve> = Arc::clone(&directory) as _;
    let options = Options { resolver, look_up_every: Duration::from_millis(50), ..Options::default() };
    let client = client_with("dns://asset:5001", options);
    who(&client).await.unwrap();
    directory.says(&[first.address, second.address]);
    soon(async {
        while second.calls() == 0 {
            who(&client).await.unwrap();
        }
    })
    .await;
}

#[test]
fn an_address_that_is_none_is_refused_by_name() {
    for addresses in ["not an address", "127.0.0.1:1,not an address", "dns://name"] {
        let error = grpc::channel(addresses).unwrap_err().to_string();
        assert!(error.contains(addresses.split(',').next_back().unwrap()), "{error}");
    }
}
