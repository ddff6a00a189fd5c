//! Jobs without a look at their scenes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// A job of the campaign, number 43, completed unless `columns` say another status.
fn job(columns: &[(&str, &str)]) -> String {
    let parameters = text(&format!(r#"{{"campaign_id":"{CAMPAIGN}"}}"#));
    let mut all = vec![
        ("id", "43"),
        ("type", "'image_pairs'"),
        ("status", "'completed'"),
        ("parameters", parameters.as_str()),
        ("result", VIDEO),
        ("video_name", "'Spring 2'"),
    ];
    all.retain(|(name, _)| columns.iter().all(|(given, _)| given != name));
    all.extend(columns);
    row("jobs", &all)
}

fn one(columns: &[(&str, &str)]) -> Made {
    owned(&job(columns))
}

fn parameters(job: &LegacyJob) -> Value {
    serde_json::from_str(&job.parameters_json).unwrap()
}

#[test]
fn a_job_keeps_its_number_its_names_and_its_times() {
    let made = one(&[("estimated_cost", "1.4"), ("type", "'property_photos'")]);
    let job = made.job();
    assert_eq!((job.legacy_id, job.kind.as_str(), job.status.as_str()), (43, "property_photos", "completed"));
    assert_eq!((job.campaign_id.as_str(), job.campaign_name.as_str()), (CAMPAIGN, "Spring"));
    assert_eq!((job.client_id.as_deref(), job.video_name.as_str()), (Some(CLIENT), "Spring 2"));
    assert_eq!((job.estimate_micros, job.actual_micros), (1_400_000, 0));
    assert_eq!((job.created_at.as_str(), job.updated_at.as_str()), (T_HERE, "2025-03-04T05:09:00Z"));
    assert!(job.error.is_empty() && job.warnings.is_empty(), "{job:?}");
    assert_eq!(made.slots(), [(Slot::Video, b"\0\0\0\x18ftyp".to_vec())]);
}

#[test]
fn parameters_are_kept_and_what_has_no_place_is_added_as_legacy() {
    let told = json!({"campaign_id": CAMPAIGN, "video_model": "veo3", "aspect_ratio": "9:16", "resolution": "1080p",
        "clip_duration": 5.0, "client_id": null});
    let job = one(&[
        ("parameters", &text(&told.to_string())),
        ("storyboard", r#"'{"scenes":[{"title":"Hook","music_style":"calm"}],"total_duration":5.0}'"#),
        ("progress", r#"'{"percentage":100,"stage":"completed"}'"#),
    ])
    .job();
    assert_eq!((job.model.as_str(), job.aspect_ratio.as_deref()), ("veo3", Some("9:16")));
    assert_eq!(job.resolution.as_deref(), Some("1080p"));
    let mut expected = told;
    expected["legacy"] = json!({
        "storyboard": {"scenes": [{"music_style": "calm"}], "total_duration": 5.0},
        "progress": {"percentage": 100, "stage": "completed"},
    });
    assert_eq!(parameters(&job), expected);
}

#[rstest]
#[case::column("video_name", "'Untitled Video'", "Untitled Video")]
#[case::parameters("parameters", r#"'{"campaign_id":"CAMPAIGN","video_name":"Mine 4"}'"#, "Mine 4")]
#[case::campaign_and_number(
    "parameters",
    r#"'{"campaign_id":"CAMPAIGN","campaign_name":"Spring"}'"#,
    "Spring 43"
)]
#[case::number_alone("parameters", r#"'{"campaign_id":"CAMPAIGN"}'"#, "Video 43")]
fn a_video_without_a_name_is_called_as_the_older_service_called_it(
    #[case] column: &str,
    #[case] value: &str,
    #[case] name: &str,
) {
    let value = value.replace("CAMPAIGN", CAMPAIGN);
    let columns = [("video_name", "NULL"), (column, value.as_str())];
    let columns = if column == "video_name" { &columns[1..] } else { &columns[..] };
    assert_eq!(one(columns).job().video_name, name);
}

#[rstest]
#[case(r#"{"video_generation_model":"hailuo-02"}"#, "hailuo-02")]
#[case(r#"{"model":"veo3"}"#, "veo3")]
#[case("{}", "hilua-2.5")]
fn the_model_is_told_by_parameters_or_by_a_scene(#[case] told: &str, #[case] model: &str) {
    let told = told.replace('{', &format!(r#"{{"client_id":"{CLIENT}","#)).replace(",}", "}");
    let storyboard = r#"'{"scenes":[{"title":"a"},{"model":"hilua-2.5"}]}'"#;
    assert_eq!(one(&[("parameters", &text(&told)), ("storyboard", storyboard)]).job().model, model);
}

#[rstest]
#[case::parameters(r#"{"estimated_cost":1.25}"#, "{}", 1_250_000)]
#[case::progress("{}", r#"{"costs":{"estimated":"0.5","currency":"USD"}}"#, 500_000)]
#[case::nowhere("{}", "{}", 0)]
fn an_estimate_that_is_not_in_its_column_may_be_elsewhere(
    #[case] told: &str,
    #[case] progress: &str,
    #[case] micros: i64,
) {
    let told = told.replace('{', &format!(r#"{{"client_id":"{CLIENT}","#)).replace(",}", "}");
    let made = one(&[("parameters", &text(&told)), ("progress", &text(progress))]);
    assert_eq!(made.job().estimate_micros, micros);
}

#[test]
fn a_completed_job_without_a_video_failed_and_says_that_its_bytes_are_missing() {
    let made = one(&[("result", "NULL"), ("progress", "'{\"thumbnail\":\"/9j/4A==\"}'")]);
    let job = made.job();
    assert_eq!(job.status, "failed");
    assert!(job.error.contains("bytes of its video are not in the source"), "{}", job.error);
    assert!(made.found(Stage::Jobs).missing.is_some());
    assert!(made.slots().is_empty(), "there is no still without a video");
    assert_eq!(parameters(&job)["legacy"]["status"], "completed");
}

#[test]
fn a_sentence_in_the_place_of_a_video_is_no_video() {
    let made = one(&[("result", "'Partial stitching failed: no space'")]);
    let job = made.job();
    assert_eq!(job.status, "failed");
    assert!(job.error.ends_with("Partial stitching failed: no space"), "{}", job.error);
    assert!(made.slots().is_empty());
}

#[test]
fn a_failed_job_has_the_reason_that_its_progress_says() {
    let progress = text(r#"{"percentage":0,"stage":"failed","error":"\"E6716\"","costs":{"estimated":1.0}}"#);
    let job = one(&[("status", "'failed'"), ("result", "NULL"), ("progress", &progress)]).job();
    assert_eq!((job.status.as_str(), job.error.as_str()), ("failed", "\"E6716\""));
}

#[rstest]
fn a_job_that_was_not_over_is_not_taken_further(#[values("pending", "approved", "processing")] status: &str) {
    let made = one(&[("status", &text(status)), ("result", "NULL")]);
    let job = made.job();
    assert_eq!(job.status, "failed");
    let reason = format!("was unfinished in the older service (status {status}) and is not taken further");
    assert_eq!(job.error, reason);
    assert_eq!(parameters(&job)["legacy"]["status"], status);
    assert_eq!(made.found(Stage::Jobs).missing, None);
}

#[test]
fn sound_and_still_are_found_and_the_still_is_not_kept_twice() {
    let still = b"\xff\xd8\xff\xe0 a still".to_vec();
    let progress = json!({"thumbnail": STANDARD.encode(&still), "audio_status": "completed_and_merged", "audio_size": 3});
    let made = one(&[("audio_blob", "x'494433'"), ("progress", &text(&progress.to_string()))]);
    let job = made.job();
    assert!(job.audio_merged);
    let slots = made.slots();
    assert_eq!(slots[1..], [(Slot::Poster, still), (Slot::Audio, b"ID3".to_vec())]);
    let kept = json!({"audio_status": "completed_and_merged", "audio_size": 3});
    assert_eq!(parameters(&job)["legacy"]["progress"], kept);
}

#[test]
fn a_completed_job_whose_sound_failed_says_so() {
    let progress = text(r#"{"audio_status":"failed","error":"no credit"}"#);
    let job = one(&[("progress", &progress)]).job();
    assert_eq!((job.status.as_str(), job.error.as_str()), ("completed", ""));
    assert!(job.warnings.iter().any(|warning| warning.ends_with("no credit")), "{:?}", job.warnings);
}

#[test]
fn of_two_members_with_one_name_in_progress_the_first_counts() {
    let progress = r#"'{"video_with_audio":true,"audio_status":"completed","video_with_audio":false}'"#;
    assert!(one(&[("progress", progress)]).job().audio_merged);
}

#[test]
fn a_job_whose_campaign_is_gone_stays_with_its_client_and_keeps_what_it_said() {
    let told = json!({"campaign_id": GONE, "client_id": CLIENT, "campaign_name": "Autumn"});
    let job = one(&[("parameters", &text(&told.to_string()))]).job();
    assert_eq!((job.campaign_id.as_str(), job.client_id.as_deref()), (GONE, Some(CLIENT)));
    assert_eq!(job.campaign_name, "Autumn");
    assert!(job.warnings.iter().any(|warning| warning.contains(GONE)), "{:?}", job.warnings);
    assert_eq!(parameters(&job)["legacy"]["campaign_id"], GONE);
}

#[rstest]
#[case::gone(json!({"campaign_id": GONE, "client_id": "acme"}), GONE)]
#[case::none(json!({}), "")]
fn a_job_without_any_owner_comes_without_one(#[case] told: Value, #[case] campaign: &str) {
    let rows = format!("{}{}", owners(), job(&[("parameters", &text(&told.to_string()))]));
    for orphans in [Orphans::Skip, Orphans::Keep] {
        let job = made(NEW, &rows, orphans).job();
        assert_eq!((job.client_id, job.campaign_id.as_str()), (None, campaign));
        assert_eq!(job.warnings.len(), 1, "{:?}", job.warnings);
    }
}

#[test]
fn numbers_that_json_does_not_have_break_no_job_and_a_time_that_is_nowhere_is_said() {
    let told = format!(r#"{{"campaign_id":"{CAMPAIGN}","seed":NaN,"title":"Infinity pool"}}"#);
    let progress = text(r#"{"percentage":-Infinity}"#);
    let rows = job(&[("parameters", &text(&told)), ("progress", &progress)]);
    let job = owned(&format!("{rows}UPDATE jobs SET inserted_at = '', updated_at = '';")).job();
    let parameters = parameters(&job);
    assert_eq!((&parameters["seed"], &parameters["title"]), (&Value::Null, &"Infinity pool".into()));
    assert_eq!(parameters["legacy"]["progress"], json!({"percentage": null}));
    assert_eq!((job.status.as_str(), job.created_at.as_str()), ("completed", "1970-01-01T00:00:00Z"));
    assert_eq!(job.warnings.len(), 3, "{:?}", job.warnings);
    for (warning, start) in
        job.warnings.iter().zip(["parameters held", "progress held", "its row says no time"])
    {
        assert!(warning.starts_with(start), "{warning}");
    }
}

#[test]
fn an_older_file_lacks_storyboard_sound_name_and_estimate() {
    let parameters = text(&json!({"campaign_id": CAMPAIGN, "campaign_name": "Spring"}).to_string());
    let job = row(
        "jobs",
        &[
            ("id", "7"),
            ("type", "'image_pairs'"),
            ("status", "'completed'"),
            ("parameters", &parameters),
            ("result", VIDEO),
        ],
    );
    let made = made(OLD, &format!("{}{job}", owners()), Orphans::Skip);
    assert_eq!((made.job().video_name.as_str(), made.job().estimate_micros), ("Spring 7", 0));
    assert_eq!(made.slots().len(), 1);
}
