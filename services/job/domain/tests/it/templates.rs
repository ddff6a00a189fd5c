//! Storyboards drawn from templates.

use crate::harness::blob;
use crate::wishes::wishes;
use job_domain::SceneDraft;
use job_domain::estimate::{micros, usd};
use job_domain::state::JobKind;
use job_domain::storyboard::frames::{AssetKind, PlanAsset, usable_frames};
use job_domain::storyboard::{draw, templates::sequence};
use job_domain::wishes::RawWishes;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

pub(crate) fn photo(name: &str, tags: &[&str]) -> PlanAsset {
    PlanAsset {
        id: format!("asset-{name}"),
        kind: AssetKind::Image,
        name: name.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        width: 1600,
        height: 1067,
        blob: blob(name, "image/jpeg"),
    }
}

pub(crate) fn photos(count: usize) -> Vec<PlanAsset> {
    (0..count).map(|index| photo(&format!("p{index}"), &[])).collect()
}

fn pairs(count: usize, raw: RawWishes) -> Vec<SceneDraft> {
    draw(JobKind::ImagePairs, &photos(count), &wishes(raw)).expect("it fits")
}

fn views(photos: &[PlanAsset], raw: RawWishes) -> Vec<SceneDraft> {
    draw(JobKind::PropertyPhotos, photos, &wishes(raw)).expect("it fits")
}

fn types(scenes: &[SceneDraft]) -> Vec<&str> {
    scenes.iter().filter_map(|scene| scene.scene_type.as_deref()).collect()
}

fn frames(scene: &SceneDraft) -> (&str, &str) {
    (&scene.first_frame.asset_id, &scene.last_frame.asset_id)
}

#[test]
fn two_images_make_hook_and_outro() {
    let scenes = pairs(2, RawWishes::default());
    assert_eq!(types(&scenes), ["hook", "outro"]);
    let times: Vec<_> = scenes.iter().map(|scene| (scene.time_start_ms, scene.time_end_ms)).collect();
    assert_eq!(times, [(Some(0), Some(3_000)), (Some(3_000), Some(10_000))]);
    assert_eq!(scenes.iter().map(|scene| scene.requested_ms).sum::<i64>(), 5_000);
}

#[test]
fn seven_images_make_all_seven_templates() {
    let scenes = pairs(7, RawWishes::default());
    assert_eq!(types(&scenes), ["hook", "bedroom", "living_room", "vanity", "tub", "dining", "outro"]);
    let ends: Vec<_> = scenes.iter().filter_map(|scene| scene.time_end_ms).collect();
    assert_eq!(ends, [1_500, 2_500, 3_500, 4_500, 5_500, 6_500, 10_000]);
    assert_eq!(scenes.iter().map(|scene| scene.requested_ms).sum::<i64>(), 10_000);
}

#[test]
fn without_a_number_there_are_at_most_seven_pairs_and_five_views() {
    assert_eq!(pairs(30, RawWishes::default()).len(), 7);
    assert_eq!(views(&photos(30), RawWishes::default()).len(), 5);
}

#[test]
fn the_images_are_dealt_two_by_two_in_order() {
    let scenes = pairs(4, RawWishes::default());
    let dealt: Vec<_> = scenes.iter().map(frames).collect();
    let (one, two) = (("asset-p0", "asset-p1"), ("asset-p2", "asset-p3"));
    assert_eq!(dealt, [one, two, one, two]);
}

#[test]
fn the_number_of_pairs_asked_for_is_drawn() {
    for count in [1, 3, 7, 12] {
        let raw = RawWishes { num_pairs: Some(count), ..RawWishes::default() };
        assert_eq!(pairs(30, raw).len() as i64, count);
    }
}

#[test]
fn more_pairs_than_images_are_not_drawn() {
    assert_eq!(pairs(2, RawWishes { num_pairs: Some(10), ..RawWishes::default() }).len(), 2);
}

#[test]
fn a_long_storyboard_still_opens_with_the_hook_and_ends_with_the_outro() {
    let keys: Vec<_> = sequence(12).iter().map(|template| template.key).collect();
    assert_eq!((keys.len(), keys[0], keys[11]), (12, "hook", "outro"));
    assert!(keys[1..11].iter().all(|key| !["hook", "outro"].contains(key)));
}

#[test]
fn the_clip_duration_asked_for_is_every_scenes_length() {
    let raw = RawWishes { clip_duration_ms: Some(7_000), ..RawWishes::default() };
    let scenes = pairs(3, raw);
    assert!(scenes.iter().all(|scene| (scene.requested_ms, scene.billed_seconds) == (7_000, 6)));
}

#[test]
fn the_price_is_of_billed_seconds_not_of_wished_ones() {
    let scenes = pairs(2, RawWishes::default());
    // 1.5 s and 3.5 s are both made and billed as 4 s.
    assert_eq!(usd(micros(&scenes, 200_000)), 1.6);
}

#[test]
fn views_cycle_the_property_types_and_lengths() {
    let scenes = views(&photos(5), RawWishes::default());
    assert_eq!(types(&scenes), ["interior", "kitchen", "bedroom", "bathroom", "living_room"]);
    let lengths: Vec<_> = scenes.iter().map(|scene| scene.requested_ms / 1_000).collect();
    assert_eq!(lengths, [5, 6, 7, 4, 5]);
    let transitions: Vec<_> = scenes.iter().filter_map(|scene| scene.transition.as_deref()).collect();
    assert_eq!(transitions, ["cut", "dissolve", "fade", "cut", "dissolve"]);
    assert_eq!(scenes[0].title, "Interior View 1");
    assert!(scenes.iter().all(|scene| scene.highlights.len() == 3));
}

