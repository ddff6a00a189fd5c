//! Scenes of jobs: rendered, drafted, told in a storyboard.

use super::*;

/// A job of the campaign with some columns, and what else is to be there.
fn with(columns: &str, values: &str, more: &str) -> Old {
    Old::new(&format!(
        "INSERT INTO generated_videos (id, parameters, created_at, {columns})
            VALUES (41, '{{\"campaign_id\": \"{CAMPAIGN}\"}}', '2025-11-07 08:00:00', {values}); {more}"
    ))
}

#[test]
fn a_rendered_pair_is_a_scene_with_its_frames() {
    let old = with(
        "metadata, video_data",
        "'{\"total_cost\": 2.5}', x'01'",
        &format!(
            "INSERT INTO assets (id, campaign_id, width, height) VALUES ('{A}', '{CAMPAIGN}', 1600, 900);
             INSERT INTO video_sub_jobs VALUES
                ('{B}', 41, 2, '{A}', '{GONE}', 'pred-1', 'veo3', '{{\"duration\": 8, \"score\": 0.9,
                    \"prompt\": \"Slow push in\", \"scene_name\": \"Pool\", \"motion_goal\": \"calm\"}}', 'completed', 1.0,
                    'https://p.example/c.mp4?x=1', NULL, 8.0, 0.0, 1.2, NULL, 1, '2025-11-07 08:01:00', NULL),
                ('{A}', 41, 1, '{A}', '{A}', NULL, 'veo3', '{{\"duration\": 6}}', 'processing', 0.0, NULL, NULL, NULL,
                    0.0, 0.0, NULL, 0, '2025-11-07 08:01:00', NULL),
                ('{GONE}', 41, 3, 'x', '', NULL, 'veo3', NULL, 'pending', 0.0, NULL, NULL, NULL, 0.0, 0.0, NULL, 0,
                    '2025-11-07 08:01:00', NULL)"
        ),
    );
    let found = only(&old.skip(), Stage::Jobs);
    let job = job(&found);
    assert_eq!(job.actual_micros, 2_500_000, "all that it cost");
    let [first, second, third] = job.scenes.as_slice() else { panic!("{:?}", job.scenes) };
    assert_eq!((first.number, first.status.as_str(), first.duration_ms), (1, "failed", 6_000));
    assert!(first.error.starts_with("was unfinished in the older service (status processing)"));
    assert_eq!(
        (second.id.as_str(), second.title.as_str(), second.prompt.as_str()),
        (B, "Pool", "Slow push in")
    );
    assert_eq!((second.status.as_str(), second.provider_id.as_deref()), ("completed", Some("pred-1")));
    assert_eq!((second.actual_micros, second.motion_goal.as_deref()), (1_200_000, Some("calm")));
    let frames: Vec<_> = second.frames.iter().map(|frame| (frame.asset_id.as_str(), frame.width)).collect();
    assert_eq!(frames, [(A, 1600), (GONE, 0)]);
    assert_eq!((third.status.as_str(), third.frames.len()), ("pending", 0), "it was not begun");
    let wanted = [
        format!("scene 2: its frame {GONE} is not in the source"),
        "scene 2: its clip is not in the source, it was at the provider: https://p.example/c.mp4".to_owned(),
        "scene 3: its frame \"x\" is no asset's id".to_owned(),
    ];
    assert_eq!(job.warnings, wanted);
    let legacy = legacy(Some(&job.parameters_json));
    assert_eq!(legacy["scenes"][1]["input_parameters"]["score"], 0.9);
    assert_eq!(legacy["scenes"][1]["retry_count"], 1);
}

#[test]
fn a_clip_in_the_source_belongs_to_its_scene() {
    let old = with(
        "video_data",
        "x'01'",
        &format!(
            "INSERT INTO asset_blobs VALUES ('{A}', x'0708', 'video/mp4', 2, NULL);
             INSERT INTO video_sub_jobs (id, job_id, sub_job_number, status) VALUES ('{GONE}', 41, 1, 'completed');
             INSERT INTO video_sub_jobs (id, job_id, sub_job_number, status, video_blob_id)
                VALUES ('{B}', 41, 4, 'completed', '{A}')"
        ),
    );
    let source = old.skip();
    assert_eq!(
        bytes(&source, &only(&source, Stage::Jobs), Slot::Clip(1)),
        [7, 8],
        "by its place in the list"
    );
    assert_eq!(skipped(&source, Stage::Rest), [], "the blob is referred to");
}

