//! What a standalone keeps, opened without starting anything: nothing listens, nothing is published, nothing is worked on.

use anyhow::Context as _;
use eventlog::{Log, Migrations, open_log};
use kit::Clock;

use super::{DataDir, Options, address, open_blobs};

/// The databases of the asset and the job service and the object store, under the data directory's lock.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// What the asset service keeps.
    pub(crate) asset: asset::legacy::Legacy,
    /// What the job service keeps.
    pub(crate) job: job::legacy::Legacy,
    place: String,
    // Dropped last: the directory is ours until everything in it is closed.
    _data_dir: DataDir,
}

impl Keeping {
    /// Opens it where a standalone with these options would have it, and brings the databases up to date.
    ///
    /// # Errors
    /// The directory is in use, or a database or the object store cannot be opened.
    pub(crate) async fn open(options: &Options) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(&options.data_dir)?;
        let blobs = open_blobs(options, &data_dir).await.context("opening the object store")?;
        let asset_log = log(options, &data_dir, "asset", &asset::store::MIGRATIONS).await?;
        let job_log = log(options, &data_dir, "job", &job::MIGRATIONS).await?;
        let mut settings = asset::Settings::default();
        settings.import.allow_loopback = options.import_from_loopback;
        let asset = asset::legacy::open(settings, asset_log, blobs, Clock::system());
        let directory = options.data_dir.display();
        let place = match options.database_url {
            None => directory.to_string(),
            Some(_) => format!("the database of {directory}"),
        };
        Ok(Self {
            asset: asset.context("opening the asset service's store")?,
            job: job::legacy::open(job_log, Clock::system()),
            place,
            _data_dir: data_dir,
        })
    }

    /// Where it is, for a person.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

async fn log(
    options: &Options,
    data_dir: &DataDir,
    service: &str,
    migrations: &Migrations,
) -> anyhow::Result<Log> {
    let address = address(options.database_url.as_ref(), data_dir, service);
    let opened = open_log(&address, migrations).await;
    opened.with_context(|| format!("opening the database of the {service} service"))
}
