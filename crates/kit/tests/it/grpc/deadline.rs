//! A call's time holds over all its tries, reaches the server, and goes on to the calls made for it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use kit::{
    deadline,
    grpc::{CALL_DEADLINE, Options},
};
use tokio::{sync::mpsc, time::Instant};
use tonic::{Code, metadata::MetadataMap};

use super::replica::{Replica, client, client_with, soon, who};

fn time_in(metadata: &MetadataMap) -> Duration {
    deadline::timeout_in(metadata.as_ref()).expect("the call has a time")
}

/// A replica that tells the time of each call, never answers, and tells when a call is dropped.
fn hanging() -> (Replica, mpsc::UnboundedReceiver<Duration>, mpsc::UnboundedReceiver<()>) {
    struct Dropped(mpsc::UnboundedSender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let ((tell, times), (drop, drops)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let replica = Replica::new(move |metadata| {
        tell.send(time_in(&metadata)).unwrap();
        let dropped = Dropped(drop.clone());
        Box::pin(async move {
            let _dropped = dropped;
            std::future::pending().await
        })
    });
    (replica, times, drops)
}

#[tokio::test]
async fn a_call_ends_at_its_time_on_both_sides() {
    let (replica, mut times, mut drops) = hanging();
    let time = Duration::from_secs(2);
    let client = client_with(&replica.address.to_string(), Options { deadline: time, ..Options::default() });
    let status = soon(who(&client)).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status}");
    assert!(soon(times.recv()).await.unwrap() <= time);
    soon(drops.recv()).await.unwrap();
    assert_eq!(replica.calls(), 1);
}

#[tokio::test]
async fn a_second_try_has_only_what_the_first_left() {
    let (first, mut first_times, _) = hanging();
    let (second, mut second_times, _) = hanging();
    let client = client(&format!("{},{}", first.address, second.address));
    let call = tokio::spawn(async move { who(&client).await });
    let mut replicas = [first, second];
    let (place, earlier) = soon(async {
        tokio::select! {
            time = first_times.recv() => (0, time.unwrap()),
            time = second_times.recv() => (1, time.unwrap()),
        }
    })
    .await;
    replicas[place].kill();
    let later = if place == 0 { soon(second_times.recv()).await } else { soon(first_times.recv()).await };
    assert!(later.unwrap() < earlier && earlier <= CALL_DEADLINE);
    call.abort();
}

#[tokio::test]
async fn a_call_made_for_a_served_call_has_only_what_is_left_of_it() {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let behind = Replica::new(move |metadata| {
        *keep.lock().unwrap() = Some(time_in(&metadata));
        Box::pin(async { Ok(Default::default()) })
    });
    let inner = client(&behind.address.to_string());
    let front = Replica::new(move |_| {
        let inner = inner.clone();
        Box::pin(async move { who(&inner).await.map(|_| Default::default()) })
    });
    let time = Duration::from_secs(20);
    let outer = client(&front.address.to_string());
    deadline::within(Instant::now() + time, who(&outer)).await.unwrap();
    assert!(seen.lock().unwrap().unwrap() <= time);
}

#[test]
fn a_time_is_written_as_it_is_read() {
    let mut headers = http::HeaderMap::new();
    for (time, text) in [
        (Duration::from_secs(30), "30000m"),
        (Duration::from_micros(1500), "2m"),
        (Duration::ZERO, "1m"),
        (Duration::from_secs(100_000), "100000S"),
    ] {
        assert_eq!(deadline::timeout_text(time), text);
        headers.insert(deadline::HEADER, text.parse().unwrap());
        assert!(deadline::timeout_in(&headers).unwrap().abs_diff(time) <= Duration::from_millis(1));
    }
    for nonsense in ["", "m", "5", "-5S", "123456789S", "5s", "5 S"] {
        headers.insert(deadline::HEADER, nonsense.parse().unwrap());
        assert_eq!(deadline::timeout_in(&headers), None, "{nonsense:?}");
    }
}
