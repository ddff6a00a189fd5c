//! The tables.

use super::{Args, load::Load, ours::Ours};
use crate::{
    series::Series,
    table::{Table, verdict},
};

/// Both sides of a comparison.
#[derive(Debug, Default)]
pub(super) struct Pair {
    pub(super) theirs: Series,
    pub(super) mine: Series,
    /// Most resident memory of ours meanwhile, megabytes.
    pub(super) most_memory: f64,
}

/// Megabytes (a million bytes each) a second.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub(super) fn megabytes(load: &Load) -> f64 {
    load.bytes as f64 / 1e6 / load.seconds
}

/// Answers a second.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub(super) fn requests(load: &Load) -> f64 {
    load.requests as f64 / load.seconds
}

/// The least share of the peer that is aimed at.
const VIDEO_AIM: f64 = 0.8;
const JOB_AIM: f64 = 0.5;
const UPLOAD_AIM: f64 = 0.7;

/// All figures.
pub(super) struct Report {
    nginx: String,
    idle_memory: f64,
    whole: Vec<(usize, Pair)>,
    ranges: Vec<(usize, Pair)>,
    job: Vec<(usize, Pair)>,
    upload: Option<(u64, Pair)>,
}

impl Report {
    pub(super) fn new(ours: &Ours, nginx: &str) -> Self {
        Self {
            nginx: nginx.to_owned(),
            idle_memory: ours.idle_memory,
            whole: Vec::new(),
            ranges: Vec::new(),
            job: Vec::new(),
            upload: None,
        }
    }

    pub(super) fn whole(&mut self, connections: usize, pair: Pair) {
        self.whole.push((connections, pair));
    }

    pub(super) fn ranges(&mut self, connections: usize, pair: Pair) {
        self.ranges.push((connections, pair));
    }

    pub(super) fn job(&mut self, connections: usize, pair: Pair) {
        self.job.push((connections, pair));
    }

    pub(super) fn upload(&mut self, bytes: u64, pair: Pair) {
        self.upload = Some((bytes, pair));
    }

    pub(super) fn print(&self, args: &Args) {
        println!("\n## The gateway\n\nBeside {}.", self.nginx);
        let video = format!("A video of {:.0} MB from disk", millions(args.video));
        let nginx = ("nginx, MB/s", "gateway, MB/s", "gateway / nginx");
        table(&format!("{video}, whole"), nginx, &self.whole, VIDEO_AIM);
        table(&format!("{video}, ranges of {:.1} MB", millions(args.range)), nginx, &self.ranges, VIDEO_AIM);
        let bare = ("bare handler, answers/s", "gateway, answers/s", "gateway / bare handler");
        table("A job of ten scenes (`GET /jobs/{id}`)", bare, &self.job, JOB_AIM);
        self.print_upload();
        self.print_memory();
    }

    fn print_upload(&self) {
        let Some((bytes, pair)) = &self.upload else { return };
        let mut table = Table::new(&["copy with SHA-256, s", "upload, s", "copy / upload", "aim", ""]);
        let ratio = pair.theirs.over(&pair.mine);
        table.row(vec![
            pair.theirs.to_string(),
            pair.mine.to_string(),
            ratio.to_string(),
            format!("≥ {UPLOAD_AIM}"),
            verdict(ratio.median() >= UPLOAD_AIM),
        ]);
        table.print(&format!("An upload of {:.0} MB", millions(*bytes)));
    }

    fn print_memory(&self) {
        let mut table = Table::new(&["while", "most resident memory, MB"]);
        table.plain("nothing was asked yet".to_owned(), format!("{:.0}", self.idle_memory));
        for (name, rows) in [("whole videos", &self.whole), ("ranges", &self.ranges), ("jobs", &self.job)] {
            for (connections, pair) in rows {
                table.plain(format!("{name}, {connections} connections"), format!("{:.0}", pair.most_memory));
            }
        }
        if let Some((_, pair)) = &self.upload {
            table.plain("uploads".to_owned(), format!("{:.0}", pair.most_memory));
        }
        table.print("Memory of the process with the gateway and all services");
    }
}

fn table(title: &str, (peer, ours, ratio): (&str, &str, &str), rows: &[(usize, Pair)], aim: f64) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new(&["connections", peer, ours, ratio, "aim", ""]);
    for (connections, pair) in rows {
        let share = pair.mine.over(&pair.theirs);
        table.row(vec![
            connections.to_string(),
            pair.theirs.to_string(),
            pair.mine.to_string(),
            share.to_string(),
            format!("≥ {aim}"),
            verdict(share.median() >= aim),
        ]);
    }
    table.print(title);
}

#[allow(clippy::cast_precision_loss, reason = "a size")]
fn millions(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
