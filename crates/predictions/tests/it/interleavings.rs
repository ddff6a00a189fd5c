//! Thousands of interleavings of one order's life with a provider that misbehaves and a process that dies between
//! any two steps: an order is paid at most once, and always ends.

use std::time::Duration;

use jiff::Timestamp;
use predictions::{
    Fact, Failure, FailureClass, Order, OrderState, Outcome, Policy, ProviderError,
    answers::{self, Moment},
    fact::Lost,
    mark::Mark,
    plan::{self, Step, Timing, later},
    replicate::wire::{Prediction, Status},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const TIMING: Timing =
    Timing { post_timeout: Duration::from_secs(30), orphan_margin: Duration::from_secs(90) };
const PRICE: i64 = 1_200_000;

/// A prediction at the provider.
struct Bought {
    prediction: Prediction,
    /// When it shows up in the list.
    listed_at: Timestamp,
    /// When it ends by itself whatever happens.
    ends_at: Timestamp,
    charged: bool,
}

impl Bought {
    fn runs(&self) -> bool {
        matches!(self.prediction.status, Status::Starting | Status::Processing)
    }

    fn end(&mut self, status: Status, now: Timestamp) {
        if !self.runs() {
            return;
        }
        self.charged = match status {
            Status::Succeeded => true,
            Status::Canceled => self.prediction.started_at.is_some(),
            _ => false,
        };
        if status == Status::Succeeded {
            self.prediction.output = json!("https://replicate.delivery/clip.mp4");
        }
        self.prediction.status = status;
        self.prediction.completed_at = Some(now);
    }
}

/// The world of one order.
struct World {
    now: Timestamp,
    state: OrderState,
    policy: Policy,
    /// The attempt whose call the living process made.
    called: Option<String>,
    bought: Vec<Bought>,
    choices: Vec<u8>,
    at: usize,
}

impl World {
    fn new(choices: Vec<u8>) -> Self {
        let now = "2025-11-24T10:00:00Z".parse().unwrap();
        let order = Order {
            key: "job-1/scene-1/take-1".into(),
            digest: "d".into(),
            campaign_id: "c".into(),
            model: "google/veo-3.1".into(),
            input: json!({}),
            media: Vec::new(),
            mark_seed: Some("seed".into()),
            price_micros: PRICE,
            context: Value::Null,
        };
        let state = OrderState::default().after(&Fact::OrderPlaced { order: Box::new(order) }, now);
        Self { now, state, policy: Policy::default(), called: None, bought: Vec::new(), choices, at: 0 }
    }

    /// A choice out of `n`; 0, which is always the good case, once the choices are used up.
    fn choose(&mut self, n: u8) -> u8 {
        let choice = self.choices.get(self.at).copied().unwrap_or(0) % n;
        self.at += 1;
        choice
    }

    fn pass(&mut self, duration: Duration) {
        self.now = later(self.now, duration);
        let now = self.now;
        for bought in &mut self.bought {
            if bought.ends_at <= now {
                // `Cancel-After` of the create call.
                bought.end(Status::Canceled, now);
            }
        }
    }

    /// Records a fact, or dies just before.
    fn record(&mut self, fact: &Fact) {
        if self.choose(8) == 7 {
            return self.die();
        }
        self.state = self.state.clone().after(fact, self.now);
        // What is stored is what is read again.
        let text = serde_json::to_string(&self.state).unwrap();
        assert_eq!(serde_json::from_str::<OrderState>(&text).unwrap(), self.state);
    }

    /// A restart: nothing but the state is left, and some time goes by.
    fn die(&mut self) {
        self.called = None;
        let down = [0, 5, 200, 4000][self.choose(4) as usize];
        self.pass(Duration::from_secs(down));
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, jitter: 0.5 }
    }

    fn accept(&mut self, mark: &Mark, late: u64) -> Prediction {
        let created = later(self.now, Duration::from_secs(late));
        let prediction = Prediction {
            id: format!("p{}", self.bought.len()),
            input: json!({ mark.field.clone(): mark.value }),
            created_at: Some(created),
            ..Prediction::default()
        };
        let life = self.policy.attempt_deadline + self.policy.cancel_grace;
        let ends_at = later(created, life);
        self.bought.push(Bought {
            prediction: prediction.clone(),
            listed_at: created,
            ends_at,
            charged: false,
        });
        prediction
    }

    fn attempt(&mut self) {
        if let Some(not_before) = self.state.not_before() {
            self.now = self.now.max(not_before);
        }
        let attempt = format!("a{}", self.at);
        let mark = Mark { field: "seed".into(), value: json!(attempt) };
        let intended = self.state.attempts.len();
        self.record(&Fact::AttemptIntended {
            attempt: attempt.clone(),
            input: json!({}),
            mark: mark.clone(),
        });
        if self.state.attempt(&attempt).is_none() {
            assert_eq!(self.state.attempts.len(), intended);
            return;
        }
        if self.choose(10) == 9 {
            return self.die();
        }
        self.called = Some(attempt.clone());
        let lost = || Err(ProviderError::Ambiguous("lost".into()));
        let answer = match self.choose(9) {
            0 | 1 => Ok(self.accept(&mark, 0)),
            2 => {
                self.accept(&mark, 0);
                lost()
            }
            3 => {
                // Accepted and listed only just within the time that is waited.
                self.accept(&mark, 115);
                lost()
            }
            4 => lost(),
            5 => Err(ProviderError::Throttled(Duration::from_secs(30))),
            6 => Err(ProviderError::NotSent("refused".into())),
            7 => Err(ProviderError::NotMade("it was told to stop".into())),
            _ => Err(ProviderError::Refused { status: 422, detail: "input.prompt".into() }),
        };
        let fact = answers::created(&self.state, &attempt, &answer, &self.policy, self.moment());
        match fact {
            Some(fact) => self.record(&fact),
            None => self.pass(TIMING.post_timeout),
        }
    }

    fn search(&mut self, attempt: &str, not_before: Timestamp) {
        let early = self.now < not_before;
        if early && self.choose(2) == 0 {
            self.now = not_before;
            return;
        }
        if self.choose(4) == 3 {
            return self.pass(Duration::from_secs(600));
        }
        let mark = self.state.attempt(attempt).unwrap().mark.clone();
        let now = self.now;
        let listed = self.bought.iter().filter(|bought| bought.listed_at <= now);
        let found = listed.map(|bought| &bought.prediction).find(|prediction| mark.is_on(&prediction.input));
        let fact = match found {
            Some(found) => Fact::AttemptAccepted {
                attempt: attempt.into(),
                prediction_id: found.id.clone(),
                adopted: true,
            },
            None if early => return self.pass(Duration::from_secs(1)),
            None => {
                let called = self.called.as_deref() == Some(attempt);
                answers::not_there(&self.state, attempt, called, &self.policy, self.moment())
            }
        };
        self.record(&fact);
    }

    fn poll(&mut self, attempt: &str, id: &str) {
        let pause = [2, 10, 60, 3600][self.choose(4) as usize];
        self.pass(Duration::from_secs(pause));
        let (kind, now) = (self.choose(9), self.now);
        let bought = self.bought.iter_mut().find(|bought| bought.prediction.id == id).unwrap();
        match kind {
            0 => bought.end(Status::Succeeded, now),
            1 => bought.prediction.started_at = Some(now),
            2 | 3 => {
                bought.prediction.error = json!("Timeout starting prediction (E6716)");
                bought.end(Status::Failed, now);
            }
            4 => {
                bought.prediction.error = json!("flagged as sensitive (E005)");
                bought.end(Status::Failed, now);
            }
            5 => bought.end(Status::Aborted, now),
            6 => bought.end(Status::Canceled, now),
            7 => bought.end(Status::Other("paused".into()), now),
            _ => return,
        }
        let prediction = bought.prediction.clone();
        let known = self.state.attempt(attempt).unwrap().clone();
        let fact = answers::polled(&self.state, &known, &prediction, PRICE, &self.policy, self.moment());
        if let Some(fact) = fact {
            self.record(&fact);
        }
    }

    fn cancel(&mut self, attempt: String, id: &str) {
        if self.choose(4) == 3 {
            return self.pass(Duration::from_secs(60));
        }
        let now = self.now;
        if let Some(bought) = self.bought.iter_mut().find(|bought| bought.prediction.id == id) {
            bought.end(Status::Canceled, now);
        }
        self.record(&Fact::CancelSent { attempt });
    }

    fn store(&mut self, prediction_id: String) {
        let outcome = match self.choose(3) {
            2 => Outcome::Failed(Failure::new(FailureClass::Media, "not a video")),
            _ => Outcome::Delivered { blob: Default::default(), prediction_id, found: Value::Null },
        };
        self.record(&Fact::OrderSettled { outcome });
    }

    fn step(&mut self) -> bool {
        if self.state.cancel.is_none() && self.choose(40) == 39 {
            self.state =
                self.state.clone().after(&Fact::CancelRequested { reason: "enough".into() }, self.now);
        }
        match plan::next(&self.state, self.now, &self.policy, TIMING) {
            Step::Done => return false,
            Step::AwaitSlot => self.attempt(),
            Step::Record(fact) => self.record(&fact),
            Step::Search { attempt, not_before } => self.search(&attempt, not_before),
            Step::Confirm { .. } => unreachable!("this world has no webhooks"),
            Step::Cancel { attempt, prediction_id } => self.cancel(attempt, &prediction_id),
            Step::Poll { attempt, prediction_id } => self.poll(&attempt, &prediction_id),
            Step::Store { prediction_id, .. } => self.store(prediction_id),
        }
        true
    }

    fn check(&self) {
        let charged = self.bought.iter().filter(|bought| bought.charged).count();
        assert!(charged <= 1, "paid {charged} times");
        // Whatever runs at the provider has a slot: nothing leaks out of the count.
        let now = self.now;
        let running = self.bought.iter().filter(|bought| bought.runs() && bought.listed_at <= now).count();
        assert!(running <= usize::from(self.state.open().is_some()), "{running} run, none is counted");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_order_is_paid_at_most_once_and_always_ends(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut world = World::new(choices);
        let mut steps = 0;
        while world.step() {
            world.check();
            steps += 1;
            prop_assert!(steps < 500, "it never ends: {:?}", world.state);
        }
        world.check();
        prop_assert!(world.state.open().is_none(), "a settled order holds a slot");
        let charged = world.bought.iter().filter(|bought| bought.charged).count();
        if matches!(world.state.outcome, Some(Outcome::Delivered { .. })) {
            prop_assert_eq!(charged, 1);
            prop_assert_eq!(world.state.cost_micros(), PRICE);
        }
        prop_assert!(world.state.lost() <= world.policy.max_lost as usize);
        prop_assert!(world.state.accepted() <= world.policy.max_attempts as usize);
    }
}

#[test]
fn an_intent_that_the_provider_has_forgotten_is_unknown_and_not_bought_again() {
    let mut world = World::new(Vec::new());
    let mark = Mark { field: "seed".into(), value: json!(1) };
    let now = world.now;
    let intent = Fact::AttemptIntended { attempt: "a".into(), input: json!({}), mark };
    world.state = world.state.after(&intent, now);
    let Step::Record(fact) =
        plan::next(&world.state, later(now, Duration::from_secs(3600)), &world.policy, TIMING)
    else {
        panic!("not given up")
    };
    world.state = world.state.after(&fact, now);
    let Step::Record(Fact::OrderSettled { outcome: Outcome::Failed(failure) }) =
        plan::next(&world.state, now, &world.policy, TIMING)
    else {
        panic!("not settled")
    };
    assert_eq!(failure.class, FailureClass::Unknown);
    assert!(failure.retryable(), "a person may buy again");
}

#[test]
fn absence_is_not_believed_before_the_call_and_the_margin_are_over() {
    let mut world = World::new(Vec::new());
    let now = world.now;
    let intent = Fact::AttemptIntended { attempt: "a".into(), input: json!({}), mark: Mark::default() };
    world.state = world.state.after(&intent, now);
    let step = plan::next(&world.state, now, &world.policy, TIMING);
    assert_eq!(step, Step::Search { attempt: "a".into(), not_before: later(now, Duration::from_secs(120)) });
}

#[test]
fn refusals_for_the_rate_limit_do_not_use_up_an_orders_attempts() {
    let mut world = World::new(Vec::new());
    let throttled = Err(ProviderError::Throttled(Duration::from_secs(30)));
    for n in 0..100 {
        let attempt = format!("a{n}");
        let intent =
            Fact::AttemptIntended { attempt: attempt.clone(), input: json!({}), mark: Mark::default() };
        world.state = world.state.clone().after(&intent, world.now);
        let fact =
            answers::created(&world.state, &attempt, &throttled, &world.policy, world.moment()).unwrap();
        assert!(matches!(&fact, Fact::AttemptLost { why: Lost::Throttled, retry_at: Some(at), .. }
            if *at >= later(world.now, Duration::from_secs(30))));
        world.state = world.state.clone().after(&fact, world.now);
        world.pass(Duration::from_secs(31));
    }
    assert_eq!(world.state.lost(), 0);
    assert_eq!(world.state.attempts.len(), 1, "they leave nothing behind");
}
