//! The provider: it takes calls on, loses them, answers late or never, lists late and in pages, and keeps the books.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::testing::Dice;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use predictions::{
    ProviderError,
    plan::later,
    provider::Create,
    replicate::wire::{Page, Prediction, Status},
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// What goes wrong at the provider and on the way, in percent, and how it behaves when nothing does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// No connection.
    pub(super) refused: u32,
    /// 429, with a wait of some seconds.
    pub(super) throttled: u32,
    /// The call arrives nowhere and gets no answer.
    pub(super) unheard: u32,
    /// 5xx, nothing made.
    pub(super) broken: u32,
    /// Made, and the answer is lost.
    pub(super) dropped: u32,
    /// Made, and no answer ever.
    pub(super) silent: u32,
    /// Any other call fails.
    pub(super) unreadable: u32,
    /// A prediction fails, uncharged, in a way that is worth another.
    pub(super) fails: u32,
    /// How long a call may be under way.
    pub(super) slow: Duration,
    /// How long a prediction may be missing in the list.
    pub(super) lag: Duration,
    /// Predictions on a page of the list.
    pub(super) page: usize,
    /// How far the provider's clock is ahead.
    pub(super) skew: SignedDuration,
    /// The shortest and the longest prediction.
    pub(super) lasts: (Duration, Duration),
    /// When inputs are forgotten.
    pub(super) memory: Duration,
}

impl Weather {
    /// All is well.
    pub(super) fn fair() -> Self {
        Self {
            refused: 0,
            throttled: 0,
            unheard: 0,
            broken: 0,
            dropped: 0,
            silent: 0,
            unreadable: 0,
            fails: 0,
            slow: Duration::from_millis(30),
            lag: Duration::ZERO,
            page: 100,
            skew: SignedDuration::ZERO,
            lasts: (Duration::from_secs(1), Duration::from_secs(4)),
            memory: Duration::from_secs(600),
        }
    }
}

/// A prediction.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) order: String,
    input: Value,
    created_at: Timestamp,
    made_at: Instant,
    listed_at: Instant,
    ends_at: Instant,
    end: Status,
}

impl Made {
    fn runs(&self) -> bool {
        Instant::now() < self.ends_at
    }

    pub(super) fn is_charged(&self) -> bool {
        !self.runs() && matches!(self.end, Status::Succeeded | Status::Canceled)
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.runs() && self.end == Status::Failed
    }

    fn shown(&self, memory: Duration) -> Prediction {
        let (status, over) = if self.runs() { (Status::Processing, false) } else { (self.end.clone(), true) };
        let forgotten = self.made_at.elapsed() > memory;
        let output = if status == Status::Succeeded {
            json!("https://replicate.delivery/clip.mp4")
        } else {
            Value::Null
        };
        Prediction {
            id: self.id.clone(),
            error: if status == Status::Failed { json!("Prediction failed (E1000)") } else { Value::Null },
            status,
            input: if forgotten { Value::Null } else { self.input.clone() },
            output,
            created_at: Some(self.created_at),
            started_at: Some(self.created_at),
            completed_at: over.then_some(self.created_at),
            data_removed: forgotten,
        }
    }
}

/// What the provider knows.
pub(super) struct Books {
    dice: Dice,
    weather: Weather,
    pub(super) made: Vec<Made>,
    /// Arrived create calls: when, since the beginning, and for which order.
    pub(super) creates: Vec<(Duration, String)>,
    pub(super) most_in_flight: usize,
    /// How often the provider, not a process of ours, made nothing of an order's call.
    pub(super) losses: HashMap<String, usize>,
    /// What must never happen and did.
    pub(super) violations: Vec<String>,
    calm: bool,
}

/// Our account at the provider.
pub(super) struct Account {
    pub(super) books: Mutex<Books>,
    origin: Timestamp,
    began: Instant,
    limit: usize,
}

/// How a call goes on once it has arrived.
enum Fate {
    Taken,
    Dropped,
    Silent,
    Unheard,
    Broken,
    Throttled(Duration),
}

impl Account {
    pub(super) fn new(dice: Dice, weather: Weather, origin: Timestamp, limit: u32) -> Arc<Self> {
        let books = Books {
            dice,
            weather,
            made: Vec::new(),
            creates: Vec::new(),
            most_in_flight: 0,
            losses: HashMap::new(),
            violations: Vec::new(),
            calm: false,
        };
        Arc::new(Self { books: Mutex::new(books), origin, began: Instant::now(), limit: limit as usize })
    }

    /// From now on all goes well, everywhere.
    pub(super) fn calm_down(&self) {
        let mut books = self.books.lock();
        let weather = books.weather;
        books.weather =
            Weather { skew: weather.skew, lasts: weather.lasts, page: weather.page, ..Weather::fair() };
        books.calm = true;
    }

    pub(super) fn is_calm(&self) -> bool {
        self.books.lock().calm
    }

    pub(super) fn in_flight(&self) -> usize {
        self.books.lock().made.iter().filter(|made| made.runs()).count()
    }

