//! The model registry.

use job_domain::models::{DEFAULT_MODEL, find, registry, require};

fn veo() -> &'static job_domain::models::Model {
    find("veo3").expect("it is registered")
}

fn hailuo() -> &'static job_domain::models::Model {
    find("hailuo-02").expect("it is registered")
}

#[test]
fn every_known_name_finds_its_model() {
    for name in ["veo3", "veo-3.1", "veo3.1", "google/veo-3.1", " VEO3 "] {
        assert_eq!(find(name).map(|model| model.slug), Some("google/veo-3.1"), "{name}");
    }
    for name in
        ["hilua", "hilua-2.5", "hailuo-2.5", "hailuo-2.0", "hailuo-02", "hailuo2", "minimax/hailuo-02"]
    {
        assert_eq!(find(name).map(|model| model.slug), Some("minimax/hailuo-02"), "{name}");
    }
}

#[test]
fn another_model_is_not_sold_under_these_names() {
    for name in ["", "veo", "hailuo-2.3", "hailuo-23", "sora"] {
        assert!(find(name).is_none(), "{name}");
    }
}

#[test]
fn the_default_model_is_registered() {
    assert_eq!(find(DEFAULT_MODEL).map(|model| model.key), Some("veo3"));
}

#[test]
fn a_model_is_known_by_its_key_and_its_slug() {
    for model in registry() {
        assert_eq!(find(model.key), Some(model));
        assert_eq!(find(model.slug), Some(model));
    }
}

#[test]
fn veo_makes_4_6_or_8_seconds() {
    let billed: Vec<u32> = [1, 5_000, 5_001, 7_000, 7_001, 8_000].map(|ms| veo().billed(ms)).to_vec();
    assert_eq!(billed, [4, 4, 6, 6, 8, 8]);
}

#[test]
fn hailuo_makes_6_or_10_seconds() {
    let billed: Vec<u32> = [1, 6_000, 8_999, 9_000, 10_000].map(|ms| hailuo().billed(ms)).to_vec();
    assert_eq!(billed, [6, 6, 6, 10, 10]);
}

#[test]
fn what_is_billed_is_a_length_that_the_model_makes() {
    for model in registry() {
        for requested_ms in (0..20_000).step_by(100) {
            assert!(model.billed_seconds.contains(&model.billed(requested_ms)));
        }
    }
}

#[test]
fn prices_are_20_and_10_cents_a_second() {
    assert_eq!(veo().price_micros(4), 800_000);
    assert_eq!(hailuo().price_micros(6), 600_000);
}

#[test]
fn ten_seconds_of_hailuo_come_at_768p() {
    assert_eq!(hailuo().resolution_to_send(None, 10), "768p");
    assert_eq!(hailuo().resolution_to_send(None, 6), "1080p");
    assert!(hailuo().check_resolution("resolution", "1080p", &[6, 10]).is_err());
    assert!(hailuo().check_resolution("resolution", "768p", &[6, 10]).is_ok());
}

#[test]
fn an_unknown_resolution_is_refused_with_what_there_is() {
    let violation = veo().check_resolution("resolution", "4k", &[]).expect_err("it is refused");
    assert_eq!(violation.message, "is not supported by Veo 3.1; use one of 1080p, 720p");
}

#[test]
fn square_videos_are_refused() {
    for model in registry() {
        assert!(model.check_aspect("aspect_ratio", "1:1").is_err());
        assert!(model.check_aspect("aspect_ratio", "9:16").is_ok());
    }
}

#[test]
fn hailuo_follows_its_first_frame() {
    assert_eq!(hailuo().aspect_to_send(Some("9:16")), None);
    assert_eq!(veo().aspect_to_send(Some("9:16")).as_deref(), Some("9:16"));
    assert_eq!(veo().aspect_to_send(None).as_deref(), Some("16:9"));
}

#[test]
fn a_length_that_no_clip_has_is_refused() {
    for requested_ms in [i64::MIN, -1, 0, 8_001, i64::MAX] {
        assert!(veo().check_length("clip_duration", requested_ms).is_err(), "{requested_ms}");
    }
    assert!(veo().check_length("clip_duration", 8_000).is_ok());
    assert!(hailuo().check_length("clip_duration", 10_000).is_ok());
}

#[test]
fn an_endless_model_name_is_not_repeated_whole() {
    let violation = require("video_model", &"x".repeat(10_000)).expect_err("it is refused");
    assert!(violation.message.len() < 400);
}
