//! What the process `filmstrip-render` is told, as the service's settings.

use std::time::Duration;

use kit::{Deps, Running, signing::UrlSigner};
use predictions::{Account, Policy, PublicUrls, ReplicateConfig};
use process::{Common, Reader, Service, settings::media_threads};
use secrecy::SecretString;

/// What stand-in providers put up with: they do not throttle.
const STAND_IN_STARTS: u32 = 50;
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(3600);

/// The service with its settings.
pub(crate) struct Process(render::Settings);

impl Service for Process {
    const NAME: &'static str = bus::subjects::source::RENDER;
    const ABOUT: &'static str = env!("CARGO_PKG_DESCRIPTION");
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const MIGRATIONS: eventlog::Migrations = render::MIGRATIONS;
    const TRANSLATE: bus::Translate = render::publish::translate;

    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self> {
        let stand_in = reader.is_set("soundstage_url");
        let provider = provider(reader, stand_in);
        let public = public(reader);
        let (account, policy) = (account(reader, stand_in), policy(reader, stand_in));
        let threads = media_threads(reader);
        let replicate = ReplicateConfig { public, ..provider? };
        Some(Self(render::Settings {
            threads,
            account,
            policy,
            owner: common.instance.clone(),
            ..render::Settings::new(replicate)
        }))
    }

    async fn build(self, deps: Deps) -> anyhow::Result<Running> {
        Box::pin(render::build(self.0, deps)).await
    }
}

/// Where clips are bought; none when that is not known, which the reader has noted.
fn provider(reader: &mut Reader<'_>, stand_in: bool) -> Option<ReplicateConfig> {
    let soundstage = reader.url("soundstage_url");
    let base = reader.required_url("replicate.base_url");
    let key = reader.secret("replicate.api_key");
    if stand_in {
        return soundstage.map(ReplicateConfig::soundstage);
    }
    if key.is_none() {
        let fix = "Set REPLICATE_API_KEY (or REPLICATE_API_KEY_FILE) to the key of the account, or SOUNDSTAGE_URL to \
                   stand-in providers (`filmstrip soundstage`).";
        reader.refuse("replicate.api_key", "is not set, and soundstage_url neither", fix);
    }
    Some(ReplicateConfig::replicate(base?, key?))
}

/// How the provider reaches us, if it does.
fn public(reader: &mut Reader<'_>) -> Option<PublicUrls> {
    let base = reader.url("public_base_url");
    let secret: Option<SecretString> = reader.secret("link_secret");
    if base.is_some() && secret.is_none() {
        let fix = "Set LINK_SECRET (or LINK_SECRET_FILE) to the same secret as the gateway's, or leave \
                   public_base_url empty.";
        reader.refuse("link_secret", "is not set but public_base_url is", fix);
    }
    if let (Some(_), Some(secret)) = (&base, &secret) {
        reader.refuse_if_short("link_secret", secret);
    }
    Some(PublicUrls::new(base?, UrlSigner::of_list(&secret?), Process::NAME))
}

fn account(reader: &mut Reader<'_>, stand_in: bool) -> Account {
    let unset = reader.is_default("account.starts_per_second");
    let starts = reader.count("account.starts_per_second", 1..=1000);
    Account {
        max_in_flight: reader.count("account.max_in_flight", 1..=1000),
        starts_per_second: if stand_in && unset { STAND_IN_STARTS } else { starts },
    }
}

fn policy(reader: &mut Reader<'_>, stand_in: bool) -> Policy {
    let lease = reader.duration("policy.lease", SHORTEST_LEASE..=LONGEST_LEASE);
    let policy = Policy { lease, ..Policy::default() };
    if !stand_in {
        return policy;
    }
    // Stand-ins answer a poll in a millisecond.
    Policy { poll_first: Duration::from_millis(200), poll_most: Duration::from_secs(2), ..policy }
}

#[cfg(test)]
mod tests {
    use process::testing::read_service;

    use super::*;

    const NEEDED: [(&str, &str); 3] = [
        ("DATABASE_URL", "postgres://render@db/film"),
        ("NATS_URL", "nats://nats"),
        ("BLOB_URL", "s3://media"),
    ];

    fn read(more: &[(&str, &str)]) -> Result<render::Settings, Vec<String>> {
        read_service::<Process>(&[&NEEDED[..], more].concat()).map(|process| process.0)
    }

    #[test]
    fn without_a_key_and_without_stand_ins_the_process_refuses_to_start() {
        let told = read(&[]).map(|_| ()).unwrap_err().concat();
        assert!(told.contains("REPLICATE_API_KEY") && told.contains("SOUNDSTAGE_URL"), "{told}");
    }

    #[test]
    fn the_defaults_are_the_services_own() {
        let read = read(&[("REPLICATE_API_KEY", "r8")]).unwrap();
        let own = render::Settings::new(read.replicate.clone());
        assert_eq!((read.account, read.policy), (own.account, own.policy));
        assert_ne!(read.owner, own.owner, "each replica has a name of its own");
        assert!(read.replicate.public.is_none());
    }

    #[test]
    fn with_stand_ins_no_key_is_needed_and_everything_is_quick() {
        let stand_in = ("SOUNDSTAGE_URL", "http://127.0.0.1:9");
        let quick = read(&[stand_in]).unwrap();
        assert_eq!(quick.replicate.base_url.as_str(), "http://127.0.0.1:9/");
        assert_eq!(quick.account.starts_per_second, STAND_IN_STARTS);
        assert_eq!(quick.policy.poll_first, Duration::from_millis(200));
        let slow = read(&[stand_in, ("ACCOUNT_STARTS_PER_SECOND", "3")]).unwrap();
        assert_eq!(slow.account.starts_per_second, 3, "what is set is kept");
    }

    #[test]
    fn a_provider_that_is_to_reach_us_needs_the_secret_of_links() {
        let public = [("REPLICATE_API_KEY", "r8"), ("PUBLIC_BASE_URL", "https://film.example.org")];
        let told = read(&public).map(|_| ()).unwrap_err().concat();
        assert!(told.contains("LINK_SECRET"), "{told}");
        let with = |secret| read(&[&public[..], &[("LINK_SECRET", secret)]].concat());
        let told = with("hunter2").map(|_| ()).unwrap_err().concat();
        assert!(told.contains("fewer than 32") && !told.contains("hunter2"), "{told}");
        let read = with("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(read.replicate.public.unwrap().service, "render");
    }

    #[test]
    fn limits_leases_and_names_can_be_set() {
        let read = read(&[
            ("REPLICATE_API_KEY", "r8"),
            ("ACCOUNT_MAX_IN_FLIGHT", "7"),
            ("POLICY_LEASE", "90s"),
            ("INSTANCE", "render-1"),
        ]);
        let read = read.unwrap();
        assert_eq!((read.account.max_in_flight, read.policy.lease), (7, Duration::from_secs(90)));
        assert_eq!(read.owner, "render-1");
    }
}
