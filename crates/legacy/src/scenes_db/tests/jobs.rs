//! Jobs: whose they are, how they ended, what they cost.

use rstest::rstest;

use super::*;

/// One job of the campaign with some columns.
fn with(columns: &str, values: &str) -> Found {
    let old = Old::new(&format!(
        "INSERT INTO generated_videos (id, parameters, created_at, {columns})
            VALUES (41, '{{\"campaign_id\": \"{CAMPAIGN}\"}}', '2025-11-07 08:00:00', {values})"
    ));
    only(&old.skip(), Stage::Jobs)
}

#[test]
fn a_completed_job_keeps_its_number_video_and_still() {
    let old = Old::new(&format!(
        "INSERT INTO generated_videos (id, prompt, parameters, status, created_at, video_data, thumbnail_data, progress)
            VALUES (41, 'Make it', '{{\"campaign_id\": \"{CAMPAIGN}\", \"num_pairs\": 7}}', 'completed',
                '2025-11-07 08:00:00', x'0102', x'FFD8', '{{\"message\": \"done\"}}')"
    ));
    let source = old.skip();
    let found = only(&source, Stage::Jobs);
    let job = job(&found);
    assert_eq!((job.legacy_id, job.kind.as_str(), job.status.as_str()), (41, "image_pairs", "completed"));
    assert_eq!((job.campaign_id.as_str(), job.campaign_name.as_str()), (CAMPAIGN, "Autumn"));
    assert_eq!(job.client_id.as_deref(), Some(CLIENT), "the campaign's");
    assert_eq!((job.video_name.as_str(), job.model.as_str()), ("Autumn 41", "image-pair-workflow"));
    assert_eq!((job.error.as_str(), job.aspect_ratio.as_deref()), ("", Some("16:9")));
    assert_eq!(job.updated_at, "2025-11-07T08:00:00Z", "a NULL falls back to the time of creation");
    assert_eq!(bytes(&source, &found, Slot::Video), [1, 2]);
    assert_eq!(bytes(&source, &found, Slot::Poster), [0xFF, 0xD8]);
    assert_eq!((found.missing.as_ref(), job.warnings.len()), (None, 0));
    let legacy = legacy(Some(&job.parameters_json));
    assert_eq!(legacy["parameters"]["num_pairs"], 7);
    assert_eq!((&legacy["prompt"], &legacy["progress"]["message"]), (&"Make it".into(), &"done".into()));
}

#[rstest]
#[case("{\"campaign_id\": \"CAMPAIGN\", \"client_id\": \"OTHER\"}", CLIENT, CAMPAIGN)]
#[case("{\"context\": {\"clientId\": \"OTHER\", \"campaignId\": \"CAMPAIGN\"}}", CLIENT, CAMPAIGN)]
#[case("{\"context\": {\"clientId\": \"OTHER\"}}", OTHER_CLIENT, "")]
#[case("{\"client_id\": \"OTHER\", \"campaign_id\": \"GONE\"}", OTHER_CLIENT, GONE)]
#[case("{\"client_id\": \"OTHER\", \"campaign_id\": \"ORPHAN\"}", OTHER_CLIENT, ORPHAN_CAMPAIGN)]
#[case("{\"client_id\": \"OTHER\", \"campaign_id\": \"autumn\"}", OTHER_CLIENT, "")]
fn owners_are_recovered_from_the_parameters(
    #[case] parameters: &str,
    #[case] client: &str,
    #[case] campaign: &str,
) {
    let parameters = parameters.replace("CAMPAIGN", CAMPAIGN).replace("ORPHAN", ORPHAN_CAMPAIGN);
    let parameters = parameters.replace("OTHER", OTHER_CLIENT).replace("GONE", GONE);
    let old = Old::new(&format!(
        "INSERT INTO generated_videos (parameters, client_id, video_data) VALUES ('{parameters}', 'alice', x'01')"
    ));
    let found = only(&old.skip(), Stage::Jobs);
    assert_eq!(
        (job(&found).client_id.as_deref(), job(&found).campaign_id.as_str()),
        (Some(client), campaign)
    );
}

