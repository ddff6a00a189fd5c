//! The check of a planner's proposal.

use crate::templates::{photo, photos};
use crate::wishes::wishes;
use job_domain::SceneDraft;
use job_domain::state::JobKind;
use job_domain::storyboard::frames::{AssetKind, PlanAsset};
use job_domain::storyboard::{Proposal, ProposalError, ProposedScene, allowed_types, check};
use job_domain::wishes::RawWishes;

fn scene(first: usize, last: usize) -> ProposedScene {
    ProposedScene {
        title: "A room".to_owned(),
        description: "What the room is like".to_owned(),
        duration: 5.0,
        scene_type: Some("kitchen".to_owned()),
        asset_ids: vec![format!("asset-p{first}"), format!("asset-p{last}")],
        ..ProposedScene::default()
    }
}

fn checked(scenes: Vec<ProposedScene>, raw: RawWishes) -> Result<Vec<SceneDraft>, ProposalError> {
    check(JobKind::PropertyPhotos, Proposal { scenes }, &photos(6), &wishes(raw))
}

fn refused(change: impl FnOnce(&mut ProposedScene)) -> ProposalError {
    let mut second = scene(2, 3);
    change(&mut second);
    checked(vec![scene(0, 1), second], RawWishes::default()).expect_err("it is refused")
}

#[test]
fn a_good_proposal_becomes_scenes_with_prompt_price_and_frames() {
    let drafts = checked(vec![scene(0, 1), scene(2, 3)], RawWishes::default()).expect("it is fine");
    assert_eq!(drafts.len(), 2);
    let second = &drafts[1];
    assert_eq!(second.prompt, "What the room is like", "the description serves when there is no prompt");
    assert_eq!((second.requested_ms, second.billed_seconds), (5_000, 4));
    assert_eq!((&*second.first_frame.asset_id, &*second.last_frame.asset_id), ("asset-p2", "asset-p3"));
}

#[test]
fn an_empty_proposal_is_refused() {
    let error = checked(Vec::new(), RawWishes::default()).expect_err("it is refused");
    assert_eq!(error.to_string(), "No scenes generated");
    assert!(error.is_retryable());
}

#[test]
fn an_asset_of_another_campaign_is_refused() {
    let error = refused(|scene| scene.asset_ids[1] = "asset-elsewhere".to_owned());
    assert_eq!(error, ProposalError::ForeignAsset { scene: 2, asset: "asset-elsewhere".to_owned() });
}

#[test]
fn a_foreign_asset_between_first_and_last_is_refused() {
    let error = refused(|scene| scene.asset_ids.insert(1, "asset-elsewhere".to_owned()));
    assert!(matches!(error, ProposalError::ForeignAsset { scene: 2, .. }));
}

#[test]
fn an_asset_that_cannot_be_a_frame_is_refused() {
    let mut assets = photos(2);
    assets[1] = PlanAsset { width: 1, height: 1, ..photo("p1", &[]) };
    assets.push(PlanAsset { kind: AssetKind::Video, ..photo("p2", &[]) });
    for last in [1, 2] {
        let proposal = Proposal { scenes: vec![scene(0, last)] };
        let error = check(JobKind::PropertyPhotos, proposal, &assets, &wishes(RawWishes::default()));
        assert!(matches!(error, Err(ProposalError::ForeignAsset { .. })), "{last}");
    }
}

#[test]
fn a_scene_without_an_asset_is_refused() {
    assert_eq!(refused(|scene| scene.asset_ids.clear()), ProposalError::NoAsset { scene: 2 });
}

#[test]
fn a_scene_with_one_asset_has_it_as_both_frames() {
    let mut one = scene(0, 1);
    one.asset_ids.pop();
    let drafts = checked(vec![one], RawWishes::default()).expect("it is fine");
    assert_eq!(drafts[0].first_frame, drafts[0].last_frame);
}

#[test]
fn an_invented_scene_type_is_refused_with_its_name() {
    let error = refused(|scene| scene.scene_type = Some("dungeon".to_owned()));
    assert_eq!(error.to_string(), "Scene types do not match allowed property types");
    assert_eq!(error, ProposalError::SceneTypes { invalid: vec![Some("dungeon".to_owned())] });
}

#[test]
fn a_property_scene_without_a_type_is_refused() {
    let error = refused(|scene| scene.scene_type = None);
    assert_eq!(error, ProposalError::SceneTypes { invalid: vec![None] });
}

