//! A progress bar per scene, and one for the whole.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

/// The bars of one job.
#[derive(Debug)]
pub(super) struct Bars {
    // Kept so that the bars are drawn together.
    _together: MultiProgress,
    whole: ProgressBar,
    scenes: Vec<ProgressBar>,
    last: String,
}

impl Bars {
    pub(super) fn new(scenes: u64) -> Self {
        let together = MultiProgress::new();
        let style = |template| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
        };
        let scenes = (1..=scenes)
            .map(|number| {
                let bar = together.add(ProgressBar::new(2));
                bar.set_style(style("  {prefix:>8} [{bar:30}] {msg}"));
                bar.set_prefix(format!("scene {number}"));
                bar
            })
            .collect();
        let whole = together.add(ProgressBar::new(100));
        whole.set_style(style("  {prefix:>8} [{bar:30}] {pos:>3} % {msg} ({elapsed})"));
        whole.set_prefix("video");
        Self { _together: together, whole, scenes, last: String::new() }
    }

    /// Shows the job as it is now; where there is no terminal, a line per change.
    pub(super) fn show(&mut self, job: &Value) {
        let stage = job["current_stage"].as_str().unwrap_or_default().to_owned();
        let percentage = job["progress_percentage"].as_f64().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        self.whole.set_position(percentage as u64);
        self.whole.set_message(stage.clone());
        let scenes: Vec<&str> = job["scenes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|scene| scene["status"].as_str().unwrap_or_default())
            .collect();
        for (bar, status) in self.scenes.iter().zip(&scenes) {
            bar.set_position(match *status {
                "completed" | "failed" => 2,
                "processing" => 1,
                _ => 0,
            });
            bar.set_message((*status).to_owned());
        }
        self.print_when_hidden(&format!("  {percentage:>3} % {stage:<28} {}", scenes.join(" ")));
    }

    pub(super) fn finish(&self) {
        self.scenes.iter().for_each(ProgressBar::abandon);
        self.whole.abandon();
    }

    #[allow(clippy::print_stdout, reason = "the progress of a command, for a person or a build log")]
    fn print_when_hidden(&mut self, line: &str) {
        if self.whole.is_hidden() && self.last != line {
            println!("{line}");
            line.clone_into(&mut self.last);
        }
    }
}
