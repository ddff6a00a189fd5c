//! What one more job costs with ever more jobs stored: in time, in processor time, in what is asked of the database.

use std::{collections::BTreeMap, time::Instant};

use eventlog::params;

use super::{
    Args, WARM_UP, counted::Asked, fill::Model, in_turn, medians, place::Place, usage::Costs, world::World,
};
use crate::{
    machine::Disk,
    progress,
    series::Series,
    table::{Table, verdict},
};

/// How much more a job may cost with the most jobs stored than with the fewest, to be called flat.
const AIM: f64 = 1.25;
/// Longest text of a statement or a plan in a table.
const SHOWN: usize = 150;

/// One database with so many jobs.
struct Level {
    stored: i32,
    world: World,
    whole: Series,
    costs: Costs,
    page_ms: Series,
    asked: BTreeMap<String, Asked>,
}

/// The levels take turns, so that what disturbs one disturbs all.
pub(super) async fn run(args: &Args, place: Place, model: &Model, disk: &mut Disk) -> anyhow::Result<()> {
    let mut levels = Vec::new();
    for &stored in args.stored() {
        progress!("{}: storing {stored} jobs", place.name());
        levels.push(Level::new(place, model, stored).await?);
    }
    let jobs = args.jobs();
    for round in 0..args.runs() {
        progress!("{}: jobs beside stored ones, round {}", place.name(), round + 1);
        for level in &mut levels {
            disk.sample()?;
            level.measure(jobs).await?;
        }
    }
    table(place, &levels, args).await?;
    if let Some(last) = levels.last() {
        questions(place, last, args.runs() * jobs).await?;
    }
    for level in levels {
        level.world.stop().await;
    }
    Ok(())
}

impl Level {
    async fn new(place: Place, model: &Model, stored: i32) -> anyhow::Result<Self> {
        let world = World::filled(place, model, stored).await?;
        world.settled().await?;
        in_turn(&world, WARM_UP).await?;
        world.counted.as_ref().map(|counted| counted.take());
        let (whole, costs) = (Series::default(), Costs::default());
        Ok(Self { stored, world, whole, costs, page_ms: Series::default(), asked: BTreeMap::new() })
    }

    async fn measure(&mut self, jobs: usize) -> anyhow::Result<()> {
        let before = self.world.usage();
        let parts = in_turn(&self.world, jobs).await?;
        self.costs.push(self.world.usage() - before, jobs);
        self.whole.push(medians(&parts).whole);
        for (what, now) in self.world.counted.as_ref().map(|counted| counted.take()).unwrap_or_default() {
            self.asked.entry(what).or_default().add(now);
        }
        let started = Instant::now();
        self.world.first_page().await?;
        self.page_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        self.world.counted.as_ref().map(|counted| counted.take());
        Ok(())
    }

    /// Rows that PostgreSQL has read without an index since the tables were filled and tidied, for each job, and the
    /// table that most of them are of; SQLite does not count them.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    async fn scanned(&self, place: Place, jobs: usize) -> anyhow::Result<String> {
        if place == Place::Standalone {
            return Ok("-".to_owned());
        }
        let sql = "SELECT CAST(relname AS TEXT) AS name, seq_tup_read AS read FROM pg_stat_user_tables \
                   WHERE schemaname = 'job' AND seq_tup_read > 0 ORDER BY seq_tup_read DESC";
        let rows = self.world.log.query(sql, params![]).await?;
        let read = rows.iter().map(|row| row.get::<i64>("read")).collect::<Result<Vec<_>, _>>()?;
        let Some(most) = rows.first() else { return Ok("0".to_owned()) };
        let each = read.iter().sum::<i64>() as f64 / jobs as f64;
        Ok(format!("{each:.0}, most of `{}`", most.get::<String>("name")?))
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate")]
async fn table(place: Place, levels: &[Level], args: &Args) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "jobs stored before",
        "approved → completed, ms",
        "beside the first row",
        "processor time of the job service, ms",
        "beside the first row",
        "of the servers, ms",
        "commits",
        "questions to the database",
        "rows read without an index",
        "first page of the videos, ms",
        "aim",
        "",
    ]);
    let Some(first) = levels.first() else { return Ok(()) };
    let jobs = args.runs() * args.jobs();
    for level in levels {
        let (wall, cpu) =
            (level.whole.over(&first.whole), level.costs.service_ms.over(&first.costs.service_ms));
        let asked: u64 = level.asked.values().map(|asked| asked.times).sum();
        let scanned = level.scanned(place, jobs + WARM_UP).await?;
        table.row(vec![
            level.stored.to_string(),
            level.whole.to_string(),
            wall.to_string(),
            level.costs.service_ms.to_string(),
            cpu.to_string(),
            level.costs.servers_ms.to_string(),
            format!("{:.1}", level.costs.commits.median()),
            format!("{:.1}", asked as f64 / jobs as f64),
            scanned,
            level.page_ms.to_string(),
            format!("≤ {AIM}"),
            verdict(wall.median().max(cpu.median()) <= AIM),
        ]);
    }
    table.print(&format!("What one more job costs with others stored: {}", place.name()));
    Ok(())
}

/// What the job service asks its database for each job, and how that answers with the most jobs stored.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
async fn questions(place: Place, level: &Level, jobs: usize) -> anyhow::Result<()> {
    let mut table =
        Table::new(&["what is asked", "times a job", "rows each", "ms each", "how it is answered"]);
    let Some(counted) = &level.world.counted else { return Ok(()) };
    let mut asked: Vec<_> = level.asked.iter().collect();
    asked.sort_by_key(|(_, asked)| std::cmp::Reverse(asked.took));
    for (what, asked) in asked {
        let times = asked.times.max(1) as f64;
        table.row(vec![
            format!("`{}`", short(what)),
            format!("{:.2}", asked.times as f64 / jobs as f64),
            format!("{:.1}", asked.rows as f64 / times),
            format!("{:.2}", asked.took.as_secs_f64() * 1000.0 / times),
            short(&counted.explain(asked).await?),
        ]);
    }
    table.print(&format!("What is asked of the log for one job, {} stored: {}", level.stored, place.name()));
    Ok(())
}

fn short(text: &str) -> String {
    let text = text.replace('|', "‖");
    if text.chars().count() <= SHOWN {
        return text;
    }
    format!("{}…", text.chars().take(SHOWN).collect::<String>())
}