#[test]
fn drafted_scenes_keep_the_gap_that_a_deletion_left() {
    let old = with(
        "status",
        "'storyboard_ready'",
        &format!(
            "INSERT INTO job_scenes VALUES
                ('{A}', 41, 1, 3.5, 'A door opens', 'Welcome', 'wide', 'fade', '[\"{GONE}\"]', '{{\"mood\": \"warm\"}}',
                    '2025-11-07 08:01:00', NULL),
                ('{B}', 41, 3, 4.0, 'A pool', NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
        ),
    );
    let found = only(&old.skip(), Stage::Jobs);
    let scenes = &job(&found).scenes;
    assert_eq!(scenes.iter().map(|scene| scene.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((scenes[0].id.as_str(), scenes[0].description.as_str()), (A, "A door opens"));
    assert_eq!((scenes[0].duration_ms, scenes[0].transition.as_deref()), (3_500, Some("fade")));
    assert_eq!((scenes[0].status.as_str(), scenes[0].frames[0].asset_id.as_str()), ("pending", GONE));
    let legacy = legacy(Some(&job(&found).parameters_json));
    let wanted = serde_json::json!({"script": "Welcome", "shot_type": "wide", "number": 1, "metadata": {"mood": "warm"},
        "assets": [GONE]});
    assert_eq!(legacy["scenes"][0], wanted);
}

#[test]
fn a_storyboard_of_the_second_version_becomes_scenes() {
    let storyboard = r#"[{"scene": {"scene_number": 1, "description": "D", "duration": 5, "image_prompt": "P"},
        "image_url": "u", "generation_status": "completed", "error": null},
        {"scene": {"scene_number": 2}, "generation_status": "failed", "error": "NSFW"}]"#;
    let old = with("status, storyboard_data", &format!("'storyboard_ready', '{storyboard}'"), "");
    let found = only(&old.skip(), Stage::Jobs);
    let scenes = &job(&found).scenes;
    assert_eq!(
        (scenes[0].description.as_str(), scenes[0].prompt.as_str(), scenes[0].duration_ms),
        ("D", "P", 5_000)
    );
    assert_eq!((scenes[1].status.as_str(), scenes[1].error.as_str()), ("failed", "NSFW"));
    assert_eq!(scenes[0].id, job(&only(&old.skip(), Stage::Jobs)).scenes[0].id, "the same id in every run");
    assert_ne!(scenes[0].id, scenes[1].id);
    assert_eq!(legacy(Some(&job(&found).parameters_json))["storyboard_data"][0]["image_url"], "u");
}

#[test]
fn scenes_of_a_storyboard_without_numbers_of_their_own_are_numbered_by_their_order() {
    for numbers in ["0, 1", "1, 1", "1.0, 2.0", "null, 1", "\"a\", 2", "5000000000, 2"] {
        let scenes: Vec<_> =
            numbers.split(", ").map(|number| format!("{{\"scene_number\": {number}}}")).collect();
        let old = with("video_data, storyboard_data", &format!("x'01', '[{}]'", scenes.join(", ")), "");
        let found = only(&old.skip(), Stage::Jobs);
        let job = job(&found);
        assert_eq!(job.status, "completed", "its video counts");
        assert_eq!(job.scenes.iter().map(|scene| scene.number).collect::<Vec<_>>(), [1, 2], "{numbers}");
        assert!(job.warnings.len() == 1 && job.warnings[0].ends_with("numbered by their order"), "{numbers}");
    }
    let own = r#"[{"scene_number": 4}, {"scene_number": null}, {"scene_number": 1}]"#;
    let found =
        only(&with("video_data, storyboard_data", &format!("x'01', '{own}'"), "").skip(), Stage::Jobs);
    assert_eq!(job(&found).scenes.iter().map(|scene| scene.number).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(job(&found).warnings, [""; 0]);
}

#[test]
fn what_the_scenes_cost_is_not_hidden_by_a_total_of_nothing() {
    for (total, wanted) in [("0", 1_200_000), ("null", 1_200_000), ("0.5", 1_200_000), ("2.5", 2_500_000)] {
        let old = with(
            "metadata, video_data",
            &format!("'{{\"total_cost\": {total}}}', x'01'"),
            &format!(
                "INSERT INTO video_sub_jobs (id, job_id, sub_job_number, status, actual_cost)
                    VALUES ('{A}', 41, 1, 'completed', 1.2)"
            ),
        );
        assert_eq!(job(&only(&old.skip(), Stage::Jobs)).actual_micros, wanted, "{total}");
    }
}

#[test]
fn what_is_odd_about_the_row_of_a_scene_is_said_with_its_number() {
    let old = with(
        "video_data",
        "x'01'",
        &format!(
            "INSERT INTO job_scenes (id, job_id, scene_number, metadata)
                VALUES ('{A}', 41, 3, '{{\"mood\": NaN}}')"
        ),
    );
    let found = only(&old.skip(), Stage::Jobs);
    let job = job(&found);
    assert_eq!(job.scenes[0].created_at, "1970-01-01T00:00:00Z");
    assert_eq!(job.warnings.len(), 2, "{:?}", job.warnings);
    assert!(job.warnings[0].starts_with("scene 3: metadata held numbers"), "{:?}", job.warnings);
    assert!(job.warnings[1].starts_with("scene 3: its row says no time"), "{:?}", job.warnings);
}

#[test]
fn the_digest_of_a_job_covers_its_scenes() {
    let scene = format!(
        "INSERT INTO job_scenes (id, job_id, scene_number, description) VALUES ('{A}', 41, 1, 'A door opens')"
    );
    let old = with("status", "'failed'", &scene);
    let before = digest(&only(&old.skip(), Stage::Jobs));
    old.run("UPDATE job_scenes SET description = 'A door closes'");
    assert_ne!(before, digest(&only(&old.skip(), Stage::Jobs)));
}
