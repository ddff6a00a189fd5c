//! Any sequence of appends does what a list of versions per stream says.

use std::collections::HashMap;

use eventlog::testing::{NO_TABLES, scratch_log};
use eventlog::{Append, AppendError, Expected, NewEvent};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

#[derive(Debug, Clone)]
struct Step {
    stream: u8,
    expected: Expected,
    events: usize,
    /// Stores an earlier event again, counted from the first of the case.
    repeat: Option<usize>,
}

fn step() -> impl Strategy<Value = Step> {
    let expected = prop_oneof![
        2 => Just(Expected::Any),
        1 => Just(Expected::NoStream),
        4 => (0..6_i64).prop_map(Expected::Version),
    ];
    (0..3_u8, expected, 1..4_usize, prop::option::weighted(0.15, 0..10_usize))
        .prop_map(|(stream, expected, events, repeat)| Step { stream, expected, events, repeat })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn appends_follow_the_model(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follow(steps));
    }
}

async fn follow(steps: Vec<Step>) {
    let (log, _directory) = scratch_log(&NO_TABLES).await;
    let mut versions: HashMap<u8, i64> = HashMap::new();
    let mut stored: Vec<Uuid> = Vec::new();
    for step in steps {
        let mut ids: Vec<Uuid> = (0..step.events).map(|_| Uuid::now_v7()).collect();
        let repeated = step.repeat.and_then(|index| stored.get(index).copied());
        if let Some(id) = repeated {
            *ids.last_mut().unwrap() = id;
        }
        let events = ids.iter().map(|id| NewEvent::new(*id, "Stepped", json!({}), Timestamp::UNIX_EPOCH));
        let append = Append::to(format!("s-{}", step.stream)).expecting(step.expected).events(events);
        let version = versions.entry(step.stream).or_default();
        match log.append(append).await {
            Ok(appended) => {
                assert!(repeated.is_none() && step.expected.allows(*version));
                *version += i64::try_from(step.events).unwrap();
                stored.extend(ids);
                assert_eq!(appended.last_version, *version);
                // Nothing was refused halfway: positions have no gaps either.
                assert_eq!(appended.last_position, i64::try_from(stored.len()).unwrap());
            }
            Err(AppendError::DuplicateEvent(id)) => assert_eq!(Some(id), repeated),
            Err(AppendError::Conflict { actual, .. }) => {
                assert!(repeated.is_none() && !step.expected.allows(*version));
                assert_eq!(actual, *version);
            }
            Err(other) => panic!("{other}"),
        }
    }
    let all = log.read_all(0, 1000).await.unwrap();
    assert_eq!(all.iter().map(|event| event.id).collect::<Vec<_>>(), stored);
}