#[test]
fn only_the_callers_property_types_are_used() {
    let raw = RawWishes { property_types: Some(vec!["garage".to_owned()]), ..RawWishes::default() };
    let scenes = views(&photos(3), raw);
    assert_eq!(types(&scenes), ["garage"; 3]);
}

#[test]
fn each_view_has_frames_of_its_own() {
    let scenes = views(&photos(10), RawWishes::default());
    let mut used: Vec<_> =
        scenes.iter().flat_map(|scene| [&scene.first_frame.asset_id, &scene.last_frame.asset_id]).collect();
    used.sort();
    used.dedup();
    assert_eq!(used.len(), 10, "no photo is shown twice while others are unused");
}

#[test]
fn a_view_prefers_photos_of_its_type() {
    let photos = [
        photo("a", &["living room"]),
        photo("b", &["Kitchen 1"]),
        photo("c", &["bedroom"]),
        photo("kitchen-2.jpg", &[]),
        photo("d", &["bedroom"]),
        photo("e", &["living_room"]),
    ];
    let types = ["bedroom", "kitchen", "living_room"].map(str::to_owned).to_vec();
    let raw = RawWishes { property_types: Some(types), num_pairs: Some(3), ..RawWishes::default() };
    let scenes = views(&photos, raw);
    // The second type comes first.
    assert_eq!(frames(&scenes[0]), ("asset-b", "asset-kitchen-2.jpg"));
    assert_eq!(frames(&scenes[1]), ("asset-a", "asset-e"));
    assert_eq!(frames(&scenes[2]), ("asset-c", "asset-d"));
}

#[test]
fn one_photo_is_both_frames() {
    let scenes = views(&photos(1), RawWishes::default());
    assert_eq!(scenes.len(), 1);
    assert_eq!(frames(&scenes[0]), ("asset-p0", "asset-p0"));
}

#[test]
fn only_images_that_show_something_are_frames() {
    let mut assets = photos(2);
    assets.push(PlanAsset { width: 1, height: 1, ..photo("dot", &[]) });
    assets.push(PlanAsset { kind: AssetKind::Video, blob: blob("v", "video/mp4"), ..photo("v", &[]) });
    assets.push(PlanAsset { kind: AssetKind::Audio, blob: blob("a", "audio/mpeg"), ..photo("a", &[]) });
    assert_eq!(usable_frames(&assets).len(), 2);
    let scenes = views(&assets, RawWishes::default());
    assert!(scenes.iter().all(|scene| frames(scene).0.starts_with("asset-p")));
}

#[test]
fn without_an_image_nothing_is_drawn() {
    assert!(views(&[], RawWishes::default()).is_empty());
}

#[test]
fn a_photo_belongs_to_the_group_of_its_first_tag_or_name() {
    for (name, tags, group) in [
        ("x.jpg", &["Kitchen 10"][..], "Kitchen"),
        ("bedroom-2.jpg", &[], "bedroom"),
        ("living_room_1", &[], "living_room"),
        ("12345.jpg", &[], "Uncategorized"),
        ("y", &["  ", "Pool"], "Pool"),
    ] {
        assert_eq!(photo(name, tags).group(), group, "{name}");
    }
}

proptest! {
    #[test]
    fn every_storyboard_is_complete_and_fits_into_a_minute(
        images in 1_usize..40, pairs in proptest::option::of(1_i64..40), clip in proptest::option::of(1_i64..8_000),
        hailuo in proptest::bool::ANY, views in proptest::bool::ANY,
    ) {
        let model = if hailuo { "hailuo-02" } else { "veo3" };
        let raw = RawWishes {
            video_model: Some(model.to_owned()), num_pairs: pairs, clip_duration_ms: clip, ..RawWishes::default()
        };
        let wishes = wishes(raw);
        let kind = if views { JobKind::PropertyPhotos } else { JobKind::ImagePairs };
        let assets = photos(images);
        match draw(kind, &assets, &wishes) {
            Err(violation) => prop_assert_eq!(violation.field, "num_pairs"),
            Ok(scenes) => {
                prop_assert!(scenes.iter().map(|scene| scene.billed_seconds).sum::<u32>() <= 60);
                prop_assert!(!scenes.is_empty() && scenes.iter().all(|scene| !scene.prompt.is_empty()));
                if let Some(pairs) = pairs {
                    prop_assert_eq!(scenes.len(), (pairs as usize).min(images));
                }
                for scene in &scenes {
                    prop_assert_eq!(scene.billed_seconds, wishes.model.billed(scene.requested_ms));
                    prop_assert!(images == 1 || scene.first_frame != scene.last_frame);
                }
                let again = draw(kind, &assets, &wishes).expect("it fitted before");
                prop_assert_eq!(scenes, again, "drawing is a pure function");
            }
        }
    }
}

#[test]
fn look_and_music_that_are_asked_for_are_in_every_scene() {
    let mood = || RawWishes {
        style: Some("art deco".to_owned()),
        music_genre: Some("swing".to_owned()),
        ..RawWishes::default()
    };
    for scene in pairs(8, mood()).into_iter().chain(views(&photos(5), mood())) {
        assert!(scene.prompt.ends_with("; art deco style"), "{}", scene.prompt);
        assert!(scene.music.style.starts_with("swing, "), "{}", scene.music.style);
        assert!(!scene.description.contains("art deco"), "people are told what is seen");
    }
}
