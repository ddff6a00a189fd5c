//! A job's strip of events as text: one line for each.

use crate::estimate::usd;
use crate::event::JobEvent;
use crate::evolve;
use crate::imported::JobImported;
use crate::state::{Job, Outcome, Override};

/// One line for an event. `job` is the job before or after the event: it knows the numbers of scenes.
#[must_use]
pub fn line(job: Option<&Job>, event: &JobEvent) -> String {
    let text = scene_line(job, event).or_else(|| video_line(event)).unwrap_or_else(|| job_line(event));
    // Reasons come from outside and may hold line breaks.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a whole stream, in order.
#[must_use]
pub fn lines<'a>(events: impl IntoIterator<Item = &'a JobEvent>) -> Vec<String> {
    let mut job = None;
    let mut lines = Vec::new();
    for event in events {
        job = evolve(job, event, 0);
        lines.push(line(job.as_ref(), event));
    }
    lines
}

fn job_line(event: &JobEvent) -> String {
    match event {
        JobEvent::JobCreated(created) => format!(
            "job {} \"{}\" created from {} with {} at {} a second",
            created.job,
            created.video_name,
            created.job_kind.as_str().replace('_', " "),
            created.model,
            money(created.price_micros_per_second),
        ),
        JobEvent::JobImported(came) => imported(came),
        JobEvent::StoryboardDrafted { planner, scenes, estimate_micros } => {
            let seconds: u32 = scenes.iter().map(|scene| scene.draft.billed_seconds).sum();
            let (count, cost) = (counted(scenes.len(), "scene"), money(*estimate_micros));
            format!("storyboard drafted by {planner}: {count}, {seconds} s, estimated {cost}")
        }
        JobEvent::SceneReordered { order } => {
            format!("{} put into another order", counted(order.len(), "scene"))
        }
        JobEvent::JobApproved { estimate_micros, planned_seconds } => {
            format!("approved: {planned_seconds} s for {}", money(*estimate_micros))
        }
        JobEvent::JobCanceled { reason } => match reason {
            Some(reason) => format!("canceled: {reason}"),
            None => "canceled".to_owned(),
        },
        JobEvent::JobCompleted { outcome, master, warnings, .. } => {
            format!("job completed, {}: {}{}", all(*outcome), seconds(master.duration_ms), notes(warnings))
        }
        JobEvent::JobFailed { reason, .. } => format!("job failed: {reason}"),
        JobEvent::CutReplaced { cut, outcome, master, warnings, .. } => format!(
            "cut {cut} is now the video, {}: {}{}",
            all(*outcome),
            seconds(master.duration_ms),
            notes(warnings)
        ),
        JobEvent::JobStalled { cause, times, .. } => match times {
            0 | 1 => format!("stalled: {cause}"),
            times => format!("still stalled, told {times} times: {cause}"),
        },
        JobEvent::JobResumed { owner, what, .. } => {
            format!("stalled no more; it had waited for {} and {what}", owner.as_str())
        }
        other => other.kind().to_owned(),
    }
}

fn imported(came: &JobImported) -> String {
    let (origin, status) = (&came.origin, came.status.as_str());
    let (count, cost) = (counted(came.scenes.len(), "scene"), money(came.actual_cost_micros));
    let number = match came.legacy_id {
        same if same == came.job => String::new(),
        other => format!(", where it was job {other}"),
    };
    format!(
        "job {} \"{}\" imported from {} ({} {}){number}: {status}, {count}, {cost}",
        came.job, came.video_name, origin.source, origin.table, origin.row,
    )
}