    pub(super) async fn create(self: &Arc<Self>, create: &Create) -> Result<Prediction, ProviderError> {
        let order = create.input["prompt"].as_str().unwrap_or_default().to_owned();
        let (there, back) = {
            let mut books = self.books.lock();
            let refused = books.weather.refused;
            if books.dice.chance(refused) {
                *books.losses.entry(order).or_default() += 1;
                return Err(ProviderError::NotSent("connection refused".into()));
            }
            let slow = books.weather.slow;
            (books.up_to(slow), books.up_to(slow))
        };
        // What has left arrives, whether or not anybody waits for the answer.
        let (account, create) = (self.clone(), create.clone());
        let arriving = tokio::spawn(async move {
            tokio::time::sleep(there).await;
            account.arrive(&create, order)
        });
        let answer = arriving.await.unwrap();
        tokio::time::sleep(back).await;
        match answer {
            (Fate::Taken, prediction) => Ok(prediction.unwrap()),
            (Fate::Dropped, _) => Err(ProviderError::Ambiguous("reset".into())),
            (Fate::Silent | Fate::Unheard, _) => std::future::pending().await,
            (Fate::Broken, _) => Err(ProviderError::Ambiguous("HTTP 502".into())),
            (Fate::Throttled(wait), _) => Err(ProviderError::Throttled(wait)),
        }
    }

    fn arrive(&self, create: &Create, order: String) -> (Fate, Option<Prediction>) {
        let mut books = self.books.lock();
        books.creates.push((self.began.elapsed(), order.clone()));
        let fate = books.fate();
        if matches!(fate, Fate::Unheard | Fate::Broken) {
            *books.losses.entry(order).or_default() += 1;
            return (fate, None);
        }
        if matches!(fate, Fate::Throttled(_)) {
            return (fate, None);
        }
        if books.made.iter().any(|made| made.order == order && (made.runs() || made.is_charged())) {
            let at = self.began.elapsed();
            books.violations.push(format!("{order} is bought twice, at {at:?}"));
        }
        let (weather, n) = (books.weather, books.made.len());
        let (shortest, longest) = weather.lasts;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap();
        let now = Instant::now();
        let lasts = books.dice.millis(millis(shortest), millis(longest));
        let lag = books.up_to(weather.lag);
        let end = if books.dice.chance(weather.fails) { Status::Failed } else { Status::Succeeded };
        let longest = Duration::from_secs(create.cancel_after_seconds);
        let made = Made {
            id: format!("p{n}"),
            order,
            input: create.input.clone(),
            created_at: later(self.origin, self.began.elapsed()) + weather.skew,
            made_at: now,
            listed_at: now + lag,
            ends_at: now + lasts.min(longest),
            end: if lasts > longest { Status::Canceled } else { end },
        };
        let shown = made.shown(weather.memory);
        books.made.push(made);
        let in_flight = books.made.iter().filter(|made| made.runs()).count();
        books.most_in_flight = books.most_in_flight.max(in_flight);
        if in_flight > self.limit {
            let at = self.began.elapsed();
            books.violations.push(format!("{in_flight} in flight at {at:?}, allowed are {}", self.limit));
        }
        (fate, Some(shown))
    }

    fn readable(&self) -> Result<(), ProviderError> {
        let mut books = self.books.lock();
        let unreadable = books.weather.unreadable;
        if !books.dice.chance(unreadable) {
            return Ok(());
        }
        Err(match books.dice.below(3) {
            0 => ProviderError::NotSent("connection refused".into()),
            1 => ProviderError::Ambiguous("HTTP 502".into()),
            _ => ProviderError::Throttled(Duration::from_secs(1)),
        })
    }

    pub(super) fn get(&self, id: &str) -> Result<Prediction, ProviderError> {
        self.readable()?;
        let books = self.books.lock();
        let found = books.made.iter().find(|made| made.id == id);
        let gone = ProviderError::Refused { status: 404, detail: "not found".into() };
        found.map(|made| made.shown(books.weather.memory)).ok_or(gone)
    }

    pub(super) fn cancel(&self, id: &str) -> Result<(), ProviderError> {
        self.readable()?;
        let mut books = self.books.lock();
        let made = books.made.iter_mut().find(|made| made.id == id && made.runs());
        let made = made.ok_or(ProviderError::Refused { status: 404, detail: "nothing to cancel".into() })?;
        made.ends_at = Instant::now();
        made.end = Status::Canceled;
        Ok(())
    }

    /// Newest first, behind the prediction that `next` names; what is not listed yet is not there.
    pub(super) fn list(&self, next: Option<&str>) -> Result<Page, ProviderError> {
        self.readable()?;
        let books = self.books.lock();
        let end = next.map_or(books.made.len(), |next| next.parse().unwrap());
        let now = Instant::now();
        let listed = (0..end).rev().filter(|n| books.made[*n].listed_at <= now);
        let page: Vec<usize> = listed.take(books.weather.page).collect();
        let next = page.last().filter(|last| **last > 0).map(ToString::to_string);
        let results = page.iter().map(|n| books.made[*n].shown(books.weather.memory)).collect();
        Ok(Page { next, results })
    }
}

impl Books {
    /// A time of at most `most`, often just that: what is right by a hair shows at the edge.
    fn up_to(&mut self, most: Duration) -> Duration {
        if self.dice.chance(30) {
            return most;
        }
        self.dice.millis(0, u64::try_from(most.as_millis()).unwrap())
    }

    fn fate(&mut self) -> Fate {
        let weather = self.weather;
        let mut roll = self.dice.below(100) as u32;
        let mut is = |percent: u32| {
            let hit = roll < percent;
            roll = roll.saturating_sub(percent);
            hit
        };
        if is(weather.throttled) {
            Fate::Throttled(self.dice.millis(1000, 3000))
        } else if is(weather.unheard) {
            Fate::Unheard
        } else if is(weather.broken) {
            Fate::Broken
        } else if is(weather.dropped) {
            Fate::Dropped
        } else if is(weather.silent) {
            Fate::Silent
        } else {
            Fate::Taken
        }
    }
}
