//! What the process `filmstrip-stitch` is told, as the service's settings.

use std::time::Duration;

use kit::{Deps, Running};
use process::{Common, Reader, Service, settings::media_threads};

const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(3600);

/// The service with its settings.
pub(crate) struct Process(stitch::Settings);

impl Service for Process {
    const NAME: &'static str = bus::subjects::source::STITCH;
    const ABOUT: &'static str = env!("CARGO_PKG_DESCRIPTION");
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const MIGRATIONS: eventlog::Migrations = stitch::MIGRATIONS;
    const TRANSLATE: bus::Translate = stitch::publish::translate;

    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self> {
        Some(Self(stitch::Settings {
            owner: common.instance.clone(),
            lease: reader.duration("lease", SHORTEST_LEASE..=LONGEST_LEASE),
            threads: media_threads(reader),
            ..stitch::Settings::default()
        }))
    }

    async fn build(self, deps: Deps) -> anyhow::Result<Running> {
        stitch::build(self.0, deps).await
    }
}

#[cfg(test)]
mod tests {
    use process::testing::read_service;

    use super::*;

    #[test]
    fn every_replica_has_a_name_of_its_own_and_the_lease_can_be_set() {
        let needed =
            [("DATABASE_URL", "postgres://s@db/film"), ("NATS_URL", "nats://n"), ("BLOB_URL", "s3://media")];
        let read = |more: &[(&str, &str)]| {
            read_service::<Process>(&[&needed[..], more].concat()).map(|process| process.0).unwrap()
        };
        let own = stitch::Settings::default();
        assert_eq!(read(&[]).lease, own.lease);
        assert_ne!(read(&[]).owner, read(&[]).owner);
        let set = read(&[("INSTANCE", "stitch-1"), ("LEASE", "5s")]);
        assert_eq!((set.owner.as_str(), set.lease), ("stitch-1", Duration::from_secs(5)));
    }

    #[test]
    fn ffmpeg_has_as_many_threads_as_are_set_or_its_share() {
        let needed =
            [("DATABASE_URL", "postgres://s@db/film"), ("NATS_URL", "nats://n"), ("BLOB_URL", "s3://media")];
        let read = |more: &[(&str, &str)]| {
            read_service::<Process>(&[&needed[..], more].concat()).map(|process| process.0.threads)
        };
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[("MEDIA_THREADS", "2")]).unwrap().map(std::num::NonZero::get), Some(2));
        for wrong in ["0", "-1", "many", "257"] {
            let told = read(&[("MEDIA_THREADS", wrong)]).unwrap_err();
            assert!(told.len() == 1 && told[0].contains("media.threads (MEDIA_THREADS)"), "{told:?}");
        }
    }

    #[test]
    fn a_limit_of_scratch_is_a_size_that_work_can_be_done_in() {
        let needed =
            [("DATABASE_URL", "postgres://s@db/film"), ("NATS_URL", "nats://n"), ("BLOB_URL", "s3://media")];
        let read = |limit: &str| {
            read_service::<Process>(&[&needed[..], &[("SCRATCH_LIMIT", limit)]].concat()).map(|_| ())
        };
        for fine in ["", "15Gi", "100Mi", "1000000000"] {
            assert_eq!(read(fine), Ok(()), "{fine}");
        }
        for wrong in ["much", "15G", "1Mi"] {
            let told = read(wrong).unwrap_err();
            assert!(told.len() == 1 && told[0].contains("scratch.limit (SCRATCH_LIMIT)"), "{told:?}");
        }
    }
}
