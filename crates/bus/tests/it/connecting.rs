//! The connection to NATS: credentials, and why there is none.

use bus::{NatsBus, nats::check_url};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::world::DEADLINE;

/// Says what a NATS server that wants a user says, and nothing more.
async fn guard(listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(admit(socket));
    }
}

async fn admit(socket: TcpStream) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    let info = r#"INFO {"server_id":"A","version":"2.10.0","host":"127.0.0.1","port":1,"max_payload":1048576,"auth_required":true}"#;
    socket.write_all(format!("{info}\r\n").as_bytes()).await?;
    let mut line = String::new();
    while socket.read_line(&mut line).await? > 0 {
        if let Some(options) = line.strip_prefix("CONNECT ") {
            let options: serde_json::Value = serde_json::from_str(options)?;
            if options["user"] != "film" || options["pass"] != "s3cret@1" {
                return socket.write_all(b"-ERR 'Authorization Violation'\r\n").await;
            }
        } else if line.starts_with("PING") {
            socket.write_all(b"PONG\r\n").await?;
        }
        line.clear();
    }
    Ok(())
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "{what}");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_the_right_ones_of_the_url_are_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guarding = tokio::spawn(guard(listener));
    let wrong = NatsBus::connect(&format!("nats://film:wr0ng@{address}"), "a").await.unwrap();
    until("the refusal is told", || wrong.last_error().is_some()).await;
    let error = wrong.last_error().unwrap();
    assert!(error.contains("authorization violation") && !error.contains("wr0ng"), "{error}");
    assert!(!wrong.is_connected());
    assert!(!format!("{wrong:?}").contains("wr0ng"));
    let right = NatsBus::connect(&format!("nats://film:s3cret%401@{address}"), "a").await.unwrap();
    until("it connects", || right.is_connected()).await;
    assert_eq!(right.last_error(), None);
    guarding.abort();
}

#[tokio::test]
async fn a_server_that_is_away_is_told_until_it_is_there() {
    let mut server = testservers::NatsServer::start().await.unwrap();
    server.stop();
    let bus = NatsBus::connect(&server.url(), "a").await.unwrap();
    until("the refusal is told", || bus.last_error().is_some()).await;
    server.run().await.unwrap();
    until("it connects", || bus.is_connected() && bus.last_error().is_none()).await;
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_at_once() {
    let url = "nats://film:s3cret@a:port";
    let refused = NatsBus::connect(url, "a").await.unwrap_err().to_string();
    assert!(refused.contains(&check_url(url).unwrap_err()) && !refused.contains("s3cret"), "{refused}");
}
