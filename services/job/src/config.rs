//! What the process `filmstrip-job` is told, as the service's settings.

use std::time::Duration;

use job::XaiSettings;
use job_domain::watch::Patience;
use kit::{Deps, Running};
use process::{Common, Reader, Service};

const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(3600);
const SHORTEST_PATIENCE: Duration = Duration::from_secs(1);
const LONGEST_PATIENCE: Duration = Duration::from_hours(365 * 24);

/// The service with its settings.
pub(crate) struct Process(job::Settings);

/// Who draws storyboards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Planner {
    Xai,
    Templates,
}

impl Service for Process {
    const NAME: &'static str = bus::subjects::source::JOB;
    const ABOUT: &'static str = env!("CARGO_PKG_DESCRIPTION");
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const MIGRATIONS: eventlog::Migrations = job::MIGRATIONS;
    const TRANSLATE: bus::Translate = job::publish::translate;
    const HAS_BYTES: bool = false;

    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self> {
        let planner = planner(reader);
        let services = ["asset", "render", "stitch", "audio"];
        let [asset, render, stitch, audio] =
            services.map(|name| reader.addresses(&format!("services.{name}")));
        Some(Self(job::Settings {
            planner,
            instance: common.instance.clone(),
            lease: reader.duration("lease", SHORTEST_LEASE..=LONGEST_LEASE),
            patience: patience(reader),
            ..job::Settings::new(asset, render, stitch, audio)
        }))
    }

    async fn build(self, deps: Deps) -> anyhow::Result<Running> {
        Box::pin(job::build(self.0, deps)).await
    }
}

fn patience(reader: &mut Reader<'_>) -> Patience {
    let mut with = |key: &str| reader.duration(key, SHORTEST_PATIENCE..=LONGEST_PATIENCE);
    Patience {
        person: with("watch.person"),
        render: with("watch.render"),
        stitch: with("watch.stitch"),
        audio: with("watch.audio"),
        job: with("watch.job"),
    }
}

/// The planner; none means the templates, or a problem that the reader has noted.
fn planner(reader: &mut Reader<'_>) -> Option<XaiSettings> {
    let wanted = reader.word("planner", &[("xai", Planner::Xai), ("templates", Planner::Templates)]);
    let soundstage = reader.url("soundstage_url");
    let base = reader.required_url("xai.base_url");
    let key = reader.secret("xai.api_key");
    let model = reader.required_text("xai.model");
    if wanted? == Planner::Templates {
        return None;
    }
    let (base, key) = if reader.is_set("soundstage_url") {
        (soundstage?, "soundstage".into())
    } else {
        if key.is_none() {
            let fix = "Set XAI_API_KEY (or XAI_API_KEY_FILE), or PLANNER=templates for storyboards without a \
                       language model, or SOUNDSTAGE_URL to stand-in providers (`filmstrip soundstage`).";
            reader.refuse(
                "xai.api_key",
                "is not set, planner is \"xai\", and soundstage_url is not set either",
                fix,
            );
        }
        (base?, key?)
    };
    let base = base.as_str().trim_end_matches('/').trim_end_matches("/v1").to_owned();
    Some(XaiSettings { base_url: format!("{base}/v1"), model, ..XaiSettings::new(key) })
}

#[cfg(test)]
mod tests {
    use process::testing::read_service;

    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<job::Settings, Vec<String>> {
        let needed = [("DATABASE_URL", "postgres://job@db/film"), ("NATS_URL", "nats://nats")];
        read_service::<Process>(&[&needed[..], more].concat()).map(|process| process.0)
    }

    #[test]
    fn a_planner_without_a_key_and_without_stand_ins_refuses_to_start() {
        let told = read(&[]).map(|_| ()).unwrap_err().concat();
        assert!(told.contains("XAI_API_KEY") && told.contains("PLANNER=templates"), "{told}");
        assert!(told.contains("SOUNDSTAGE_URL"), "{told}");
    }

    #[test]
    fn addresses_that_cannot_be_used_are_told_with_the_rest() {
        let wrong = [
            ("DATABASE_URL", "postgres://job:hunter2@db:port/film"),
            ("NATS_URL", "ftp://job:hunter2@nats"),
            ("PLANNER", "nobody"),
            ("SERVICES_RENDER", "http://user:word@render:5003"),
            ("SERVICES_AUDIO", "dns://audio"),
        ];
        let told = read_service::<Process>(&wrong).map(|_| ()).unwrap_err();
        for key in ["database_url (", "nats_url (", "planner (", "services.render (", "services.audio ("] {
            assert!(told.iter().any(|problem| problem.starts_with(key)), "{key} {told:?}");
        }
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(!told.concat().contains("hunter2"), "{told:?}");
    }

    #[test]
    fn templates_need_no_key() {
        assert!(read(&[("PLANNER", "templates")]).unwrap().planner.is_none());
        assert!(read(&[("PLANNER", "templates"), ("XAI_API_KEY", "k")]).unwrap().planner.is_none());
    }

    #[test]
    fn the_planner_is_found_below_v1_wherever_it_is() {
        let base = |more: &[(&str, &str)]| read(more).unwrap().planner.unwrap().base_url;
        assert_eq!(base(&[("XAI_API_KEY", "k")]), XaiSettings::new("k".into()).base_url);
        assert_eq!(base(&[("XAI_API_KEY", "k"), ("XAI_BASE_URL", "http://h/v1/")]), "http://h/v1");
        assert_eq!(base(&[("SOUNDSTAGE_URL", "http://127.0.0.1:9/")]), "http://127.0.0.1:9/v1");
    }

    #[test]
    fn the_usual_patience_is_that_of_the_rules_and_each_part_can_be_set() {
        let usual = read(&[("PLANNER", "templates")]).unwrap().patience;
        assert_eq!(usual, Patience::default());
        let set = read(&[("PLANNER", "templates"), ("WATCH_RENDER", "2s"), ("WATCH_PERSON", "48h")]).unwrap();
        let (render, person) = (Duration::from_secs(2), Duration::from_hours(48));
        assert_eq!(set.patience, Patience { render, person, ..Patience::default() });
        let told = read(&[("PLANNER", "templates"), ("WATCH_JOB", "0s")]).map(|_| ()).unwrap_err().concat();
        assert!(told.contains("watch.job") && told.contains("from 1s to 8760h"), "{told}");
    }

    #[test]
    fn services_leases_and_names_can_be_set() {
        let read = read(&[
            ("PLANNER", "templates"),
            ("SERVICES_RENDER", "http://a:1, http://b:1"),
            ("SERVICES_AUDIO", "dns://audio:5005"),
            ("LEASE", "9s"),
            ("INSTANCE", "job-1"),
        ]);
        let read = read.unwrap();
        assert_eq!(
            (read.asset.as_str(), read.render.as_str()),
            ("http://127.0.0.1:5001", "http://a:1,http://b:1")
        );
        assert_eq!((read.audio.as_str(), read.instance.as_str()), ("dns://audio:5005", "job-1"));
        assert_eq!(read.lease, Duration::from_secs(9));
    }
}
