//! What each process is told: by its environment alone, one variable for each key of its configuration.

use std::{net::SocketAddr, path::PathBuf};

use crate::{Options, ProviderKeys, Service};

/// Where everything is that processes need of each other.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) nats_url: String,
    pub(crate) blobs: BlobSettings,
    pub(crate) soundstage_url: String,
    /// The secret of signed links.
    pub(crate) link_secret: String,
    /// Every replica of every kind.
    pub(crate) addresses: Vec<(Service, SocketAddr)>,
}

/// How the object store is reached.
#[derive(Clone, Debug)]
pub struct BlobSettings {
    /// Such as `s3://bucket`.
    pub url: String,
    /// Such as `http://127.0.0.1:9000`.
    pub endpoint: String,
    /// The bucket's name.
    pub bucket: String,
    /// Who we are there.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: String,
}

/// One replica to be.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) service: Service,
    /// Which of its kind, from 0.
    pub(crate) index: usize,
    pub(crate) listen: SocketAddr,
    /// None for the gateway.
    pub(crate) database_url: Option<String>,
    pub(crate) scratch: PathBuf,
}

impl Surroundings {
    /// All replicas of a kind, separated by commas.
    fn addresses(&self, service: Service) -> String {
        let of_kind = self.addresses.iter().filter(|(kind, _)| *kind == service);
        of_kind.map(|(_, address)| format!("http://{address}")).collect::<Vec<_>>().join(",")
    }

    fn first_gateway(&self) -> Option<SocketAddr> {
        let mut gateways = self.addresses.iter().filter(|(kind, _)| *kind == Service::Gateway);
        gateways.next().map(|(_, address)| *address)
    }
}

/// The whole environment of a replica, but for PATH.
pub(crate) fn variables(options: &Options, around: &Surroundings, place: &Place) -> Vec<(String, String)> {
    let service = place.service;
    let buys = matches!(service, Service::Render | Service::Audio);
    let mut set = Variables::default();
    set.put("LISTEN", place.listen);
    set.put("TMPDIR", place.scratch.display());
    set.put("LOG_FILTER", &options.log_filter);
    set.put("LOG_FORMAT", "json");
    set.put("STOP_DELAY", format!("{}ms", options.stop_delay.as_millis()));
    if let Some(url) = &place.database_url {
        set.put("DATABASE_URL", url);
        set.put("NATS_URL", &around.nats_url);
        if options.named {
            set.put("INSTANCE", format!("{service}-{}", place.index));
        }
    }
    if service != Service::Job {
        set.put("BLOB_URL", &around.blobs.url);
        set.put("S3_ENDPOINT", &around.blobs.endpoint);
        set.put("S3_ACCESS_KEY_ID", &around.blobs.access_key_id);
        set.put("S3_SECRET_ACCESS_KEY", &around.blobs.secret_access_key);
        set.put("SCRATCH_DIR", place.scratch.display());
    }
    if buys || service == Service::Job {
        match &options.provider_keys {
            None => set.put("SOUNDSTAGE_URL", &around.soundstage_url),
            Some(keys) => providers(&mut set, service, keys, &around.soundstage_url),
        }
    }
    let asked: &[Service] = match service {
        Service::Gateway => &Service::WITH_DATABASE,
        Service::Job => &[Service::Asset, Service::Render, Service::Stitch, Service::Audio],
        _ => &[],
    };
    for asked in asked {
        set.put(format!("SERVICES_{}", asked.name().to_uppercase()), around.addresses(*asked));
    }
    let public = around.first_gateway().filter(|_| options.public && buys);
    if let Some(gateway) = public {
        set.put("PUBLIC_BASE_URL", format!("http://{gateway}"));
    }
    if public.is_some() || service == Service::Gateway {
        set.put("LINK_SECRET", &around.link_secret);
    }
    if let Some(lease) = options.lease {
        match service {
            Service::Render | Service::Audio => set.put("POLICY_LEASE", format!("{}ms", lease.as_millis())),
            Service::Job | Service::Stitch => set.put("LEASE", format!("{}ms", lease.as_millis())),
            Service::Asset | Service::Gateway => {}
        }
    }
    if let (Service::Gateway, Some(key)) = (service, &options.api_key) {
        set.put("API_AUTH_KEY", key);
    }
    for (_, name, value) in options.variables.iter().filter(|(kind, ..)| *kind == service) {
        set.put(name.clone(), value);
    }
    set.0
}

/// The providers that a service asks, at this address, with their keys.
fn providers(set: &mut Variables, service: Service, keys: &ProviderKeys, url: &str) {
    let asked: &[(&str, &str)] = match service {
        Service::Job => &[("XAI", &keys.xai)],
        Service::Audio => &[("REPLICATE", &keys.replicate), ("ELEVENLABS", &keys.elevenlabs)],
        _ => &[("REPLICATE", &keys.replicate)],
    };
    for (name, key) in asked {
        set.put(format!("{name}_BASE_URL"), url);
        set.put(format!("{name}_API_KEY"), key);
    }
}