#[test]
fn another_spelling_of_an_allowed_type_is_forgiven() {
    let mut spelled = scene(0, 1);
    spelled.scene_type = Some("Living Room ".to_owned());
    let drafts = checked(vec![spelled], RawWishes::default()).expect("it is fine");
    assert_eq!(drafts[0].scene_type.as_deref(), Some("living_room"));
}

#[test]
fn an_image_pair_may_go_without_a_type_but_not_invent_one() {
    let propose = |scene_type: Option<&str>| {
        let scene = ProposedScene { scene_type: scene_type.map(str::to_owned), ..scene(0, 1) };
        let proposal = Proposal { scenes: vec![scene] };
        check(JobKind::ImagePairs, proposal, &photos(2), &wishes(RawWishes::default()))
    };
    assert!(propose(None).is_ok());
    assert!(propose(Some("tub")).is_ok());
    assert!(matches!(propose(Some("dungeon")), Err(ProposalError::SceneTypes { .. })));
}

#[test]
fn the_allowed_types_of_a_property_are_the_callers() {
    let wishes =
        wishes(RawWishes { property_types: Some(vec!["garage".to_owned()]), ..RawWishes::default() });
    assert_eq!(allowed_types(JobKind::PropertyPhotos, &wishes), ["garage"]);
    assert!(allowed_types(JobKind::ImagePairs, &wishes).iter().any(|kind| kind == "kitchen"));
}

#[test]
fn the_number_of_scenes_asked_for_must_come() {
    let raw = || RawWishes { num_pairs: Some(3), ..RawWishes::default() };
    for count in [2, 4] {
        let error = checked(vec![scene(0, 1); count], raw()).expect_err("it is refused");
        assert_eq!(error, ProposalError::WrongCount { expected: 3, got: count });
    }
    assert_eq!(checked(vec![scene(0, 1); 3], raw()).expect("it is fine").len(), 3);
}

#[test]
fn a_video_of_more_than_a_minute_is_refused() {
    let long = ProposedScene { duration: 8.0, ..scene(0, 1) };
    let error = checked(vec![long; 8], RawWishes::default()).expect_err("it is refused");
    assert_eq!(error, ProposalError::TooLong { seconds: 64 });
}

#[test]
fn a_wish_that_cannot_be_met_is_not_the_planners_fault() {
    let raw = RawWishes { num_pairs: Some(20), clip_duration_ms: Some(8_000), ..RawWishes::default() };
    let proposal = Proposal { scenes: vec![scene(0, 1); 8] };
    let error =
        check(JobKind::PropertyPhotos, proposal, &photos(20), &wishes(raw)).expect_err("it is refused");
    assert!(!error.is_retryable(), "{error}");
}

#[test]
fn a_scene_without_title_or_prompt_is_refused() {
    assert_eq!(refused(|scene| scene.title = " ".into()), ProposalError::Blank { scene: 2, field: "title" });
    let blank = refused(|scene| scene.description.clear());
    assert_eq!(blank, ProposalError::Blank { scene: 2, field: "prompt" });
}

#[test]
fn the_callers_clip_duration_wins_over_the_planners() {
    let raw = RawWishes { clip_duration_ms: Some(7_000), ..RawWishes::default() };
    assert_eq!(checked(vec![scene(0, 1)], raw).expect("it is fine")[0].billed_seconds, 6);
}

#[test]
fn a_nonsense_duration_becomes_one_that_the_model_makes() {
    for (duration, requested_ms) in
        [(f64::NAN, 5_000), (-3.0, 5_000), (0.0, 5_000), (1e300, 8_000), (2.5, 2_500)]
    {
        let odd = ProposedScene { duration, ..scene(0, 1) };
        let drafts = checked(vec![odd], RawWishes::default()).expect("it is fine");
        assert_eq!(drafts[0].requested_ms, requested_ms, "{duration}");
    }
}

#[test]
fn a_proposal_reads_from_json_with_members_left_out() {
    let text =
        r#"{"scenes":[{"title":"A","description":"B","duration":4,"asset_ids":["asset-p0"],"mood":"odd"}]}"#;
    let proposal: Proposal = serde_json::from_str(text).expect("it reads");
    assert!(check(JobKind::ImagePairs, proposal, &photos(2), &wishes(RawWishes::default())).is_ok());
}

#[test]
fn a_text_without_end_is_refused() {
    let wordy = refused(|scene| scene.description = "word ".repeat(1_000));
    assert_eq!(wordy, ProposalError::Wordy { scene: 2, field: "description" });
}
