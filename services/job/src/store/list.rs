//! Pages of jobs and scenes, and sums over jobs.

use std::collections::BTreeSet;

use eventlog::{Log, LogError, Params, Row, SqlValue};
use jiff::Timestamp;
use job_domain::{JobId, SceneId};

/// Campaigns that one statement names.
const CAMPAIGNS: usize = 500;

/// Which jobs are wanted; what is `None` filters nothing.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only this job.
    pub job: Option<JobId>,
    /// Only this campaign's.
    pub campaign: Option<String>,
    /// Only this client's.
    pub client: Option<String>,
    /// Only those in this status.
    pub status: Option<String>,
    /// Only those made by this route.
    pub kind: Option<String>,
    /// Only those made then or later.
    pub created_after: Option<Timestamp>,
    /// Only those made before.
    pub created_before: Option<Timestamp>,
    /// Only those whose video plays.
    pub playable: bool,
}

/// Which rows of a list are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Only those after this place, which another page named.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
    /// So many are passed over.
    pub offset: u32,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// All that the filter lets through, on every page.
    pub total: u64,
    /// Place of the last row, when more rows follow.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// A page of the rows that were read: one more than wanted, when more follow.
    fn of(mut rows: Vec<T>, total: u64, limit: u32, place: impl Fn(&T) -> i64) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(place);
        Self { rows, total, next }
    }
}

/// Conditions of a query, with their parameters.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    params: Params,
}

impl Conditions {
    /// `column op $n`, when there is a value. PostgreSQL takes no text with a zero byte, and no row has one.
    fn add(&mut self, column: &str, value: Option<impl Into<SqlValue>>) {
        match value.map(Into::<SqlValue>::into) {
            Some(SqlValue::Text(text)) if text.contains('\0') => self.sql.push("FALSE".to_owned()),
            Some(value) => {
                let place = self.place(value);
                self.sql.push(format!("{column} {place}"));
            }
            None => {}
        }
    }

    /// The place of one more parameter.
    fn place(&mut self, value: impl Into<SqlValue>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// The text, and the places of limit and offset; one row more is read, to know whether more follow.
    fn page(&mut self, place: Place) -> (String, String, String) {
        let limit = self.place(u64::from(place.limit) + 1);
        (self.text(), limit, self.place(place.offset))
    }

    fn text(&self) -> String {
        if self.sql.is_empty() { "TRUE".to_owned() } else { self.sql.join(" AND ") }
    }
}

fn of_jobs(filter: &JobFilter) -> Conditions {
    let mut conditions = Conditions::default();
    if filter.playable {
        conditions.sql.push("playable".to_owned());
    }
    conditions.add("id =", filter.job);
    conditions.add("campaign_id =", filter.campaign.as_deref());
    conditions.add("client_id =", filter.client.as_deref());
    conditions.add("status =", filter.status.as_deref());
    conditions.add("kind =", filter.kind.as_deref());
    conditions.add("created_at >=", filter.created_after);
    conditions.add("created_at <", filter.created_before);
    conditions
}

/// Jobs, newest first. A job's place is its id.
///
/// # Errors
/// When the database fails.
pub async fn jobs(log: &Log, filter: &JobFilter, place: Place) -> Result<Page<JobId>, LogError> {
    let mut wanted = of_jobs(filter);
    let total = total(log, "job", &wanted).await?;
    wanted.add("id <", place.after);
    let (text, limit, offset) = wanted.page(place);
    let sql = format!("SELECT id FROM job WHERE {text} ORDER BY id DESC LIMIT {limit} OFFSET {offset}");
    let rows = log.query(&sql, wanted.params).await?;
    let rows = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    Ok(Page::of(rows, total, place.limit, |id| i64::from(*id)))
}

async fn total(log: &Log, tables: &str, wanted: &Conditions) -> Result<u64, LogError> {
    let sql = format!("SELECT count(*) AS total FROM {tables} WHERE {}", wanted.text());
    let rows = log.query(&sql, wanted.params.clone()).await?;
    rows.first().map_or(Ok(0), |row| row.get("total"))
}

/// Which scenes are wanted; what is `None` filters nothing.
#[derive(Clone, Debug, Default)]
pub struct SceneFilter {
    /// Only those that are shown with this status.
    pub status: Option<String>,
    /// Only those of this client's jobs.
    pub client: Option<String>,
}

/// A scene of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedScene {
    /// Its job.
    pub job: JobId,
    /// The scene.
    pub scene: SceneId,
    /// Its place in the job's video.
    place: i64,
}

