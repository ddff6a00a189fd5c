//! Speech that is paid is kept: over a database that is away, and over the end of the process.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use eventlog::testing::{Around, Wrapped};
use eventlog::{Append, AppendError, Appended, Log, LogError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::voices::{KEY, bought, request, settled, wanted};
use crate::world::World;

/// A database that is away for the next so many appends of one kind of event.
#[derive(Debug)]
struct Away {
    kind: &'static str,
    times: AtomicUsize,
    /// Whether the append is stored all the same, and only its answer lost.
    is_stored: bool,
}

#[async_trait]
impl Around for Away {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let is_about = append.events.iter().any(|event| event.kind == self.kind);
        let left = |times: usize| times.checked_sub(1);
        if !is_about || self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return log.append(append).await;
        }
        if self.is_stored {
            log.append(append).await?;
        }
        Err(AppendError::Log(LogError::Closed))
    }
}

/// A voice that was asked for while the database was away for appends of this kind.
async fn while_away(kind: &'static str, times: usize, is_stored: bool) {
    let world = World::new().await;
    let log = Wrapped::new(world.open().await, Away { kind, times: AtomicUsize::new(times), is_stored });
    let audio = world.start_on(log.clone(), "audio", &world.provider()).await;
    request(&audio, wanted(KEY, "One.")).await.unwrap();
    let voice = settled(&audio, KEY).await;
    assert_eq!((voice.state.as_str(), voice.cost_micros), ("ready", 400), "{voice:?}");
    assert_eq!(log.times.load(Ordering::SeqCst), 0, "the database was never away");
    assert_eq!(bought(&world).await.len(), 1);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_is_recorded_once_the_database_is_back() {
    while_away("VoiceSpoken", 2, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_whose_record_was_stored_unheard_is_not_recorded_again() {
    while_away("VoiceSpoken", 1, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_recorded_unheard_is_made_since_it_was_not_made_yet() {
    while_away("VoiceCalled", 1, true).await;
    while_away("VoiceCalled", 1, false).await;
}

/// A way to the provider on which one call stays until it is let through.
async fn held(provider: &str) -> (String, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let provider = provider.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (arrives, arrived) = oneshot::channel();
    let (release, released) = oneshot::channel();
    tokio::spawn(async move {
        let (mut call, _) = listener.accept().await.unwrap();
        arrives.send(()).unwrap();
        released.await.unwrap();
        let mut onward = TcpStream::connect(provider).await.unwrap();
        // However it ends: the caller may hang up.
        let _ = tokio::io::copy_bidirectional(&mut call, &mut onward).await;
    });
    (address, arrived, release)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_ends_its_call_and_records_it_and_makes_no_other() {
    let world = World::new().await;
    let (address, arrived, release) = held(&world.provider()).await;
    let audio = world.start_on(world.open().await, "audio", &address).await;
    request(&audio, wanted(KEY, "One.")).await.unwrap();
    arrived.await.unwrap();
    request(&audio, wanted("testing/voice-2", "Another.")).await.unwrap();
    let mut stopping = Box::pin(audio.stop());
    assert!(futures::poll!(&mut stopping).is_pending(), "a call is out");
    release.send(()).unwrap();
    stopping.await;
    assert_eq!(bought(&world).await.len(), 1, "no further call is made");

    let audio = world.start_as("its successor").await;
    for (key, cost) in [(KEY, 400), ("testing/voice-2", 800)] {
        let voice = settled(&audio, key).await;
        assert_eq!((voice.state.as_str(), voice.cost_micros), ("ready", cost), "{voice:?}");
    }
    assert_eq!(bought(&world).await.len(), 2);
    world.end(audio).await;
}
