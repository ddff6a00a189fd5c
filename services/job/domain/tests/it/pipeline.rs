//! The settings that new jobs are made under.

use crate::harness::{create, creation, cut_ready, failed, music, nothing, rendered};
use job_domain::pipeline::{Pipeline, PipelineCommand, PipelineEvent, PipelineRefusal, defaults};
use job_domain::pipeline::{VoiceTerms, overlay, script};
use job_domain::view::{AudioStatus, audio};
use job_domain::{Command, Effect, JobTerms, Refusal, has_next, plan};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn step(step: &str, updates: Value) -> PipelineCommand {
    PipelineCommand::Step { step: step.to_owned(), updates: object(updates) }
}

fn whole(config: Value) -> PipelineCommand {
    PipelineCommand::Whole { config: object(config) }
}

fn after(commands: impl IntoIterator<Item = PipelineCommand>) -> Pipeline {
    let mut pipeline = Pipeline::default();
    for command in commands {
        if let Some(event) = pipeline.decide(command).expect("it is accepted") {
            pipeline.evolve(&event);
        }
    }
    pipeline
}

fn fields(command: PipelineCommand) -> Vec<String> {
    match Pipeline::default().decide(command) {
        Err(PipelineRefusal::Invalid(wrong)) => wrong.into_iter().map(|wrong| wrong.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_defaults_are_valid_and_six_steps_are_on() {
    let pipeline = Pipeline::default();
    assert_eq!(pipeline.config(), defaults());
    assert_eq!(
        pipeline.decide(PipelineCommand::Whole { config: defaults() }).map(|event| event.is_some()),
        Ok(true)
    );
    let on =
        ["scene_generation", "image_selection", "video_rendering", "music_generation", "video_stitching"];
    assert_eq!(pipeline.enabled_steps(), on);
}

#[test]
fn a_step_is_updated_member_by_member_and_the_whole_is_merged_deeply() {
    let pipeline = after([
        step("scene_generation", json!({"use_ai": false, "own": {"a": 1, "b": 2}})),
        step("scene_generation", json!({"own": {"a": 3}})),
    ]);
    assert_eq!(pipeline.config()["scene_generation"]["own"], json!({"a": 3}), "shallow");
    assert_eq!(pipeline.config()["scene_generation"]["default_scene_count"], 7);
    let pipeline = after([
        whole(json!({"notes": {"a": 1}, "video_stitching": {"merge_audio": false}})),
        whole(json!({"notes": {"b": 2}})),
    ]);
    assert_eq!(pipeline.config()["notes"], json!({"a": 1, "b": 2}), "unknown keys are kept");
    assert_eq!(pipeline.config()["video_stitching"]["output_format"], "mp4");
}

#[test]
fn what_changes_nothing_is_no_event_and_a_null_takes_a_change_back() {
    let pipeline = after([step("scene_generation", json!({"use_ai": false}))]);
    assert_eq!(pipeline.decide(step("scene_generation", json!({"use_ai": false}))), Ok(None));
    let pipeline = after([
        step("video_rendering", json!({"model": "hailuo-02"})),
        step("video_rendering", json!({"model": null})),
    ]);
    assert_eq!(pipeline.config()["video_rendering"]["model"], "veo3");
}

#[test]
fn a_step_that_does_not_exist_is_refused_by_name() {
    let refusal = Pipeline::default().decide(step("status", json!({}))).expect_err("a refusal");
    assert_eq!(refusal.to_string(), "Step status not found");
}

#[test]
fn wrong_values_are_refused_each_by_its_place() {
    let wrong = json!({
        "scene_generation": {"use_ai": "yes", "default_scene_count": 0, "enabled": false},
        "video_rendering": {"model": "sora", "max_concurrency": 11},
        "text_overlays": {"default_color": "red:enable=1", "default_position": "x=0", "fade_in_duration": -1},
        "avatar_overlay": {"enabled": true},
        "video_stitching": {"output_format": "avi"},
        "music_generation": 3,
    });
    let mut found = fields(whole(wrong));
    found.sort();
    let wanted = [
        "avatar_overlay.enabled",
        "music_generation",
        "scene_generation.default_scene_count",
        "scene_generation.enabled",
        "scene_generation.use_ai",
        "text_overlays.default_color",
        "text_overlays.default_position",
        "text_overlays.fade_in_duration",
        "video_rendering.max_concurrency",
        "video_rendering.model",
        "video_stitching.output_format",
    ];
    assert_eq!(found, wanted);
    assert_eq!(fields(whole(json!({"big": "x".repeat(40_000)}))), ["config"]);
}

#[test]
fn a_new_job_takes_what_was_changed_and_only_that() {
    let usual = Pipeline::default().for_new_job("Spring");
    assert_eq!((usual.use_ai, usual.scene_count, usual.model, usual.soundtrack), (true, None, None, true));
    assert!(usual.terms.are_usual());
    let changed = after([whole(json!({
        "scene_generation": {"use_ai": false, "default_scene_count": 3},
        "video_rendering": {"model": "hailuo-02"},
        "music_generation": {"enabled": false, "fade_duration": 0.5},
        "video_stitching": {"merge_audio": false},
        "text_overlays": {"enabled": true, "default_color": "#ff0000"},
    }))]);
    let changed = changed.for_new_job("Spring");
    assert_eq!((changed.use_ai, changed.scene_count, changed.soundtrack), (false, Some(3), false));
    assert_eq!(changed.model.as_deref(), Some("hailuo-02"));
    assert_eq!((changed.terms.merge_audio, changed.terms.music_fade_ms), (false, Some(500)));
    let overlay = changed.terms.overlay.expect("an overlay");
    assert_eq!(after([step("text_overlays", json!({"enabled": true}))]).for_new_job(" ").terms.overlay, None);
    assert_eq!((overlay.text.as_str(), overlay.color.as_str(), overlay.font_size), ("Spring", "#ff0000", 48));
}

#[test]
fn a_job_made_to_stay_silent_has_its_soundtrack_for_download_and_no_warning() {
    let terms = JobTerms { merge_audio: false, ..JobTerms::default() };
    let story =
        nothing().after(create(|job| job.terms = terms)).after(Command::Approve).after(Command::Advance);
    let story = story.after(music()).after(rendered(1, 1)).after(rendered(2, 1));
    let story = story.when(cut_ready(1)).then(&["CutReady", "JobCompleted"]);
    assert!(story.job().warnings.is_empty());
    let sound = audio(story.job());
    assert_eq!((sound.status, sound.merged, sound.error), (AudioStatus::Completed, false, None));
}

#[test]
fn a_voice_needs_music_and_is_asked_for_with_it() {
    let mute = json!({"voiceover": {"enabled": true}, "music_generation": {"enabled": false}});
    assert_eq!(fields(whole(mute)), ["voiceover.enabled"]);
    let settings = after([step("voiceover", json!({"enabled": true, "default_voice": "calm"}))]);
    assert_eq!(settings.for_new_job("Spring").voice.as_deref(), Some("calm"));
    let voice = VoiceTerms { script: "Welcome.".to_owned(), voice: "calm".to_owned() };
    let terms = JobTerms { voice: Some(voice.clone()), ..JobTerms::default() };
    let story =
        nothing().after(create(|job| job.terms = terms)).after(Command::Approve).after(Command::Advance);
    let asked = plan(story.job()).into_iter().find_map(|effect| match effect {
        Effect::MakeSoundtrack { input, .. } => Some(input),
        _ => None,
    });
    assert_eq!(asked.expect("a soundtrack").voice, Some(voice));
}

#[test]
fn a_voice_is_one_that_the_audio_service_takes() {
    for wrong in ["", " ", "Rachel (warm)", "grüße", "../../v1/user", &"x".repeat(65)] {
        assert_eq!(
            fields(step("voiceover", json!({"default_voice": wrong}))),
            ["voiceover.default_voice"],
            "{wrong}"
        );
    }
    for right in ["Professional", "energetic", "21m00Tcm4TlvDq8ikWAM", &"x".repeat(64)] {
        after([step("voiceover", json!({"default_voice": right}))]);
    }
    // One that was kept before it was checked.
    let mut pipeline = Pipeline::default();
    let changed = object(json!({"voiceover": {"enabled": true, "default_voice": "Rachel (warm)"}}));
    pipeline.evolve(&PipelineEvent::PipelineConfigured { changes: Map::new(), changed });
    assert_eq!(pipeline.for_new_job("Spring").voice.as_deref(), Some("professional"));
}

#[test]
fn a_long_title_is_cut_to_what_can_be_drawn() {
    let settings = after([step("text_overlays", json!({"enabled": true}))]);
    let text = |title: &str| settings.for_new_job(title).terms.overlay.map(|overlay| overlay.text);
    // Seven characters of text, one to a person's eye.
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    let drawn = text(&family.repeat(255)).expect("an overlay");
    assert_eq!(drawn, family.repeat(overlay::LONGEST_TEXT / 7));
    assert_eq!(text(&"x".repeat(501)), Some("x".repeat(500)));
    // What is left of it can be read.
    assert_eq!(text(&format!("{}Spring", "\r\n".repeat(249))).as_deref(), Some("Spring"));
    assert_eq!(text(&format!("e{}", "\u{301}".repeat(600))), None);
}

#[test]
fn terms_that_a_worker_would_refuse_make_no_job() {
    let usual = after([step("text_overlays", json!({"enabled": true}))]).for_new_job("Spring").terms;
    let overlay = usual.overlay.clone().expect("an overlay");
    let voice = |script: &str, voice: &str| {
        let voice = Some(VoiceTerms { script: script.to_owned(), voice: voice.to_owned() });
        JobTerms { voice, ..JobTerms::default() }
    };
    let drawn = |overlay| JobTerms { overlay: Some(overlay), ..JobTerms::default() };
    let long = overlay::Overlay { text: "x".repeat(501), ..overlay.clone() };
    let tiny = overlay::Overlay { font_size: 1, color: "x".to_owned(), ..overlay.clone() };
    for (terms, field) in [
        (drawn(long), "text_overlays.text"),
        (drawn(tiny), "text_overlays.default_font_size text_overlays.default_color"),
        (drawn(overlay::Overlay { text: "\n".to_owned(), ..overlay }), "text_overlays.text"),
        (voice(" ", "calm"), "voiceover.script"),
        (voice("a\0b", "calm"), "voiceover.script"),
        (voice(&"x".repeat(5_001), "calm"), "voiceover.script"),
        (voice("Welcome.", "Rachel (warm)"), "voiceover.default_voice"),
        (JobTerms { music_fade_ms: Some(-1), ..JobTerms::default() }, "music_generation.fade_duration"),
        (JobTerms { max_in_flight: Some(0), ..JobTerms::default() }, "video_rendering.max_concurrency"),
    ] {
        match refusal_of(terms) {
            Refusal::Invalid(wrong) => {
                let fields: Vec<_> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
                assert_eq!(fields.join(" "), field);
            }
            other => panic!("{other:?}"),
        }
    }
    nothing().after(create(|job| job.terms = usual));
}

fn refusal_of(terms: JobTerms) -> Refusal {
    nothing().refusal(create(|job| job.terms = terms))
}

#[test]
fn what_nothing_here_can_do_otherwise_cannot_be_changed() {
    let other = json!({
        "image_selection": {"enabled": false, "fallback_to_simple": true},
        "music_generation": {"use_continuation": false},
    });
    let Err(PipelineRefusal::Invalid(wrong)) = Pipeline::default().decide(whole(other)) else {
        panic!("a refusal")
    };
    let told: Vec<_> = wrong.iter().map(|wrong| (wrong.field.as_str(), wrong.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("image_selection.enabled", "must be true: a storyboard is made of photos that were selected"),
            (
                "image_selection.fallback_to_simple",
                "must be false: a storyboard that a language model fails to draw is an error, nothing takes its \
                 place"
            ),
            ("music_generation.use_continuation", "must be true: music goes on from where it was"),
        ]
    );
}

#[test]
fn a_language_model_that_may_not_select_photos_draws_no_storyboard() {
    let settings = after([step("image_selection", json!({"use_llm": false}))]);
    assert!(!settings.for_new_job("Spring").use_ai);
    let settings = after([step("voiceover", json!({"script_llm": "grok-4"}))]);
    assert_eq!(
        (settings.script_model(), Pipeline::default().script_model()),
        (Some("grok-4"), None),
        "none: the configured one"
    );
}

#[test]
fn what_is_shown_is_in_force_in_this_process() {
    let shown = |settings: &Pipeline| {
        let config = settings.config_with("hilua-2.5", Some("grok-4"));
        let [model, writer] = [&config["video_rendering"]["model"], &config["voiceover"]["script_llm"]];
        [model.as_str().map(str::to_owned), writer.as_str().map(str::to_owned)].map(Option::unwrap_or_default)
    };
    assert_eq!(shown(&Pipeline::default()), ["hilua-2.5", "grok-4"]);
    let changed = [
        step("video_rendering", json!({"model": "veo3.1"})),
        step("voiceover", json!({"script_llm": "grok-3"})),
    ];
    assert_eq!(shown(&after(changed)), ["veo3.1", "grok-3"]);
}

#[test]
fn no_more_scenes_are_rendered_at_one_time_than_the_settings_say() {
    let terms = after([step("video_rendering", json!({"max_concurrency": 2}))]).for_new_job("Spring").terms;
    assert_eq!(terms.max_in_flight, Some(2));
    let story = nothing().after(create(|job| {
        *job = creation(4);
        job.terms = terms;
    }));
    let story = story.after(Command::Approve).when(Command::Advance);
    let story = story.then(&["SceneTakeRequested", "SceneTakeRequested", "SoundtrackRequested"]);
    story.when(Command::Advance).then_nothing();
}

#[test]
fn the_next_scene_is_asked_for_when_one_is_over_and_the_cut_waits_for_all() {
    let terms = JobTerms { max_in_flight: Some(1), ..JobTerms::default() };
    let story = nothing().after(create(|job| {
        *job = creation(3);
        job.terms = terms;
    }));
    let story = story.after(Command::Approve).after(Command::Advance).after(music());
    assert_eq!(story.outstanding(), ["job-43/scene-1/take-1"]);
    assert!(!has_next(story.job()), "there is nothing to do until it is over");
    let story = story.when(rendered(1, 1)).then(&["SceneRendered", "SceneTakeRequested"]);
    assert_eq!((story.outstanding(), story.percentage()), (vec!["job-43/scene-2/take-1".to_owned()], 31));
    let story = story.when(failed(2, 1)).then(&["SceneFailed", "SceneTakeRequested"]);
    let story = story.when(rendered(3, 1)).then(&["SceneRendered", "CutRequested"]);
    assert_eq!(story.replayed().as_ref(), Some(story.job()));
}

#[test]
fn a_script_is_cut_to_what_can_be_said_while_the_video_plays() {
    let segments =
        || vec!["One two three four.".to_owned(), "Five six.".to_owned(), "Seven eight nine.".to_owned()];
    assert_eq!(script::fitted(segments(), 3), segments()[..2]);
    assert_eq!(script::fitted(segments(), 1), segments()[..1], "the first in any case");
    let long = || vec!["x".repeat(2_000); 4];
    assert_eq!(script::fitted(long(), 60), long()[..2], "no longer than a script may be");
}

#[test]
fn a_jobs_overlay_is_part_of_its_cut() {
    let overlay = after([step("text_overlays", json!({"enabled": true}))]).for_new_job("Spring").terms;
    let story = nothing().after(create(|job| job.terms = overlay.clone()));
    let story = story.after(Command::Approve).after(Command::Advance).after(music());
    let story = story.after(rendered(1, 1)).after(rendered(2, 1));
    let [Effect::Cut { overlay: asked, .. }] = &plan(story.job())[..] else { panic!("a cut") };
    assert_eq!(asked, &overlay.overlay);
    assert_eq!(story.replayed().expect("a job").terms, overlay);
}

#[test]
fn the_stored_event_keeps_its_shape() {
    let pipeline = after([step("scene_generation", json!({"use_ai": false}))]);
    let event = pipeline.decide(step("video_rendering", json!({"model": "hailuo-02"}))).expect("accepted");
    let event = event.expect("an event");
    let golden = include_str!("../golden-pipeline/PipelineConfigured.v1.json");
    let golden: Value = serde_json::from_str(golden).expect("JSON");
    assert_eq!(serde_json::to_value(&event).expect("JSON"), golden);
    assert_eq!(serde_json::from_value::<PipelineEvent>(golden).expect("it reads"), event);
}