/// Bits of a place in the list of scenes that name the place in the video; those above them name the job.
const IN_VIDEO: u32 = 16;

/// Scenes of all jobs: those of the newest job first, each job's in the order of its video.
///
/// # Errors
/// When the database fails.
pub async fn scenes(log: &Log, filter: &SceneFilter, place: Place) -> Result<Page<ListedScene>, LogError> {
    let mut wanted = Conditions::default();
    wanted.add("scene.status =", filter.status.as_deref());
    wanted.add("job.client_id =", filter.client.as_deref());
    let tables = "scene JOIN job ON job.id = scene.job_id";
    let total = total(log, tables, &wanted).await?;
    if let Some(after) = place.after {
        let (job, in_video) = (wanted.place(after >> IN_VIDEO), wanted.place(after & ((1 << IN_VIDEO) - 1)));
        let text = format!("(scene.job_id < {job} OR (scene.job_id = {job} AND scene.place > {in_video}))");
        wanted.sql.push(text);
    }
    let (text, limit, offset) = wanted.page(place);
    let sql = format!(
        "SELECT scene.id AS id, scene.job_id AS job_id, scene.place AS place FROM {tables} WHERE {text} \
         ORDER BY scene.job_id DESC, scene.place, scene.id LIMIT {limit} OFFSET {offset}"
    );
    let read = |row: &Row| {
        Ok(ListedScene { job: row.get("job_id")?, scene: row.get("id")?, place: row.get("place")? })
    };
    let rows = log.query(&sql, wanted.params).await?;
    let rows = rows.iter().map(read).collect::<Result<_, LogError>>()?;
    Ok(Page::of(rows, total, place.limit, |row: &ListedScene| (i64::from(row.job) << IN_VIDEO) | row.place))
}

/// What jobs have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// Jobs, whatever became of them.
    pub jobs: u64,
    /// Those that have cost something.
    pub paid_jobs: u64,
    /// All that they have cost, in micro-dollars.
    pub micros: i64,
}

impl Spend {
    async fn add(&mut self, log: &Log, wanted: Conditions) -> Result<(), LogError> {
        let sql = format!(
            "SELECT count(*) AS jobs, count(CASE WHEN spent_micros > 0 THEN 1 END) AS paid, \
             CAST(coalesce(sum(spent_micros), 0) AS BIGINT) AS micros FROM job WHERE {}",
            wanted.text()
        );
        if let Some(row) = log.query(&sql, wanted.params).await?.first() {
            self.jobs += row.get::<u64>("jobs")?;
            self.paid_jobs += row.get::<u64>("paid")?;
            self.micros += row.get::<i64>("micros")?;
        }
        Ok(())
    }
}

/// What the jobs of some campaigns have cost; those of one client only, if it is given. A client without campaigns: all
/// jobs that were made for it, whatever became of their campaigns.
///
/// # Errors
/// When the database fails.
pub async fn spend(log: &Log, campaigns: &[String], client: Option<&str>) -> Result<Spend, LogError> {
    let mut spend = Spend::default();
    if campaigns.is_empty() && client.is_some() {
        let mut wanted = Conditions::default();
        wanted.add("client_id =", client);
        spend.add(log, wanted).await?;
    }
    let campaigns: BTreeSet<&String> = campaigns.iter().filter(|id| !id.contains('\0')).collect();
    let campaigns: Vec<&String> = campaigns.into_iter().collect();
    for some in campaigns.chunks(CAMPAIGNS) {
        let mut wanted = Conditions::default();
        let places: Vec<String> = some.iter().map(|campaign| wanted.place(*campaign)).collect();
        wanted.sql.push(format!("campaign_id IN ({})", places.join(", ")));
        wanted.add("client_id =", client);
        spend.add(log, wanted).await?;
    }
    Ok(spend)
}
