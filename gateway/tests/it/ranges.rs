//! Ranges over HTTP: any of them gives the very bytes, or says why not.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use protos::job::v1 as pb;

use crate::world::{World, a_job};

const SIZE: usize = 300_000;

/// How many ranges are tried: `FILMSTRIP_RANGES`, or few.
fn how_many() -> u32 {
    std::env::var("FILMSTRIP_RANGES").map_or(96, |text| text.parse().expect("a number in FILMSTRIP_RANGES"))
}

fn bytes() -> Vec<u8> {
    (0..SIZE).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn any_range_gives_the_very_bytes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(async {
        let world = World::start().await;
        let video = world.blob(&bytes(), "video/mp4").await;
        world.job.on("get_job", pb::Job { video: Some(video), ..a_job(None) });
        world
    });
    let whole = bytes();
    let end = SIZE + SIZE / 4;
    let ranges = prop_oneof![
        (0..end, 0..end).prop_map(|(first, last)| (Some(first), Some(last))),
        (0..end).prop_map(|first| (Some(first), None)),
        (0..end).prop_map(|last| (None, Some(last))),
    ];
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(how_many()) });
    let checked = runner.run(&ranges, |(first, last)| {
        let text = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
        let header = format!("bytes={}-{}", text(first), text(last));
        let answer = runtime.block_on(world.get_with("/api/v3/videos/43/combined", &[("range", &header)]));
        let expected = match (first, last) {
            (Some(first), Some(last)) if first > last => Some(0..SIZE),
            (Some(first), _) if first >= SIZE => None,
            (Some(first), last) => Some(first..last.map_or(SIZE, |last| (last + 1).min(SIZE))),
            (None, Some(0)) => None,
            (None, last) => Some(SIZE - last.unwrap_or(0).min(SIZE)..SIZE),
        };
        match expected {
            None => prop_assert_eq!(answer.status.as_u16(), 416),
            Some(part) => {
                prop_assert_eq!(answer.header("content-length"), part.len().to_string());
                prop_assert!(answer.bytes == whole[part.clone()], "{}", header);
                let partial = answer.status == 206;
                let content_range = format!("bytes {}-{}/{SIZE}", part.start, part.end - 1);
                prop_assert!(!partial || answer.header("content-range") == content_range);
            }
        }
        Ok(())
    });
    checked.expect("every range");
    drop(world);
}
