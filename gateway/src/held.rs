//! What was read a moment ago, so that many who ask for the same thing at once do not each ask a service: the first asks,
//! and the others wait for what it gets.
//!
//! A thing is held for [`Settings::hold`](crate::Settings) at most, and given only while nothing has happened since its
//! reading *began*: no write has gone through this gateway, and no event about it has come. So whoever writes, or follows
//! events, through a gateway reads there what they wrote or followed; what another replica writes is seen after that
//! time at the latest. Callers who want to have it read anew say so as HTTP has it, with `Cache-Control: no-cache`.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::{HeaderMap, header};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Things held at one time; before there are more, those that nobody would be given are let go.
const MOST: usize = 256;

/// Things of one kind, by their keys.
pub(crate) struct Held<K, V> {
    hold: Duration,
    /// How much has happened that may concern everything.
    changes: AtomicU64,
    things: Mutex<HashMap<K, Thing<V>>>,
}

struct Thing<V> {
    state: State<V>,
    began: Began,
}

enum State<V> {
    Read(Arc<V>),
    /// Somebody reads it, and tells those who wait; no more is heard of a reading that fails.
    Reading(watch::Receiver<Option<Arc<V>>>),
}

/// When a reading began: at what time, and after how many changes.
#[derive(Clone, Copy, PartialEq)]
struct Began(Instant, u64);

/// What there is for somebody who wants a thing.
enum Turn<'a, K: Hash + Eq, V> {
    Have(Arc<V>),
    Wait(watch::Receiver<Option<Arc<V>>>),
    Read(Reading<'a, K, V>),
}

/// The reading of a thing, on which others may wait.
struct Reading<'a, K: Hash + Eq, V> {
    held: &'a Held<K, V>,
    key: K,
    began: Began,
    told: watch::Sender<Option<Arc<V>>>,
}

impl<K: Hash + Eq + Clone, V> Held<K, V> {
    /// Holds things for so long; not at all when that is nothing.
    pub(crate) fn new(hold: Duration) -> Self {
        Self { hold, changes: AtomicU64::new(0), things: Mutex::default() }
    }

    /// The thing as it is held, or as it is being read for somebody else; otherwise as `read` gives it. Who wants it
    /// `anew` does not take what others had read.
    pub(crate) async fn get<E>(
        &self,
        key: &K,
        anew: bool,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<Arc<V>, E> {
        if self.hold.is_zero() {
            return read.await.map(Arc::new);
        }
        let reading = match self.turn(key, anew) {
            Turn::Have(value) => return Ok(value),
            Turn::Read(reading) => reading,
            Turn::Wait(mut others) => {
                if let Ok(told) = others.wait_for(Option::is_some).await
                    && let Some(value) = &*told
                {
                    return Ok(value.clone());
                }
                // It failed. All who waited try for themselves at once: one after the other would take for ever.
                self.begin(&mut self.things.lock(), key)
            }
        };
        let value = Arc::new(read.await?);
        reading.end(&value);
        Ok(value)
    }

    fn turn(&self, key: &K, anew: bool) -> Turn<'_, K, V> {
        let mut things = self.things.lock();
        match things.get(key).filter(|thing| !anew && self.is_good(thing)).map(|thing| &thing.state) {
            Some(State::Read(value)) => Turn::Have(value.clone()),
            Some(State::Reading(others)) => Turn::Wait(others.clone()),
            None => Turn::Read(self.begin(&mut things, key)),
        }
    }

    fn begin(&self, things: &mut HashMap<K, Thing<V>>, key: &K) -> Reading<'_, K, V> {
        let began = Began(Instant::now(), self.changes.load(Ordering::SeqCst));
        let (told, others) = watch::channel(None);
        if things.len() >= MOST {
            things.retain(|_, thing| self.is_good(thing));
        }
        if things.len() < MOST {
            things.insert(key.clone(), Thing { state: State::Reading(others), began });
        }
        Reading { held: self, key: key.clone(), began, told }
    }
}

impl<K: Hash + Eq, V> Reading<'_, K, V> {
    fn end(self, value: &Arc<V>) {
        // Who began later has something better.
        if let Some(thing) =
            self.held.things.lock().get_mut(&self.key).filter(|thing| thing.began == self.began)
        {
            thing.state = State::Read(value.clone());
        }
        self.told.send_replace(Some(value.clone()));
    }
}

