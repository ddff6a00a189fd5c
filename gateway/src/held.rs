//! What was read a moment ago, so that many who ask for the same thing at once do not each ask a service.
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
    value: Arc<V>,
    began: Instant,
    changes: u64,
}

/// When a reading began.
#[derive(Clone, Copy)]
pub(crate) struct Began(Instant, u64);

impl<K: Hash + Eq, V> Held<K, V> {
    /// Holds things for so long; not at all when that is nothing.
    pub(crate) fn new(hold: Duration) -> Self {
        Self { hold, changes: AtomicU64::new(0), things: Mutex::default() }
    }

    /// The thing, when it is still as it was read.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let things = self.things.lock();
        let thing = things.get(key)?;
        self.is_good(thing).then(|| thing.value.clone())
    }

    fn is_good(&self, thing: &Thing<V>) -> bool {
        thing.changes == self.changes.load(Ordering::SeqCst) && thing.began.elapsed() < self.hold
    }

    /// To be called before a thing is asked for.
    pub(crate) fn begin(&self) -> Began {
        Began(Instant::now(), self.changes.load(Ordering::SeqCst))
    }

    /// Holds what was read since then.
    pub(crate) fn keep(&self, key: K, began: Began, value: V) -> Arc<V> {
        let value = Arc::new(value);
        if self.hold.is_zero() {
            return value;
        }
        let mut things = self.things.lock();
        if things.len() >= MOST {
            things.retain(|_, thing| self.is_good(thing));
            if things.len() >= MOST {
                return value;
            }
        }
        things.insert(key, Thing { value: value.clone(), began: began.0, changes: began.1 });
        value
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

    #[test]
    fn a_thing_is_given_until_something_happens() {
        let held = Held::new(LONG);
        assert!(held.get(&1).is_none());
        held.keep(1, held.begin(), "a");
        assert_eq!(held.get(&1).as_deref(), Some(&"a"));
        held.changed();
        assert!(held.get(&1).is_none());
    }

    #[test]
    fn what_was_asked_for_before_something_happened_is_not_given_after_it() {
        let held = Held::new(LONG);
        let began = held.begin();
        held.changed();
        assert_eq!(*held.keep(1, began, "old"), "old");
        assert!(held.get(&1).is_none());
    }

    #[test]
    fn nothing_is_held_for_no_time_and_never_more_than_so_many() {
        let held = Held::new(Duration::ZERO);
        held.keep(1, held.begin(), "a");
        assert!(held.get(&1).is_none());
        let held = Held::new(LONG);
        for key in 0..MOST + 9 {
            held.keep(key, held.begin(), ());
        }
        assert_eq!(held.things.lock().len(), MOST);
        held.changed();
        held.keep(MOST + 10, held.begin(), ());
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
