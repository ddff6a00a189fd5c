//! Which replica holds a lease just now, as the databases say.

use std::{collections::BTreeMap, time::Duration};

use eventlog::{Log, open_checked, params};
use stack::{Service, Stack};

use super::{boundaries::Place, checks};

/// Databases are away at times; nobody waits for them here.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the databases of the services.
pub(super) struct Holders {
    urls: BTreeMap<Service, String>,
    logs: BTreeMap<Service, Log>,
}

impl Holders {
    pub(super) fn new(stack: &Stack) -> Self {
        let url = |service| Some((service, stack.database_url(service)?.to_owned()));
        let urls = Service::WITH_DATABASE.into_iter().filter_map(url).collect();
        Self { urls, logs: BTreeMap::new() }
    }

    /// The replicas of a service that hold a lease of one of these kinds, such as `relay`; none while the database
    /// is away.
    pub(super) async fn of(&mut self, service: Service, kinds: &[String]) -> Vec<Place> {
        let asked = tokio::time::timeout(PATIENCE, self.ask(service, kinds)).await;
        asked.ok().flatten().unwrap_or_default()
    }

    async fn ask(&mut self, service: Service, kinds: &[String]) -> Option<Vec<Place>> {
        let log = match self.logs.get(&service) {
            Some(log) => log.clone(),
            None => open_checked(self.urls.get(&service)?, checks::migrations(service)).await.ok()?,
        };
        self.logs.insert(service, log.clone());
        let sql = format!("SELECT name, owner FROM lease WHERE expires_at > {}", log.clock_sql());
        let mut places = Vec::new();
        for row in log.query(&sql, params![]).await.ok()? {
            let (name, owner): (String, String) = (row.get("name").ok()?, row.get("owner").ok()?);
            let kind = name.split_once('/').map_or(name.as_str(), |(kind, _)| kind);
            if kinds.iter().any(|wanted| wanted == kind) {
                places.extend(index(service, &owner).map(|index| (service, index)));
            }
        }
        Some(places)
    }
}

/// Of `audio-1`.
fn index(service: Service, owner: &str) -> Option<usize> {
    owner.strip_prefix(service.name())?.strip_prefix('-')?.parse().ok()
}

#[test]
fn a_replica_is_known_by_its_name() {
    assert_eq!(index(Service::Audio, "audio-12"), Some(12));
    assert_eq!(index(Service::Audio, "render-1"), None);
}
