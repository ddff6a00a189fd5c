//! What a caller may ask for.

use job_domain::wishes::{DEFAULT_PROPERTY_TYPES, RawWishes, Wishes};

pub(crate) fn wishes(raw: RawWishes) -> Wishes {
    raw.check("veo3").expect("the wishes are fine")
}

fn wrong(raw: RawWishes) -> Vec<String> {
    raw.check("veo3").expect_err("the wishes are refused").into_iter().map(|wrong| wrong.field).collect()
}

#[test]
fn nothing_asked_for_gives_the_defaults() {
    let wishes = wishes(RawWishes::default());
    assert_eq!(wishes.model.key, "veo3");
    assert_eq!(wishes.property_types, DEFAULT_PROPERTY_TYPES);
    assert_eq!((wishes.clip_duration_ms, wishes.num_pairs), (None, None));
}

#[test]
fn the_configured_model_is_used_when_none_is_named() {
    for video_model in [None, Some(" ".to_owned())] {
        let raw = RawWishes { video_model, ..RawWishes::default() };
        assert_eq!(raw.check("hailuo-02").expect("it is fine").model.key, "hilua-2.5");
    }
}

#[test]
fn white_space_in_an_aspect_ratio_does_not_matter() {
    let raw = RawWishes { aspect_ratio: Some("16 : 9".to_owned()), ..RawWishes::default() };
    assert_eq!(wishes(raw).aspect_ratio.as_deref(), Some("16:9"));
}

#[test]
fn every_wish_that_cannot_be_met_is_named() {
    let raw = RawWishes {
        clip_duration_ms: Some(30_000),
        num_pairs: Some(0),
        aspect_ratio: Some("1:1".to_owned()),
        resolution: Some("8k".to_owned()),
        property_types: Some(Vec::new()),
        ..RawWishes::default()
    };
    assert_eq!(wrong(raw), ["clip_duration", "aspect_ratio", "resolution", "num_pairs", "property_types"]);
}

#[test]
fn an_unsupported_model_is_refused() {
    assert_eq!(
        wrong(RawWishes { video_model: Some("sora".to_owned()), ..RawWishes::default() }),
        ["video_model"]
    );
}

#[test]
fn a_negative_number_of_scenes_is_refused() {
    assert_eq!(wrong(RawWishes { num_pairs: Some(-3), ..RawWishes::default() }), ["num_pairs"]);
}

#[test]
fn property_types_are_trimmed_and_kept_once() {
    let types = [" kitchen", "kitchen ", "", "bath"].map(str::to_owned).to_vec();
    let raw = RawWishes { property_types: Some(types), ..RawWishes::default() };
    assert_eq!(wishes(raw).property_types, ["kitchen", "bath"]);
}

#[test]
fn ten_second_hailuo_clips_at_1080p_are_refused() {
    let raw = RawWishes {
        video_model: Some("hailuo-02".to_owned()),
        clip_duration_ms: Some(10_000),
        resolution: Some("1080p".to_owned()),
        ..RawWishes::default()
    };
    assert_eq!(wrong(raw), ["resolution"]);
}

#[test]
fn the_number_of_scenes_goes_as_far_as_the_images() {
    let wishes = wishes(RawWishes { num_pairs: Some(10), ..RawWishes::default() });
    assert_eq!(wishes.scene_count(2), Ok(Some(2)));
    assert_eq!(wishes.scene_count(12), Ok(Some(10)));
}

#[test]
fn more_scenes_than_fit_into_a_minute_are_refused() {
    let raw = RawWishes { num_pairs: Some(10), clip_duration_ms: Some(8_000), ..RawWishes::default() };
    let wishes = wishes(raw);
    assert_eq!(wishes.scene_count(20).expect_err("it is refused").field, "num_pairs");
    assert_eq!(wishes.scene_count(7), Ok(Some(7)));
}

#[test]
fn a_length_of_the_whole_says_what_number_and_length_of_scenes_do_not() {
    let shared = |total_ms, num_pairs, clip_duration_ms| {
        let raw = RawWishes { total_ms: Some(total_ms), num_pairs, clip_duration_ms, ..RawWishes::default() };
        let wishes = wishes(raw);
        (wishes.num_pairs.expect("a number"), wishes.clip_duration_ms.expect("a length"))
    };
    assert_eq!(shared(15_000, None, None), (3, 5_000));
    assert_eq!(shared(30_000, None, None), (4, 7_500));
    assert_eq!(
        shared(60_000, None, None),
        (7, 7_500),
        "no scene is longer than the model makes, nor the film"
    );
    assert_eq!(shared(1_000, None, None), (3, 333));
    assert_eq!(shared(30_000, Some(6), None), (6, 5_000));
    assert_eq!(shared(30_000, Some(2), None), (2, 8_000));
    assert_eq!(shared(30_000, None, Some(4_000)), (8, 4_000));
    assert_eq!(shared(1_000, None, Some(8_000)), (1, 8_000));
    assert_eq!(shared(500_000, Some(2), Some(4_000)), (2, 4_000), "what was asked for holds");
    for total_ms in [0, -1, 60_001] {
        let raw = RawWishes { total_ms: Some(total_ms), ..RawWishes::default() };
        assert_eq!(wrong(raw), ["duration_seconds"], "{total_ms}");
    }
}

#[test]
fn words_about_look_and_music_are_short_and_on_one_line() {
    let raw = RawWishes {
        style: Some(" sleek\n modern ".to_owned()),
        music_genre: Some("  ".to_owned()),
        ..RawWishes::default()
    };
    let wishes = wishes(raw);
    assert_eq!((wishes.style.as_deref(), wishes.music_genre.as_deref()), (Some("sleek modern"), None));
    let long = || Some("x".repeat(201));
    let raw = RawWishes { style: long(), music_genre: long(), ..RawWishes::default() };
    assert_eq!(wrong(raw), ["style", "music_genre"]);
}