#[rstest]
#[case("pending")]
#[case("parsing")]
#[case("generating_storyboard")]
#[case("storyboard_ready")]
#[case("rendering")]
#[case("processing")]
#[case("scene_generation")]
#[case("image_pair_selection")]
#[case("sub_job_creation")]
#[case("sub_job_processing")]
#[case("video_combining")]
#[case("audio_generation")]
#[case("video_processing")]
#[case("pipeline_starting")]
#[case("something_new")]
fn what_was_unfinished_has_failed_with_a_reason(#[case] status: &str) {
    let found = with("status", &format!("'{status}'"));
    assert_eq!(job(&found).status, "failed");
    let wanted = format!("was unfinished in the older service (status {status}) and is not taken further");
    assert_eq!(job(&found).error, wanted);
    assert_eq!(found.missing, None, "it was never said to have a video");
}

#[rstest]
#[case("status, error_message", "'failed', 'No pairs'", "failed", "No pairs")]
#[case("status, metadata", "'failed', '{\"error\": \"E6716\"}'", "failed", "E6716")]
#[case("status, download_error", "'failed', 'HTTP 404'", "failed", "HTTP 404")]
#[case("status", "'failed'", "failed", "failed in the older service, which did not say why")]
#[case("status", "'timeout'", "failed", "timed out in the older service")]
#[case("status", "'canceled'", "canceled", "")]
#[case("status, error_message", "'cancelled', 'by hand'", "canceled", "by hand")]
fn what_was_over_keeps_its_end_and_its_reason(
    #[case] columns: &str,
    #[case] values: &str,
    #[case] status: &str,
    #[case] error: &str,
) {
    let found = with(columns, values);
    assert_eq!((job(&found).status.as_str(), job(&found).error.as_str()), (status, error));
}

#[test]
fn a_completed_job_without_its_video_has_failed_and_says_where_the_video_was() {
    let found = with("status, video_url", "'completed', 'https://provider.example/v.mp4?token=secret'");
    let job = job(&found);
    assert_eq!(job.status, "failed");
    assert_eq!(job.error, "was completed in the older service, but the bytes of its video are missing");
    assert_eq!(found.missing.as_ref(), Some(&job.error));
    assert_eq!(job.warnings, ["its video was at the provider: https://provider.example/v.mp4"]);
}

#[test]
fn a_video_that_is_there_is_kept_whatever_its_status_was() {
    let found = with("status, video_data", "'audio_generation', x'01'");
    assert_eq!(job(&found).status, "failed");
    assert!(place(&found, Slot::Video).is_some());
    assert_eq!(legacy(Some(&job(&found).parameters_json))["status"], "audio_generation");
    assert_eq!(job(&found).warnings, [""; 0], "who imports it says that its video is not shown");
}

#[test]
fn a_still_without_a_video_is_left_out_and_said() {
    let found = with("status, thumbnail_data", "'failed', x'FFD8'");
    assert_eq!(found.bytes, []);
    assert_eq!(job(&found).warnings, ["the still of its video is left out, as there is no video"]);
}

#[test]
fn what_made_a_text_never_had_a_video_that_could_be_missing() {
    let found = with(
        "status, collection, metadata",
        "'completed', 'video-to-text', '{\"text_output\": \"A villa by the sea\"}'",
    );
    let job = job(&found);
    assert_eq!(job.status, "failed");
    assert_eq!(job.error, "made a text, not a video; it is kept in its parameters");
    assert_eq!((found.missing.as_ref(), job.warnings.len()), (None, 0));
    let legacy = legacy(Some(&job.parameters_json));
    assert_eq!(legacy["metadata"]["text_output"], "A villa by the sea");
}

