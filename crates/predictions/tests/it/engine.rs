//! The engine over a real log and a scripted provider.

use std::{collections::HashMap, time::Duration};

use predictions::{FailureClass, OrderError, Outcome, Policy, ProviderError, state::Stage};
use serde_json::json;

use crate::scripted::{Answer, Course, DEADLINE, PRICE, World, meta, order, signed};

fn failure(outcome: Option<Outcome>) -> predictions::Failure {
    match outcome {
        Some(Outcome::Failed(failure)) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn an_order_is_bought_fetched_checked_and_kept() {
    let world = World::new().await;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    let Some(Outcome::Delivered { blob, prediction_id, found }) = view.outcome else { panic!("{view:?}") };
    assert_eq!(prediction_id, "p0");
    assert_eq!(found, json!({"duration_ms": 6000}));
    assert_eq!(view.cost_micros, PRICE);
    assert_eq!(world.blobs.size(&blob.sha256).await.unwrap(), Some(6));
    assert_eq!(world.charges(), 1);
    let (creates, uploads) = {
        let memory = world.provider.memory.lock();
        (memory.creates.clone(), memory.uploads)
    };
    assert_eq!(creates[0].input["image"], creates[0].input["last_frame"], "one photo is handed over once");
    assert_eq!(uploads, 1);
    let kinds: Vec<String> =
        world.log.load("order-a", 0).await.unwrap().into_iter().map(|event| event.kind).collect();
    let expected = ["OrderPlaced", "AttemptIntended", "AttemptAccepted", "AttemptEnded", "OrderSettled"];
    assert_eq!(kinds, expected);
    running.stop().await;
}

#[tokio::test]
async fn the_same_key_again_is_a_question_and_with_another_digest_refused() {
    let world = World::new().await;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    running.settled("a").await;
    let again = running.engine.place(order("a", "c"), meta()).await.unwrap();
    assert!(matches!(again.outcome, Some(Outcome::Delivered { .. })));
    let mut other = order("a", "c");
    other.digest = "d2".into();
    let refused = running.engine.place(other, meta()).await.unwrap_err();
    assert!(matches!(refused, OrderError::DigestMismatch { .. }));
    assert_eq!(world.charges(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_accepted_order_whose_answer_was_dropped_is_adopted() {
    let world = World::new().await;
    world.script([Answer::Dropped], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((view.attempts, world.charges(), world.provider.memory.lock().creates.len()), (1, 1, 1));
    running.stop().await;
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_with_its_time_and_is_adopted() {
    let world = World::new().await;
    world.script([Answer::Silent], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!(world.provider.memory.lock().creates.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn what_the_list_does_not_have_late_enough_is_attempted_anew() {
    let world = World::new().await;
    world.script([Answer::Error(ProviderError::Ambiguous("HTTP 502".into()))], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((view.attempts, world.charges()), (2, 1));
    let marks: Vec<_> = {
        let memory = world.provider.memory.lock();
        assert!(memory.lists >= 2, "early, and again when it counts");
        memory.creates.iter().map(|create| create.input["image"].clone()).collect()
    };
    assert_ne!(marks[0], marks[1], "each attempt has a mark of its own");
    running.stop().await;
}

#[tokio::test]
async fn a_bad_moment_of_the_provider_gets_fresh_attempts_up_to_the_bound() {
    let world = World::new().await;
    let flaky = || Course::Fails("Timeout starting prediction (E6716)");
    world.script([], [flaky(), flaky()]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((view.attempts, view.cost_micros), (3, PRICE));
    world.script([], (0..4).map(|_| flaky()));
    running.engine.place(order("b", "c"), meta()).await.unwrap();
    let view = running.settled("b").await;
    assert_eq!((view.attempts, view.cost_micros), (4, 0));
    let failure = failure(view.outcome);
    assert!(failure.retryable() && failure.reason.contains("E6716"), "{failure:?}");
    running.stop().await;
}

#[tokio::test]
async fn refused_content_is_bought_once_and_never_again() {
    let world = World::new().await;
    world.script([], [Course::Fails("The input was flagged as sensitive. (E005)")]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    let failure = failure(view.outcome);
    assert_eq!((failure.class, view.attempts), (FailureClass::Refused, 1));
    assert!(!failure.retryable());
    running.stop().await;
}

#[tokio::test]
async fn a_4xx_fails_in_the_providers_words() {
    let world = World::new().await;
    let detail = "input.duration: must be 4, 6 or 8".to_owned();
    world.script([Answer::Error(ProviderError::Refused { status: 422, detail: detail.clone() })], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let failure = failure(running.settled("a").await.outcome);
    assert_eq!(failure.class, FailureClass::Input);
    assert!(failure.reason.contains(&detail));
    running.stop().await;
}

#[tokio::test]
async fn a_rate_limit_holds_the_whole_account_and_gives_the_slot_back() {
    let mut world = World::new().await;
    world.account.max_in_flight = 1;
    world.script([Answer::Error(ProviderError::Throttled(Duration::from_secs(1)))], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    running.engine.place(order("b", "d"), meta()).await.unwrap();
    world.until("both are bought", |memory| memory.creates.len() == 3).await;
    running.settled("a").await;
    running.settled("b").await;
    let times: Vec<_> = attempts(&world).await;
    let pause = times[1].duration_since(times[0]);
    assert!(
        pause >= jiff::SignedDuration::from_secs(1),
        "nobody calls before the provider allows it: {pause}"
    );
    assert_eq!(world.charges(), 2);
    running.stop().await;
}

async fn attempts(world: &World) -> Vec<jiff::Timestamp> {
    let sql = "SELECT intended_at FROM prediction_attempt ORDER BY intended_at";
    let rows = world.log.query(sql, eventlog::params![]).await.unwrap();
    rows.iter().map(|row| row.get("intended_at").unwrap()).collect()
}

#[tokio::test]
async fn an_order_that_waits_is_canceled_at_once_and_a_later_one_is_refused() {
    let world = World::new().await;
    let engine = world.engine();
    engine.place(order("a", "c"), meta()).await.unwrap();
    let view = engine.cancel("a", "job canceled", meta()).await.unwrap();
    assert_eq!(view.outcome, Some(Outcome::Canceled { reason: "job canceled".into() }));
    // A tombstone.
    engine.cancel("b", "job canceled", meta()).await.unwrap();
    let view = engine.place(order("b", "c"), meta()).await.unwrap();
    assert_eq!(view.outcome, Some(Outcome::Canceled { reason: "job canceled".into() }));
    let running = world.run();
    running.engine.place(order("c", "c"), meta()).await.unwrap();
    running.settled("c").await;
    assert_eq!(world.provider.memory.lock().creates.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_cancel_reaches_the_provider() {
    let world = World::new().await;
    world.script([], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it runs", |memory| memory.predictions.len() == 1).await;
    running.engine.cancel("a", "enough", meta()).await.unwrap();
    let view = running.settled("a").await;
    assert_eq!(view.outcome, Some(Outcome::Canceled { reason: "enough".into() }));
    assert_eq!(view.cost_micros, PRICE, "it had begun");
    assert_eq!(world.provider.memory.lock().canceled, ["p0"]);
    running.stop().await;
}

#[tokio::test]
async fn what_takes_too_long_is_canceled_and_says_so() {
    let mut world = World::new().await;
    world.policy = Policy { attempt_deadline: Duration::from_millis(200), ..world.policy };
    world.script([], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let failure = failure(running.settled("a").await.outcome);
    assert_eq!(failure.class, FailureClass::Overdue);
    assert_eq!(world.provider.memory.lock().canceled, ["p0"]);
    running.stop().await;
}

#[tokio::test]
async fn a_process_that_dies_in_the_call_is_succeeded_by_one_that_adopts() {
    let world = World::new().await;
    world.script([Answer::Silent], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("the call is made", |memory| memory.creates.len() == 1).await;
    running.kill();
    let running = world.run();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((world.charges(), world.provider.memory.lock().creates.len()), (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_process_that_stops_while_it_polls_is_succeeded_by_one_that_goes_on() {
    let world = World::new().await;
    world.script([], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it runs", |memory| memory.predictions.len() == 1).await;
    running.stop().await;
    world.provider.memory.lock().predictions[0].1 = Course::Succeeds;
    let running = world.run();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((world.charges(), view.attempts), (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_good_is_fetched_again_and_not_bought_again() {
    let world = World::new().await;
    let running = world.run();
    world.provider.memory.lock().broken_downloads = 1;
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    assert!(matches!(running.settled("a").await.outcome, Some(Outcome::Delivered { .. })));
    world.provider.memory.lock().broken_downloads = 3;
    running.engine.place(order("b", "c"), meta()).await.unwrap();
    let view = running.settled("b").await;
    assert_eq!((view.attempts, view.cost_micros), (1, PRICE));
    let failure = failure(view.outcome);
    assert_eq!(failure.class, FailureClass::Media);
    assert!(failure.reason.contains("it is not a clip") && failure.retryable(), "{failure:?}");
    running.stop().await;
}

#[tokio::test]
async fn slots_are_never_exceeded_and_campaigns_take_turns() {
    let mut world = World::new().await;
    // So slow that the last campaign's wish is known long before the first one is done.
    world.account.starts_per_second = 100;
    let running = world.run();
    for n in 0..30 {
        running.engine.place(order(&format!("big-{n:02}"), "big"), meta()).await.unwrap();
    }
    running.engine.place(order("small", "small"), meta()).await.unwrap();
    let before = world.provider.memory.lock().creates.len();
    running.settled("small").await;
    for n in 0..30 {
        running.settled(&format!("big-{n:02}")).await;
    }
    {
        let memory = world.provider.memory.lock();
        assert!(memory.most_in_flight <= 3, "{} in flight", memory.most_in_flight);
        assert_eq!(memory.charged.len(), 31);
        let turn = memory.creates.iter().position(|create| create.input["prompt"] == "small").unwrap();
        assert!(turn <= before + 6, "turn {turn}, placed after {before}");
    }
    running.stop().await;
}

#[tokio::test]
async fn only_the_providers_own_webhooks_are_taken() {
    let mut world = World::new().await;
    world.policy.poll_first = Duration::from_secs(3600);
    world.policy.poll_most = Duration::from_secs(3600);
    world.script([], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it runs", |memory| memory.predictions.len() == 1).await;
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt: String = rows[0].get("id").unwrap();
    let waiting = async {
        while running.engine.get("a").await.unwrap().unwrap().stage != Stage::Running {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap();
    world.provider.memory.lock().predictions[0].1 = Course::Succeeds;

    let body = br#"{"id":"p0","status":"failed","error":"a lie"}"#;
    let hook = |attempt: String, headers: HashMap<String, String>, body: Vec<u8>| {
        let engine = running.engine.clone();
        async move { engine.webhook(&attempt, &headers, &body).await.unwrap() }
    };
    assert!(!hook(attempt.clone(), HashMap::new(), body.to_vec()).await, "unsigned");
    assert!(!hook(attempt.clone(), signed(b"{}"), body.to_vec()).await, "forged");
    assert!(!hook("nobody".into(), signed(body), body.to_vec()).await, "unknown");
    let other = br#"{"id":"p9"}"#;
    assert!(!hook(attempt.clone(), signed(other), other.to_vec()).await, "another prediction");
    // A hint, not a fact: the prediction is asked for, and has succeeded whatever the body says. Repeats are fine.
    assert!(hook(attempt.clone(), signed(body), body.to_vec()).await);
    assert!(hook(attempt.clone(), signed(body), body.to_vec()).await);
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert!(hook(attempt, signed(body), body.to_vec()).await, "late");
    running.stop().await;
}

#[tokio::test]
async fn a_webhook_finds_an_attempt_whose_answer_was_lost() {
    let mut world = World::new().await;
    world.config.post_timeout = Duration::from_secs(20);
    world.config.orphan_margin = Duration::from_secs(3600);
    world.script([Answer::Silent], []);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("the call is made", |memory| memory.creates.len() == 1).await;
    running.kill();
    let engine = world.engine();
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt: String = rows[0].get("id").unwrap();
    let body = br#"{"id":"p0","status":"starting"}"#;
    assert!(engine.webhook(&attempt, &signed(body), body).await.unwrap());
    let running = world.run();
    assert!(matches!(running.settled("a").await.outcome, Some(Outcome::Delivered { .. })));
    let kinds: Vec<String> =
        world.log.load("order-a", 0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"ProviderHinted".to_owned()), "{kinds:?}");
    assert_eq!(world.charges(), 1);
    running.stop().await;
}

#[tokio::test]
async fn another_process_takes_over_once_the_lease_ends_and_the_old_one_writes_nothing_more() {
    let mut world = World::new().await;
    world.config.post_timeout = Duration::from_millis(300);
    world.policy.lease = Duration::from_millis(600);
    world.script([Answer::Silent], []);
    let dead = world.run_as("one");
    dead.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("the call is made", |memory| memory.creates.len() == 1).await;
    dead.kill();
    let alive = world.run_as("two");
    let view = alive.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!(world.charges(), 1);
    alive.stop().await;
}

#[tokio::test]
async fn everything_that_follows_an_order_carries_its_correlation_and_trace() {
    let world = World::new().await;
    let running = world.run();
    let traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    let asked = eventlog::Meta { traceparent: Some(traceparent.into()), ..meta() };
    running.engine.place(order("a", "c"), asked).await.unwrap();
    running.settled("a").await;
    for event in world.log.load("order-a", 0).await.unwrap() {
        assert_eq!(event.meta.correlation_id, "test", "{}", event.kind);
        assert_eq!(&event.meta.traceparent.unwrap()[3..35], &traceparent[3..35], "{}", event.kind);
    }
    running.stop().await;
}