#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    /// Sets it; a later value replaces an earlier one.
    fn put(&mut self, name: impl Into<String>, value: impl std::fmt::Display) {
        let name = name.into();
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn around() -> Surroundings {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        Surroundings {
            nats_url: "nats://127.0.0.1:4222".into(),
            blobs: BlobSettings {
                url: "s3://films".into(),
                endpoint: "http://127.0.0.1:9000".into(),
                bucket: "films".into(),
                access_key_id: "id".into(),
                secret_access_key: "hush".into(),
            },
            soundstage_url: "http://127.0.0.1:4600".into(),
            link_secret: "secret".into(),
            addresses: vec![
                (Service::Asset, at(1)),
                (Service::Asset, at(2)),
                (Service::Job, at(3)),
                (Service::Gateway, at(4)),
            ],
        }
    }

    fn of(service: Service, options: &Options) -> Vec<(String, String)> {
        let database_url = (service != Service::Gateway).then(|| "postgres://x/y".to_owned());
        let listen = SocketAddr::from(([127, 0, 0, 1], 9));
        let place = Place { service, index: 1, listen, database_url, scratch: "/scratch".into() };
        variables(options, &around(), &place)
    }

    fn get<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
        variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn who_asks_is_told_every_replica_of_whom_it_asks() {
        let gateway = of(Service::Gateway, &Options::default());
        assert_eq!(get(&gateway, "SERVICES_ASSET"), Some("http://127.0.0.1:1,http://127.0.0.1:2"));
        assert_eq!(get(&gateway, "SERVICES_JOB"), Some("http://127.0.0.1:3"));
        assert_eq!(get(&of(Service::Job, &Options::default()), "SERVICES_JOB"), None);
    }

    #[test]
    fn only_who_keeps_bytes_is_told_the_object_store() {
        assert_eq!(get(&of(Service::Stitch, &Options::default()), "BLOB_URL"), Some("s3://films"));
        assert_eq!(get(&of(Service::Job, &Options::default()), "S3_SECRET_ACCESS_KEY"), None);
    }

    #[test]
    fn the_gateway_has_no_database_and_no_provider() {
        let gateway = of(Service::Gateway, &Options::default());
        for name in ["DATABASE_URL", "NATS_URL", "SOUNDSTAGE_URL"] {
            assert_eq!(get(&gateway, name), None, "{name}");
        }
    }

    #[test]
    fn who_buys_learns_our_address_only_when_providers_may_reach_us() {
        assert_eq!(get(&of(Service::Render, &Options::default()), "PUBLIC_BASE_URL"), None);
        let public = Options { public: true, ..Options::default() };
        let render = of(Service::Render, &public);
        assert_eq!(get(&render, "PUBLIC_BASE_URL"), Some("http://127.0.0.1:4"));
        assert_eq!(get(&render, "LINK_SECRET"), get(&of(Service::Gateway, &public), "LINK_SECRET"));
        assert_eq!(get(&of(Service::Stitch, &public), "LINK_SECRET"), None);
    }

    #[test]
    fn with_keys_the_stand_ins_pass_for_the_providers() {
        let [replicate, xai, elevenlabs] = ["r8", "xai", "xi"].map(str::to_owned);
        let keys = Some(ProviderKeys { replicate, xai, elevenlabs });
        let options = Options { provider_keys: keys, ..Options::default() };
        let job = of(Service::Job, &options);
        assert_eq!(get(&job, "XAI_API_KEY"), Some("xai"));
        assert_eq!(get(&job, "XAI_BASE_URL"), Some("http://127.0.0.1:4600"));
        assert_eq!((get(&job, "SOUNDSTAGE_URL"), get(&job, "REPLICATE_API_KEY")), (None, None));
        assert_eq!(get(&of(Service::Audio, &options), "ELEVENLABS_API_KEY"), Some("xi"));
        assert_eq!(get(&of(Service::Render, &options), "REPLICATE_API_KEY"), Some("r8"));
        assert_eq!(get(&of(Service::Stitch, &options), "REPLICATE_API_KEY"), None);
    }

    #[test]
    fn a_lease_goes_by_the_name_that_each_process_knows() {
        let options = Options { lease: Some(Duration::from_secs(3)), ..Options::default() };
        assert_eq!(get(&of(Service::Render, &options), "POLICY_LEASE"), Some("3000ms"));
        assert_eq!(get(&of(Service::Job, &options), "LEASE"), Some("3000ms"));
        assert_eq!(get(&of(Service::Asset, &options), "LEASE"), None);
    }

    #[test]
    fn replicas_have_names_of_their_own_when_they_are_to_have_any() {
        assert_eq!(get(&of(Service::Render, &Options::default()), "INSTANCE"), None);
        let named = Options { named: true, ..Options::default() };
        assert_eq!(get(&of(Service::Render, &named), "INSTANCE"), Some("render-1"));
        assert_eq!(get(&of(Service::Gateway, &named), "INSTANCE"), None);
    }

    #[test]
    fn what_a_test_sets_itself_wins() {
        let variables = vec![(Service::Stitch, "SCRATCH_DIR".to_owned(), "/other".to_owned())];
        let stitch = of(Service::Stitch, &Options { variables, ..Options::default() });
        assert_eq!(get(&stitch, "SCRATCH_DIR"), Some("/other"));
    }
}
