//! Making a job.

use crate::harness::{JOB, create, creation, draft, id, nothing, pending};
use job_domain::{Command, JobEvent, JobStatus, Refusal, RefusalKind, view};
use serde_json::{Map, json};

fn fields(refusal: &Refusal) -> Vec<&str> {
    refusal.violations().iter().map(|violation| violation.field.as_str()).collect()
}

#[test]
fn a_new_job_is_pending_with_its_storyboard() {
    let story = nothing().when(create(|_| {})).then(&["JobCreated", "StoryboardDrafted"]);
    assert_eq!(story.status(), JobStatus::Pending);
    assert_eq!(story.job().scenes.len(), 2);
}

#[test]
fn nothing_is_outstanding_before_a_person_approves() {
    let story = pending(3);
    assert!(story.outstanding().is_empty());
    story.when(Command::Advance).then_nothing();
}

#[test]
fn scenes_get_numbers_and_places_in_the_order_given() {
    let story = pending(3);
    let places: Vec<_> =
        story.job().scenes.iter().map(|scene| (scene.spec.number, scene.spec.index)).collect();
    assert_eq!(places, [(1, 0), (2, 1), (3, 2)]);
}

#[test]
fn the_estimate_is_billed_seconds_times_the_price() {
    // Two scenes of 5 s are made and billed as 4 s each.
    assert_eq!(pending(2).job().estimate_micros, 2 * 4 * 200_000);
}

#[test]
fn billed_seconds_come_from_the_registry_and_not_from_the_draft() {
    let story = nothing().after(create(|job| job.scenes[0].1.billed_seconds = 1));
    assert_eq!(story.job().scenes[0].spec.draft.billed_seconds, 4);
}

#[test]
fn the_model_is_stored_under_its_key() {
    let story = nothing().after(create(|job| job.model = " Google/Veo-3.1 ".to_owned()));
    assert_eq!(story.job().model, "veo3");
    assert_eq!(story.job().parameters["video_model"], json!("veo3"));
}

#[test]
fn the_price_list_used_is_recorded() {
    let then = nothing().when(create(|job| job.model = "hailuo-02".to_owned()));
    let JobEvent::JobCreated(created) = &then.events[0] else { panic!("the first event is the creation") };
    assert_eq!(created.price_micros_per_second, 100_000);
    assert_eq!(created.estimate_micros, 2 * 6 * 100_000);
    assert_eq!((created.scene_count, created.total_assets), (2, 12));
}

#[test]
fn server_owned_parameters_win_over_the_callers() {
    let story = nothing().after(create(|job| {
        for (name, value) in [
            ("campaign_id", json!("other")),
            ("estimated_cost", json!(0)),
            ("video_name", json!("mine")),
            ("video_model", json!("free-model")),
            ("cost_currency", json!("EUR")),
            ("num_pairs", json!(99)),
            ("style", json!("modern")),
        ] {
            job.parameters.insert(name.to_owned(), value);
        }
        job.server_parameters = Map::from_iter([("num_pairs".to_owned(), json!(2))]);
    }));
    let shown = view::parameters(story.job());
    assert_eq!(shown["campaign_id"], json!("campaign-1"));
    assert_eq!(shown["estimated_cost"], json!(1.6));
    assert_eq!(shown["video_name"], json!("Spring 2"));
    assert_eq!(shown["video_model"], json!("veo3"));
    assert_eq!(shown["cost_currency"], json!("USD"));
    assert_eq!(shown["num_pairs"], json!(2));
    assert_eq!(shown["style"], json!("modern"), "what the server does not own is the caller's");
}

#[test]
fn a_callers_server_owned_parameter_is_dropped_when_the_server_has_none() {
    let story = nothing().after(create(|job| {
        job.parameters.insert("property_types".to_owned(), json!(["castle"]));
    }));
    assert!(!story.job().parameters.contains_key("property_types"));
}

#[test]
fn an_unsupported_model_is_refused_by_name() {
    let refusal = nothing().refusal(create(|job| job.model = "sora".to_owned()));
    assert_eq!(refusal.kind(), RefusalKind::Invalid);
    assert_eq!(refusal.text(), "Validation failed");
    assert_eq!(fields(&refusal), ["video_model"]);
    assert!(refusal.violations()[0].message.contains("veo3"), "it says what there is");
}

