//! What the service tells of its work: in whose trace it is done, and how much of it there is.

use std::time::Duration;

use audio::voice::events::Event as VoiceEvent;
use audio::voice::script::Request as VoiceRequest;
use audio::{events::Event, events::Request, store, voice, write};
use eventlog::{Log, open_log, params};
use jiff::{SignedDuration, Timestamp};
use kit::work::Work;
use protos::audio::v1::SoundtrackVoice;
use telemetry::trace::{TraceContext, within};
use testservers::PostgresServer;

use crate::voices::{KEY, request, settled, wanted};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_is_bought_in_the_trace_of_who_asked_for_it() {
    let world = World::new().await;
    let audio = world.start().await;
    let asker = TraceContext::root();
    within(asker, request(&audio, wanted(KEY, "Hello."))).await.unwrap();
    assert_eq!(settled(&audio, KEY).await.state, "ready");
    let events = audio.log.load(KEY, 0).await.unwrap();
    let spans: Vec<(String, TraceContext)> = events
        .into_iter()
        .map(|event| (event.kind, event.meta.traceparent.unwrap().parse().unwrap()))
        .collect();
    let kinds: Vec<&str> = spans.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["VoiceRequested", "VoiceCalled", "VoiceSpoken"]);
    assert!(spans.iter().all(|(_, context)| context.trace_id() == asker.trace_id()), "{spans:?}");
    let span = |index: usize| spans[index].1.span_id();
    assert_eq!(span(1), span(2), "one purchase, one span");
    assert!(span(0) != span(1) && span(0) != asker.span_id(), "{spans:?}");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soundtrack_with_its_segments_and_its_voice_is_one_trace() {
    let world = World::new().await;
    let audio = world.start().await;
    let (key, asker) = ("job-43/soundtrack-1", TraceContext::root());
    let mut wish = crate::world::wanted(key, 7);
    wish.voice = Some(SoundtrackVoice { script: "Welcome.".into(), voice: String::new() });
    within(asker, audio.request(wish)).await.unwrap();
    assert_eq!(audio.until(key, &["ready", "failed"]).await.state, "ready");
    let events = audio.log.read_all(0, 1000).await.unwrap();
    for kind in ["SoundtrackRequested", "OrderPlaced", "AttemptEnded", "VoiceSpoken", "SoundtrackFinished"] {
        assert!(events.iter().any(|event| event.kind == kind), "no {kind}");
    }
    for event in events {
        let context: TraceContext = event.meta.traceparent.unwrap().parse().unwrap();
        assert_eq!(context.trace_id(), asker.trace_id(), "{}", event.kind);
    }
    world.end(audio).await;
}

#[tokio::test]
async fn what_waits_and_what_is_begun_is_read_from_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audio.db").to_string_lossy().into_owned();
    counts_its_work(open_log(&file, &audio::MIGRATIONS).await.unwrap()).await;
    let server = PostgresServer::start().await.unwrap();
    server.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
    let url = format!("{}?schema=audio", server.url("film", "postgres"));
    counts_its_work(open_log(&url, &audio::MIGRATIONS).await.unwrap()).await;
}

async fn counts_its_work(log: Log) {
    let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
    assert_eq!(store::work(&log, at(0)).await.unwrap(), Work::default());
    assert_eq!(voice::store::work(&log, at(0)).await.unwrap(), Work::default());

    for (key, seconds) in [("job-1/soundtrack-1", 0), ("job-2/soundtrack-1", 10)] {
        let event = Event::SoundtrackRequested(soundtrack(key));
        assert!(write::append(&log, key, &[event], at(seconds)).await.unwrap());
    }
    let longest_wait = Duration::from_secs(30);
    assert_eq!(store::work(&log, at(30)).await.unwrap(), Work { due: 2, active: 0, longest_wait });
    let taken = "INSERT INTO segment (key, soundtrack_key, number, taken, state) \
                 VALUES ('s', 'job-1/soundtrack-1', 1, TRUE, 'ordered')";
    log.execute(vec![eventlog::Statement::new(taken, params![])]).await.unwrap();
    let longest_wait = Duration::from_secs(20);
    assert_eq!(store::work(&log, at(30)).await.unwrap(), Work { due: 1, active: 1, longest_wait });

    for (key, seconds) in [("a/voice", 0), ("b/voice", 10), ("c/voice", 40)] {
        let event = VoiceEvent::VoiceRequested(speech(key));
        assert!(voice::store::append(&log, &event, at(seconds), None).await.unwrap());
    }
    let called = VoiceEvent::VoiceCalled { key: "a/voice".into(), attempt: 1 };
    assert!(voice::store::append(&log, &called, at(5), None).await.unwrap());
    // The last one is not due yet.
    let longest_wait = Duration::from_secs(20);
    assert_eq!(voice::store::work(&log, at(30)).await.unwrap(), Work { due: 1, active: 1, longest_wait });
}

fn soundtrack(key: &str) -> Request {
    Request {
        key: key.into(),
        digest: "d".into(),
        job_id: 1,
        campaign_id: "c".into(),
        duration_ms: 30_000,
        scenes: Vec::new(),
        prompt: None,
        on_failure: Default::default(),
        fade_ms: None,
        voice: None,
    }
}

fn speech(key: &str) -> VoiceRequest {
    VoiceRequest {
        key: key.into(),
        digest: "d".into(),
        script: "Hello.".into(),
        voice: "v".into(),
        model: "m".into(),
        stability: None,
        similarity_boost: None,
        speed: None,
    }
}