#[test]
fn a_job_says_that_pictures_in_what_is_kept_of_it_were_cut() {
    let picture = format!("data:image/png;base64,{}", "A".repeat(5_000));
    let found = with("video_data, progress", &format!("x'01', '{{\"thumbnail\": \"{picture}\"}}'"));
    let wanted = "its row holds pictures that were written out as texts: of 1 only the beginning is kept";
    assert_eq!(job(&found).warnings, [wanted]);
    let whole = with("video_data, metadata", &format!("x'01', '{{\"input\": \"{picture}\"}}'"));
    assert_eq!(job(&whole).warnings, [""; 0]);
    assert!(legacy(Some(&job(&whole).parameters_json))["metadata"]["input"] == picture);
}

#[test]
fn numbers_that_json_does_not_have_break_no_job() {
    let found = with(
        "video_data, metadata, storyboard_data",
        "x'01', '{\"total_cost\": NaN, \"note\": \"NaN\"}', '[{\"duration\": Infinity}]'",
    );
    let job = job(&found);
    assert_eq!((job.status.as_str(), job.scenes.len(), job.scenes[0].duration_ms), ("completed", 1, 0));
    let legacy = legacy(Some(&job.parameters_json));
    assert_eq!(legacy["metadata"], serde_json::json!({"total_cost": null, "note": "NaN"}));
    let columns = ["metadata", "storyboard_data"];
    assert_eq!(job.warnings.len(), columns.len(), "{:?}", job.warnings);
    for (warning, column) in job.warnings.iter().zip(columns) {
        assert!(warning.starts_with(&format!("{column} held numbers")), "{warning}");
    }
}

#[test]
fn a_job_without_a_time_is_of_1970_and_says_so() {
    let old = Old::new(&format!(
        "INSERT INTO generated_videos (id, parameters, video_data)
            VALUES (41, '{{\"campaign_id\": \"{CAMPAIGN}\"}}', x'01')"
    ));
    let found = only(&old.skip(), Stage::Jobs);
    assert_eq!(job(&found).created_at, "1970-01-01T00:00:00Z");
    let wanted = "its row says no time at all: the beginning of 1970 stands for it";
    assert_eq!(job(&found).warnings, [wanted]);
}

#[rstest]
#[case("estimated_cost, actual_cost, metadata", "7.0, 1.25, '{\"total_cost\": 9}'", 7_000_000, 1_250_000)]
#[case("actual_cost, metadata", "0.0, '{\"total_cost\": 4.2}'", 0, 4_200_000)]
#[case("metadata", "'{}'", 0, 0)]
#[case("metadata", "'{\"total_cost\": 0}'", 0, 0)]
fn costs_are_the_columns_or_else_the_metadatas(
    #[case] columns: &str,
    #[case] values: &str,
    #[case] estimate: i64,
    #[case] actual: i64,
) {
    let found = with(columns, values);
    assert_eq!((job(&found).estimate_micros, job(&found).actual_micros), (estimate, actual));
}

#[test]
fn a_property_job_is_known_by_its_parameters_and_a_name_is_used() {
    let old = Old::new(&format!(
        "INSERT INTO generated_videos (id, model_id, parameters, status, format) VALUES (5, 'v3-job',
            '{{\"campaign_id\": \"{CAMPAIGN}\", \"property_info\": {{}}, \"title\": \"Villa\",
               \"creative\": {{\"videoSpecs\": {{\"format\": \"9:16\", \"resolution\": \"1080p\"}}}}}}', 'failed', '16:9')"
    ));
    let found = only(&old.skip(), Stage::Jobs);
    let job = job(&found);
    assert_eq!((job.kind.as_str(), job.video_name.as_str()), ("property_photos", "Villa"));
    assert_eq!((job.aspect_ratio.as_deref(), job.resolution.as_deref()), (Some("9:16"), Some("1080p")));
}