fn scene_line(job: Option<&Job>, event: &JobEvent) -> Option<String> {
    let number_of = |id: &str| {
        job.and_then(|job| job.any_scene(id))
            .map_or_else(|| id.to_owned(), |scene| scene.spec.number.to_string())
    };
    Some(match event {
        JobEvent::SceneEdited { scene, billed_seconds, estimate_micros, .. } => format!(
            "scene {} edited: {billed_seconds} s, estimate now {}",
            number_of(scene),
            money(*estimate_micros)
        ),
        JobEvent::SceneOverridden { scene, shown } => {
            format!("scene {} is shown {}", number_of(scene), written_down(shown))
        }
        JobEvent::SceneRemoved { scene, cut, .. } => {
            let follows = cut.map_or_else(String::new, |cut| format!(", cut {cut} follows"));
            format!("scene {} removed{follows}", number_of(scene))
        }
        JobEvent::RegenerationRequested { cut, scenes, soundtrack } => {
            let numbers: Vec<_> = scenes.iter().map(|scene| format!("scene {}", number_of(scene))).collect();
            let sound = soundtrack.then(|| "the soundtrack".to_owned());
            let what: Vec<_> = numbers.into_iter().chain(sound).collect();
            let what = if what.is_empty() { "nothing new".to_owned() } else { what.join(", ") };
            format!("regeneration wanted for cut {cut}: {what}")
        }
        JobEvent::SceneTakeRequested { number, take, input, .. } => {
            let model = &input.model;
            format!("scene {number} take {take} requested: {} s from {model}", input.seconds)
        }
        JobEvent::SceneAttemptStarted { number, take, attempt, provider_id, .. } => {
            format!("scene {number} take {take} attempt {attempt} started as {provider_id}")
        }
        JobEvent::SceneRendered { number, take, duration_ms, cost_micros, .. } => {
            let (length, cost) = (seconds(*duration_ms), money(*cost_micros));
            format!("scene {number} take {take} rendered: {length}, {cost}")
        }
        JobEvent::SceneFailed { number, take, reason, cost_micros, .. } => {
            format!("scene {number} take {take} failed: {reason}{}", charged(*cost_micros))
        }
        JobEvent::SceneTakeClosed { number, take, reason, cost_micros, .. } => {
            format!("scene {number} take {take} closed: {reason}{}", charged(*cost_micros))
        }
        JobEvent::SceneTakeCharged { number, take, cost_micros, .. } => {
            format!("scene {number} take {take} was charged {}", money(*cost_micros))
        }
        _ => return None,
    })
}

fn written_down(shown: &Override) -> String {
    let status = shown.status.map(|status| format!("as {}", status.as_str()));
    let provider_id = shown.provider_id.as_deref().map(|id| match id {
        "" => "without a prediction".to_owned(),
        id => format!("with prediction {id}"),
    });
    status.into_iter().chain(provider_id).collect::<Vec<_>>().join(", ")
}

fn video_line(event: &JobEvent) -> Option<String> {
    Some(match event {
        JobEvent::SoundtrackWished { wish } => {
            let place = if wish.merge { "under the video" } else { "for download" };
            format!("soundtrack wished, {place}")
        }
        JobEvent::SoundtrackRequested { take, input, .. } => {
            format!("soundtrack {take} requested: {}", seconds(input.duration_ms))
        }
        JobEvent::SoundtrackReady { take, duration_ms, cost_micros, shortfall, .. } => {
            let missing = shortfall.iter().map(|missing| format!("; {missing}")).collect::<String>();
            format!("soundtrack {take} ready: {}, {}{missing}", seconds(*duration_ms), money(*cost_micros))
        }
        JobEvent::SoundtrackFailed { take, reason, cost_micros, .. } => {
            format!("soundtrack {take} failed: {reason}{}", charged(*cost_micros))
        }
        JobEvent::SoundtrackCharged { take, cost_micros } => {
            format!("soundtrack {take} was charged {}", money(*cost_micros))
        }
        JobEvent::CutRequested { cut, clips, .. } => {
            format!("cut {cut} requested from {}", counted(clips.len(), "clip"))
        }
        JobEvent::CutReady { cut, duration_ms, .. } => format!("cut {cut} ready: {}", seconds(*duration_ms)),
        JobEvent::CutFailed { cut, reason, .. } => format!("cut {cut} failed: {reason}"),
        JobEvent::MixRequested { cut, .. } => format!("mix of cut {cut} requested"),
        JobEvent::MixReady { cut, duration_ms, .. } => {
            format!("mix of cut {cut} ready: {}", seconds(*duration_ms))
        }
        JobEvent::MixFailed { cut, reason, .. } => format!("mix of cut {cut} failed: {reason}"),
        JobEvent::ProductClosed { key, reason, .. } => format!("{key} closed: {reason}"),
        _ => return None,
    })
}

fn all(outcome: Outcome) -> &'static str {
    outcome.as_str()
}

fn notes(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("; {}", lower_first(warning))).collect()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn seconds(ms: i64) -> String {
    format!("{:.1} s", ms as f64 / 1_000.0)
}

fn money(micros: i64) -> String {
    format!("${:.2}", usd(micros))
}

fn charged(micros: i64) -> String {
    if micros == 0 { String::new() } else { format!(", charged {}", money(micros)) }
}
