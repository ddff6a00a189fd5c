//! What our own stops cost an order: time, never one of the attempts that a failing provider is given.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use predictions::{
    Also, Buyer, Engine, Fact, Order, OrderState, Outcome, Policy, ProviderError, Rejected, Usable,
    answers::{self, Moment},
    fact::Lost,
    mark::Mark,
    plan::{self, Step, Timing},
};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::scripted::{Answer, Course, DEADLINE, World, meta, order};

const TIMING: Timing =
    Timing { post_timeout: Duration::from_secs(30), orphan_margin: Duration::from_secs(90) };

fn moment() -> Moment {
    Moment { now: Timestamp::UNIX_EPOCH, jitter: 1.0 }
}

/// An order whose next attempt is intended.
fn intended(state: OrderState, attempt: &str) -> OrderState {
    let intent = Fact::AttemptIntended {
        attempt: attempt.to_owned(),
        input: Default::default(),
        mark: Mark::default(),
    };
    state.after(&intent, moment().now)
}

fn placed() -> OrderState {
    let order = Box::new(order("a", "c"));
    OrderState::default().after(&Fact::OrderPlaced { order }, moment().now)
}

/// How many attempts are made before it ends, when each comes to nothing in this way.
fn attempts_until_the_end(ending: impl Fn(&OrderState, &str) -> Fact) -> (usize, String) {
    let policy = Policy::default();
    let mut state = placed();
    for n in 1..1000 {
        let attempt = format!("a{n}");
        state = intended(state, &attempt);
        let fact = ending(&state, &attempt);
        state = state.after(&fact, moment().now);
        match plan::next(&state, moment().now, &policy, TIMING) {
            Step::AwaitSlot => {}
            Step::Record(Fact::OrderSettled { outcome: Outcome::Failed(failure) }) => {
                assert!(failure.retryable());
                return (n, failure.reason);
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("it never ends")
}

#[test]
fn a_provider_that_loses_calls_is_given_up_on_and_our_own_stops_are_not_held_against_it() {
    let policy = Policy::default();
    let lost = |called: bool| {
        move |state: &OrderState, attempt: &str| answers::not_there(state, attempt, called, &policy, moment())
    };
    let (attempts, reason) = attempts_until_the_end(lost(true));
    assert_eq!(attempts, policy.max_lost as usize);
    assert!(reason.contains("did not take it on"), "{reason}");
    let (attempts, reason) = attempts_until_the_end(lost(false));
    assert_eq!(attempts, policy.max_stopped as usize, "an order that is itself the reason ends, too");
    assert!(reason.contains("Filmstrip was stopped 100 times"), "{reason}");
}

#[rstest]
#[case(ProviderError::NotMade("its process was told to stop before the call was made".into()), Lost::Stopped, 100)]
#[case(ProviderError::NotSent("connection refused".into()), Lost::NotSent, 6)]
#[case(ProviderError::Local("no space left on device".into()), Lost::NotSent, 6)]
fn what_is_not_sent_counts_unless_we_stopped_it(
    #[case] error: ProviderError,
    #[case] expected: Lost,
    #[case] attempts: usize,
) {
    let policy = Policy::default();
    let answer = Err(error);
    let ending = |state: &OrderState, attempt: &str| {
        let fact = answers::created(state, attempt, &answer, &policy, moment()).unwrap();
        assert!(matches!(fact, Fact::AttemptLost { why, .. } if why == expected), "{fact:?}");
        fact
    };
    assert_eq!(attempts_until_the_end(ending).0, attempts);
}

#[test]
fn the_words_for_a_lost_attempt_stay_readable() {
    let words = ["not_sent", "throttled", "not_there", "refused", "stopped"];
    let read: Vec<Lost> =
        words.iter().map(|word| serde_json::from_value(serde_json::json!(word)).unwrap()).collect();
    assert_eq!(read, [Lost::NotSent, Lost::Throttled, Lost::NotThere, Lost::Refused, Lost::Stopped]);
}

/// The process dies in the call, before anything has arrived; the next one has to prove that nothing has.
#[tokio::test]
async fn an_order_outlives_more_deaths_than_a_provider_is_given_attempts() {
    let mut world = World::new().await;
    world.config.post_timeout = Duration::from_millis(500);
    world.policy.max_lost = 2;
    world.script((0..4).map(|_| Answer::Unheard), []);
    for death in 1..=4 {
        let running = world.run();
        if death == 1 {
            running.engine.place(order("a", "c"), meta()).await.unwrap();
        }
        world.until("the call is made", |memory| memory.creates.len() == death).await;
        running.kill();
    }
    let running = world.run();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((world.charges(), world.provider.memory.lock().creates.len()), (1, 5));
    running.stop().await;
}

/// Tells its own process to stop as soon as an intent is to be recorded.
struct StopsAtIntent(CancellationToken);

#[async_trait]
impl Buyer for StopsAtIntent {
    fn name(&self) -> &'static str {
        "scratch"
    }

    fn also(&self, _state: &OrderState, fact: &Fact, _at: Timestamp) -> anyhow::Result<Also> {
        if matches!(fact, Fact::AttemptIntended { .. }) {
            self.0.cancel();
        }
        Ok(Also::default())
    }

    async fn check(&self, _order: &Order, _file: &Path) -> anyhow::Result<Result<Usable, Rejected>> {
        unreachable!("nothing is made")
    }
}

#[tokio::test]
async fn an_order_outlives_more_stops_between_intent_and_call_than_a_provider_is_given_attempts() {
    let mut world = World::new().await;
    world.policy.max_lost = 2;
    world.engine().place(order("a", "c"), meta()).await.unwrap();
    for _ in 0..4 {
        let stop = CancellationToken::new();
        let mut parts = world.parts("one", world.log.clone());
        parts.buyer = Arc::new(StopsAtIntent(stop.clone()));
        tokio::time::timeout(DEADLINE, Engine::new(parts).run(stop)).await.expect("it stops").unwrap();
    }
    assert!(world.provider.memory.lock().creates.is_empty(), "no call was made");
    let running = world.run();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((view.attempts, world.charges()), (5, 1));
    running.stop().await;
}

#[tokio::test]
async fn photos_that_cannot_be_fetched_for_a_while_are_offered_again() {
    let world = World::new().await;
    let away = "Could not download the input https://film.example/api/v3/media/ab: connection refused";
    world.script([], (0..6).map(|_| Course::Fails(away)));
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((view.attempts, world.charges()), (7, 1));
    world.script([], (0..8).map(|_| Course::Fails(away)));
    running.engine.place(order("b", "c"), meta()).await.unwrap();
    let view = running.settled("b").await;
    assert_eq!((view.attempts, view.cost_micros), (8, 0));
    let Some(Outcome::Failed(failure)) = view.outcome else { panic!("{:?}", view.outcome) };
    assert!(failure.retryable() && failure.reason.contains("connection refused"), "{failure:?}");
    running.stop().await;
}