#[test]
fn an_unsupported_aspect_ratio_is_refused() {
    let refusal = nothing().refusal(create(|job| job.aspect_ratio = Some("1:1".to_owned())));
    assert_eq!(fields(&refusal), ["aspect_ratio"]);
}

#[test]
fn ten_seconds_of_hailuo_at_1080p_are_refused() {
    let refusal = nothing().refusal(create(|job| {
        job.model = "hailuo-02".to_owned();
        job.resolution = Some("1080p".to_owned());
        job.scenes[1].1.requested_ms = 10_000;
    }));
    assert_eq!(fields(&refusal), ["resolution"]);
}

#[test]
fn a_storyboard_without_scenes_is_refused() {
    let refusal = nothing().refusal(create(|job| job.scenes.clear()));
    assert_eq!(fields(&refusal), ["scenes"]);
}

#[test]
fn a_video_of_more_than_a_minute_is_refused() {
    let refusal = nothing().refusal(Command::Create(Box::new(creation(16))));
    assert_eq!(fields(&refusal), ["scenes"]);
    nothing().after(Command::Create(Box::new(creation(15))));
}

#[test]
fn two_scenes_with_one_id_are_refused() {
    let refusal = nothing().refusal(create(|job| job.scenes[1].0 = id(1)));
    assert_eq!(fields(&refusal), ["scenes[1].id"]);
}

#[test]
fn a_scene_without_a_prompt_is_refused() {
    let refusal = nothing().refusal(create(|job| job.scenes[0].1.prompt = " \n".to_owned()));
    assert_eq!(fields(&refusal), ["scenes[0].prompt"]);
}

#[test]
fn an_image_of_one_pixel_is_refused_as_a_frame() {
    let refusal = nothing().refusal(create(|job| {
        job.scenes[1].1.last_frame.width = 1;
        job.scenes[1].1.last_frame.height = 1;
    }));
    assert_eq!(fields(&refusal), ["scenes[1].last_frame"]);
}

#[test]
fn a_video_is_refused_as_a_frame() {
    let refusal = nothing()
        .refusal(create(|job| job.scenes[0].1.first_frame.blob.content_type = "video/mp4".to_owned()));
    assert_eq!(fields(&refusal), ["scenes[0].first_frame"]);
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let refusal = nothing().refusal(create(|job| {
        job.aspect_ratio = Some("4:3".to_owned());
        job.campaign_id.clear();
        job.scenes[0].1.title.clear();
    }));
    assert_eq!(fields(&refusal), ["campaign_id", "aspect_ratio", "scenes[0].title"]);
}

#[test]
fn prompts_with_quotes_percent_signs_and_line_breaks_are_kept() {
    let prompt = "50 % \"sunlit\" 'room'\nsecond line; DROP TABLE";
    let story = nothing().after(create(|job| job.scenes[0].1.prompt = prompt.to_owned()));
    assert_eq!(story.job().scenes[0].spec.draft.prompt, prompt);
}

#[test]
fn a_job_is_made_once() {
    assert_eq!(pending(2).refusal(create(|_| {})), Refusal::JobExists);
}

#[test]
fn a_job_that_does_not_exist_is_not_found() {
    for command in [Command::Approve, Command::Advance, Command::Cancel { reason: None }] {
        let refusal = nothing().refusal(command);
        assert_eq!((refusal.kind(), refusal.text()), (RefusalKind::NotFound, "Job not found".to_owned()));
    }
}

#[test]
fn the_job_knows_where_it_came_from() {
    let story = pending(2);
    let job = story.job();
    assert_eq!((job.id, job.campaign_id.as_str(), job.video_name.as_str()), (JOB, "campaign-1", "Spring 2"));
    assert_eq!((job.client_id.as_deref(), job.planner.as_str()), (Some("client-1"), "template"));
    assert_eq!(job.scenes[0].spec.draft.first_frame, draft(1).first_frame);
}
