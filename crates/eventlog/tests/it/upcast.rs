//! Old events in the shape that today's code reads.

use eventlog::testing::{NO_TABLES, scratch_log};
use eventlog::{Append, Data, NewEvent, Upcasters};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn an_old_event_takes_every_step_to_the_newest_shape() {
    let (log, _directory) = scratch_log(&NO_TABLES).await;
    let event = |kind: &str, version| {
        NewEvent::new(Uuid::now_v7(), kind, json!({ "name": "a b" }), Timestamp::UNIX_EPOCH)
            .schema_version(version)
    };
    let append = Append::to("a").event(event("Named", 1)).event(event("Named", 3)).event(event("Other", 1));
    log.append(append).await.unwrap();
    let upcasters = Upcasters::new()
        .register("Named", 1, |mut data| {
            data["full_name"] = data["name"].take();
            data
        })
        .register("Named", 2, |data| json!({ "names": [data["full_name"]] }));
    let stored = log.load("a", 0).await.unwrap();
    let read: Vec<_> = stored.iter().map(|event| upcasters.apply(event).unwrap().into_owned()).collect();
    assert_eq!((read[0].schema_version, &read[0].data), (3, &Data::from(json!({ "names": ["a b"] }))));
    assert_eq!(read[0].id, stored[0].id);
    assert_eq!(read[1..], stored[1..]);
}
