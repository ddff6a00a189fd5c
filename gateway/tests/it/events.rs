//! A job's events as they happen.

use std::time::Duration;

use kit::ServiceError;
use protos::job::v1 as pb;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::world::{KEY, PATIENCE, World, a_job};

const PATH: &str = "/api/v3/jobs/43/events";
const BEAT: Duration = Duration::from_secs(15);

fn item(position: i64, event: &str) -> pb::FeedItem {
    pb::FeedItem {
        position,
        job_id: 43,
        event: event.into(),
        recorded_at: "2026-03-04T05:06:08Z".into(),
        status: "processing".into(),
        progress: Some(pb::Progress {
            percentage: 50,
            stage: "starting_render".into(),
            ..Default::default()
        }),
        scene_index: Some(1),
        scene_id: Some("s-2".into()),
        text: "scene 2 rendered".into(),
        ..Default::default()
    }
}

fn end(position: i64) -> pb::FeedItem {
    pb::FeedItem {
        terminal: true,
        status: "completed".into(),
        outcome: Some("full".into()),
        ..item(position, "job_completed")
    }
}

/// What a client hears.
#[derive(Debug, PartialEq)]
enum Heard {
    Event { name: String, id: String, data: Value },
    Comment,
    End,
}

impl Heard {
    fn id(&self) -> &str {
        match self {
            Self::Event { id, .. } => id,
            other => panic!("no event: {other:?}"),
        }
    }

    fn data(&self) -> &Value {
        match self {
            Self::Event { data, .. } => data,
            other => panic!("no event: {other:?}"),
        }
    }
}

/// A client that reads messages one by one.
struct Client {
    response: reqwest::Response,
    text: String,
}

impl Client {
    async fn open(world: &World, last: Option<&str>) -> Self {
        let request = world.request(http::Method::GET, PATH).header("X-API-Key", KEY);
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        };
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        Self { response, text: String::new() }
    }

    async fn next(&mut self) -> Heard {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let heard = parse(message);
                self.text = rest.to_owned();
                return heard;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("in time");
            match chunk {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).expect("text")),
                Ok(None) => return Heard::End,
                Err(error) => panic!("the stream broke: {error}"),
            }
        }
    }
}

fn parse(message: &str) -> Heard {
    let field = |name: &str| {
        message.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    match field("data:") {
        Some(data) => Heard::Event {
            name: field("event:").unwrap_or_default(),
            id: field("id:").unwrap_or_default(),
            data: serde_json::from_str(&data).expect("JSON"),
        },
        None => Heard::Comment,
    }
}

/// A world with a processing job at position 7, whose feed is watched.
async fn processing() -> World {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    world.job.on("read_feed", pb::ReadFeedReply::default());
    world.feed.watched(1).await;
    world
}

#[tokio::test]
async fn a_snapshot_comes_first_then_what_happens_then_the_end() {
    let world = processing().await;
    let mut client = Client::open(&world, None).await;
    let snapshot = client.next().await;
    assert_eq!(snapshot.id(), "7");
    let data = snapshot.data();
    assert_eq!(
        (&data["event"], &data["job"]["job_id"], &data["terminal"]),
        (&"snapshot".into(), &43.into(), &false.into())
    );
    world.feed.publish(&pb::FeedItem { job_id: 44, ..item(8, "of_another_job") });
    world.feed.publish(&item(9, "scene_rendered"));
    world.feed.publish(&end(10));
    let Heard::Event { name, id, data } = client.next().await else { panic!("an event") };
    assert_eq!((name.as_str(), id.as_str()), ("progress", "9"));
    for (member, value) in [
        ("position", 9.into()),
        ("job_id", 43.into()),
        ("event", "scene_rendered".into()),
        ("recorded_at", "2026-03-04T05:06:08Z".into()),
        ("status", "processing".into()),
        ("scene_index", 1.into()),
        ("scene_id", "s-2".into()),
        ("text", "scene 2 rendered".into()),
        ("terminal", Value::from(false)),
        ("outcome", Value::Null),
    ] {
        assert_eq!(data[member], value, "{member}");
    }
    assert_eq!(data["progress"]["percentage"], 50);
    let Heard::Event { name, id, .. } = client.next().await else { panic!("an event") };
    assert_eq!((name.as_str(), id.as_str()), ("end", "10"));
    assert_eq!(client.next().await, Heard::End);
}

#[tokio::test]
async fn what_the_snapshot_holds_is_not_told_again() {
    let world = processing().await;
    let mut client = Client::open(&world, None).await;
    client.next().await;
    for position in [5, 7, 8, 8, 9] {
        world.feed.publish(&item(position, "scene_rendered"));
    }
    assert_eq!(client.next().await.id(), "8");
    assert_eq!(client.next().await.id(), "9");
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_what_it_missed_instead_of_a_snapshot() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    world.job.on(
        "read_feed",
        pb::ReadFeedReply { items: vec![item(5, "scene_rendered"), item(7, "scene_rendered")] },
    );
    world.feed.watched(1).await;
    let mut client = Client::open(&world, Some("4")).await;
    assert_eq!(client.next().await.id(), "5");
    assert_eq!(client.next().await.id(), "7");
    world.feed.publish(&item(7, "scene_rendered"));
    world.feed.publish(&item(8, "scene_rendered"));
    assert_eq!(client.next().await.id(), "8");
    let asked: pb::ReadFeedRequest = world.job.asked_once("read_feed");
    assert_eq!((asked.job_id, asked.after_position), (43, 4));
}

#[tokio::test]
async fn an_earlier_end_is_no_end_when_more_came_after_it() {
    let world = World::start().await;
    world.job.on("get_job", pb::Job { position: 9, ..a_job(None) });
    world.job.on("read_feed", pb::ReadFeedReply { items: vec![end(8), item(9, "scene_take_requested")] });
    world.feed.watched(1).await;
    let mut client = Client::open(&world, Some("7")).await;
    assert_eq!(client.next().await.id(), "8");
    assert_eq!(client.next().await.id(), "9");
    world.feed.publish(&end(10));
    assert_eq!(client.next().await.id(), "10");
    assert_eq!(client.next().await, Heard::End);
}

#[tokio::test]
async fn an_id_that_is_none_of_ours_gets_a_snapshot() {
    let world = processing().await;
    for last in ["abc", "-1", "8", "999999"] {
        let mut client = Client::open(&world, Some(last)).await;
        assert_eq!(client.next().await.data()["event"], "snapshot", "{last}");
    }
}

#[tokio::test]
async fn a_job_that_is_over_is_a_snapshot_and_then_no_content() {
    let world = World::start().await;
    world.job.on("get_job", pb::Job { status: "canceled".into(), ..a_job(None) });
    world.job.on("read_feed", pb::ReadFeedReply::default());
    let mut client = Client::open(&world, None).await;
    assert_eq!(client.next().await.data()["terminal"], true);
    assert_eq!(client.next().await, Heard::End);
    let answer = world.get_with(PATH, &[("last-event-id", "7")]).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0));
}