impl<K: Hash + Eq, V> Drop for Reading<'_, K, V> {
    // A reading that failed, or that nobody waits for any more, is not held.
    fn drop(&mut self) {
        let mut things = self.held.things.lock();
        let ours = things
            .get(&self.key)
            .is_some_and(|thing| thing.began == self.began && matches!(thing.state, State::Reading(_)));
        if ours {
            things.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq, V> Held<K, V> {
    fn is_good(&self, thing: &Thing<V>) -> bool {
        thing.began.1 == self.changes.load(Ordering::SeqCst) && thing.began.0.elapsed() < self.hold
    }

    /// Something happened: nothing that is held, or is being read, is given any more.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whether a caller takes what is held.
pub(crate) fn may_be_held(headers: &HeaderMap) -> bool {
    let mut wishes = headers.get_all(header::CACHE_CONTROL).iter().chain(headers.get_all(header::PRAGMA));
    !wishes.any(|wish| {
        let wish = wish.as_bytes().to_ascii_lowercase();
        [b"no-cache".as_slice(), b"no-store", b"max-age=0"]
            .iter()
            .any(|word| wish.windows(word.len()).any(|part| part == *word))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    type Answer = Result<&'static str, &'static str>;

    async fn given(held: &Held<i32, &'static str>, read: Answer) -> Answer {
        held.get(&1, false, async move { read }).await.map(|value| *value)
    }

    #[tokio::test]
    async fn a_thing_is_given_until_something_happens() {
        let held = Held::new(LONG);
        assert_eq!(given(&held, Ok("a")).await, Ok("a"));
        assert_eq!(given(&held, Ok("b")).await, Ok("a"));
        held.changed();
        assert_eq!(given(&held, Ok("c")).await, Ok("c"));
    }

    #[tokio::test]
    async fn what_was_asked_for_before_something_happened_is_not_given_after_it() {
        let held = Held::new(LONG);
        let read = async {
            held.changed();
            Answer::Ok("old")
        };
        assert_eq!(held.get(&1, false, read).await.map(|value| *value), Ok("old"));
        assert_eq!(given(&held, Ok("new")).await, Ok("new"));
    }

    #[tokio::test]
    async fn who_asks_while_it_is_read_waits_for_what_is_read_unless_something_happened_meanwhile() {
        let held = Held::new(LONG);
        let (answer, answered) = tokio::sync::oneshot::channel();
        let first = held.get(&1, false, async { Answer::Ok(answered.await.unwrap()) });
        let mut first = std::pin::pin!(first);
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = std::pin::pin!(given(&held, Err("asked again")));
        assert!(futures::poll!(&mut second).is_pending());
        held.changed();
        assert_eq!(given(&held, Ok("new")).await, Ok("new"));
        answer.send("old").unwrap();
        assert_eq!(first.await.map(|value| *value), Ok("old"));
        assert_eq!(second.await, Ok("old"), "it had asked before");
        assert_eq!(given(&held, Err("asked again")).await, Ok("new"), "what was read later stays");
    }

    #[tokio::test]
    async fn who_waited_for_a_reading_that_fails_or_is_given_up_reads_for_himself() {
        let held = Held::new(LONG);
        let (answer, answered) = tokio::sync::oneshot::channel::<()>();
        let mut first = Box::pin(
            held.get(&1, false, async { Answer::Err(answered.await.map_or("lost", |()| "failed")) }),
        );
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = std::pin::pin!(given(&held, Err("for himself")));
        assert!(futures::poll!(&mut second).is_pending());
        drop(answer);
        assert_eq!(first.await.map(|value| *value), Err("lost"));
        assert_eq!(second.await, Err("for himself"));
        let mut third = Box::pin(held.get(&1, false, std::future::pending::<Answer>()));
        assert!(futures::poll!(&mut third).is_pending());
        let mut fourth = std::pin::pin!(given(&held, Ok("a")));
        assert!(futures::poll!(&mut fourth).is_pending());
        drop(third);
        assert_eq!(fourth.await, Ok("a"));
        assert_eq!(given(&held, Ok("b")).await, Ok("a"));
    }

    #[tokio::test]
    async fn who_wants_it_anew_has_it_read_for_all() {
        let held = Held::new(LONG);
        assert_eq!(given(&held, Ok("a")).await, Ok("a"));
        assert_eq!(held.get(&1, true, async { Answer::Ok("b") }).await.map(|value| *value), Ok("b"));
        assert_eq!(given(&held, Ok("c")).await, Ok("b"));
    }

    #[tokio::test]
    async fn nothing_is_held_for_no_time_and_never_more_than_so_many() {
        let held = Held::new(Duration::ZERO);
        assert_eq!(given(&held, Ok("a")).await, Ok("a"));
        assert_eq!(given(&held, Ok("b")).await, Ok("b"));
        let held = Held::new(LONG);
        for key in 0..MOST + 9 {
            held.get(&key, false, async { Result::<_, ()>::Ok(()) }).await.unwrap();
        }
        assert_eq!(held.things.lock().len(), MOST);
        held.changed();
        held.get(&(MOST + 10), false, async { Result::<_, ()>::Ok(()) }).await.unwrap();
        assert_eq!(held.things.lock().len(), 1);
    }

    #[test]
    fn callers_may_want_it_read_anew() {
        for (wish, may) in
            [("no-cache", false), ("No-Store, max-age=5", false), ("max-age=0", false), ("max-age=9", true)]
        {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static(wish))]);
            assert_eq!(may_be_held(&headers), may, "{wish}");
        }
        assert!(may_be_held(&HeaderMap::new()));
    }
}