#[tokio::test]
async fn a_completed_job_that_gets_a_new_cut_is_followed_further() {
    let world = World::start().await;
    let next_cut = Some(pb::NextCut { progress: Some(pb::Progress::default()), error: None });
    world.job.on("get_job", pb::Job { status: "completed".into(), next_cut, ..a_job(None) });
    world.feed.watched(1).await;
    let mut client = Client::open(&world, None).await;
    assert_eq!(client.next().await.data()["terminal"], false);
    world.feed.publish(&end(8));
    assert_eq!(client.next().await.id(), "8");
    assert_eq!(client.next().await, Heard::End);
}

#[tokio::test]
async fn a_sign_of_life_comes_when_nothing_happens() {
    let world = processing().await;
    let mut client = Client::open(&world, None).await;
    client.next().await;
    for _ in 0..2 {
        world.clock.advance(BEAT);
        assert_eq!(client.next().await, Heard::Comment);
    }
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_asked_for_when_it_is_quiet() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    world.job.on("read_feed", pb::ReadFeedReply { items: vec![item(8, "scene_rendered"), end(9)] });
    let mut client = Client::open(&world, None).await;
    client.next().await;
    world.clock.advance(BEAT);
    assert_eq!(client.next().await.id(), "8");
    assert_eq!(client.next().await.id(), "9");
    assert_eq!(client.next().await, Heard::End);
}

#[tokio::test]
async fn the_feed_is_read_by_one_and_read_on_after_it_broke() {
    let world = processing().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::open(&world, None).await;
        client.next().await;
        clients.push(client);
    }
    world.feed.publish(&item(8, "scene_rendered"));
    for client in &mut clients {
        assert_eq!(client.next().await.id(), "8");
    }
    world.feed.break_off();
    assert_eq!(world.feed.watched(2).await, [-1, 8]);
    world.feed.publish(&item(9, "scene_rendered"));
    for client in &mut clients {
        assert_eq!(client.next().await.id(), "9");
    }
}

#[tokio::test]
async fn what_happened_before_a_feed_that_was_lost_at_once_is_asked_for() {
    let world = processing().await;
    let mut client = Client::open(&world, None).await;
    client.next().await;
    world.job.clear("read_feed");
    world.job.on("read_feed", pb::ReadFeedReply { items: vec![item(8, "scene_rendered")] });
    world.feed.break_off();
    assert_eq!(world.feed.watched(2).await, [-1, -1]);
    assert_eq!(client.next().await.id(), "8");
    world.feed.publish(&end(9));
    assert_eq!(client.next().await.id(), "9");
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut() {
    let world = World::with(|settings| settings.feed_queue = 8).await;
    world.job.on("get_job", a_job(None));
    world.feed.watched(1).await;
    let mut socket = TcpStream::connect(world.address).await.expect("a connection");
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("a write");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("snapshot") {
        socket.read_buf(&mut seen).await.expect("a read");
    }
    // More than all the buffers between the two can hold, at the pace of one who reads.
    let mut other = Client::open(&world, None).await;
    other.next().await;
    let big = pb::FeedItem { text: "x".repeat(1 << 19), ..item(0, "scene_rendered") };
    let sent = 48;
    for position in 8..8 + sent {
        world.feed.publish(&pb::FeedItem { position, ..big.clone() });
        assert_eq!(other.next().await.id(), position.to_string());
    }
    let mut received = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match tokio::time::timeout(PATIENCE, socket.read(&mut buffer)).await.expect("the connection ends") {
            Ok(0) | Err(_) => break,
            Ok(read) => received += read,
        }
    }
    assert!(received < (sent as usize) << 19, "{received} bytes came");
}

#[tokio::test]
async fn the_stream_ends_when_the_gateway_stops() {
    let world = processing().await;
    let mut client = Client::open(&world, None).await;
    client.next().await;
    world.cancel.cancel();
    assert_eq!(client.next().await, Heard::End);
    tokio::time::timeout(PATIENCE, world.running.stopped()).await.expect("it stops");
}

#[tokio::test]
async fn a_job_that_does_not_exist_has_no_events() {
    let world = World::start().await;
    world.job.refuse("get_job", || ServiceError::not_found("Job not found"));
    for id in ["99999", "x"] {
        let body = world.get(&format!("/api/v3/jobs/{id}/events")).await.problem(404, "job_not_found");
        assert_eq!(body["job_id"], id);
    }
}
