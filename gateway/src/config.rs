//! What the process `filmstrip-gateway` is told, as the gateway's settings.

use std::time::Duration;

use gateway::{Addresses, Backends, GatewayDeps, Origins, Settings};
use process::{Common, Edge, EdgeDeps, Reader, settings::scratch_limit, version};
use secrecy::ExposeSecret as _;

const LONGEST_DRAIN: Duration = Duration::from_secs(3600);

/// The gateway with its settings.
pub(crate) struct Process {
    settings: Settings,
    backends: Addresses,
}

impl Edge for Process {
    const NAME: &'static str = "gateway";
    const ABOUT: &'static str = env!("CARGO_PKG_DESCRIPTION");
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const READY_PATH: &'static str = "/readyz";
    const LIVE_PATH: &'static str = "/livez";

    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self> {
        let keys = reader.secret("api_auth_key").unwrap_or_default();
        let api_keys = Settings::parse_keys(keys.expose_secret());
        let listen = common.listen;
        if api_keys.is_empty() && !listen.ip().is_loopback() {
            let what = format!(
                "is not set, and {listen} can be reached from other machines: anyone could spend your money"
            );
            let fix = "Set API_AUTH_KEY (or API_AUTH_KEY_FILE) to one or more keys, separated by commas, or listen \
                       on 127.0.0.1.";
            reader.refuse("api_auth_key", what, fix);
        }
        let link_secret = reader.required_secret("link_secret");
        reader.refuse_if_short("link_secret", &link_secret);
        let settings = Settings {
            api_keys,
            max_upload_bytes: largest_upload(reader),
            redirect_media: redirect(reader),
            cors_origins: origins(reader),
            testing_routes: reader.bool("testing.routes"),
            drain: drain(reader, common.grace()),
            commit: version::known(version::COMMIT),
            ..Settings::new(link_secret)
        };
        let services = ["asset", "job", "render", "stitch", "audio"];
        let [asset, job, render, stitch, audio] =
            services.map(|name| reader.addresses(&format!("services.{name}")));
        Some(Self { settings, backends: Addresses { asset, job, render, stitch, audio } })
    }

    async fn build(self, deps: EdgeDeps) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
        let EdgeDeps { blobs, listener, clock, cancel, readiness } = deps;
        let backends = Backends::new(&self.backends)?;
        let deps = GatewayDeps { listener, blobs, clock, cancel, readiness, backends };
        let running = gateway::build(self.settings, deps)?;
        Ok(async move { running.stopped().await })
    }
}

/// The largest file, which must find room in scratch.
fn largest_upload(reader: &mut Reader<'_>) -> u64 {
    let largest = reader.count("max_upload_bytes", 1..=i64::MAX);
    if ["max_upload_bytes", "scratch.limit"].into_iter().any(|key| reader.is_refused(key)) {
        return largest;
    }
    if let Some(limit) = scratch_limit(reader).filter(|limit| *limit < largest) {
        let what = format!("{limit} bytes have no room for an upload of {largest} bytes (max_upload_bytes)");
        let fix = "Raise SCRATCH_LIMIT, and the volume that it is for, or lower MAX_UPLOAD_BYTES.";
        reader.refuse("scratch.limit", what, fix);
    }
    largest
}

/// Whether downloads are answered with links to the store, which a directory has none of.
fn redirect(reader: &mut Reader<'_>) -> bool {
    let redirect = reader.bool("media.redirect");
    let store = reader.text("blob_url");
    if redirect && !store.is_empty() && !store.starts_with("s3://") {
        let what =
            format!("is true, but {store:?} (blob_url) is a directory, which callers cannot be sent to");
        reader.refuse("media.redirect", what, "Set MEDIA_REDIRECT=false, or BLOB_URL to a bucket (s3://…).");
    }
    redirect
}

/// The web sites whose pages may use the API.
fn origins(reader: &mut Reader<'_>) -> Origins {
    Origins::parse(&reader.text("cors.origins")).unwrap_or_else(|wrong| {
        let what = format!("holds {wrong:?}, which is no origin");
        let fix = "Give origins such as \"https://app.example\", separated by commas and without a slash at the end, \
                   or \"*\" alone for all.";
        reader.refuse("cors.origins", what, fix);
        Origins::None
    })
}

/// How long requests may take to finish, which must leave time for the end of the process.
fn drain(reader: &mut Reader<'_>, grace: Duration) -> Duration {
    let drain = reader.duration("drain", Duration::ZERO..=LONGEST_DRAIN);
    if drain >= grace && !reader.is_refused("drain") && !reader.is_refused("stop.grace") {
        let what =
            format!("{drain:?} is not less than stop.grace ({grace:?}): the process would end unfinished");
        reader.refuse("drain", what, "Give less than stop.grace (STOP_GRACE), or raise that.");
    }
    drain
}

#[cfg(test)]
mod tests {
    use process::testing::read_edge;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn told(more: &[(&str, &str)]) -> Vec<String> {
        read(more).map(|_| ()).unwrap_err()
    }

    fn read(more: &[(&str, &str)]) -> Result<Process, Vec<String>> {
        read_edge::<Process>(&[more, &[("BLOB_URL", "s3://media"), ("LINK_SECRET", SECRET)]].concat())
    }

    #[test]
    fn off_loopback_without_a_key_the_gateway_refuses_to_start() {
        let told = read(&[("LISTEN", "0.0.0.0:4000")]).map(|_| ()).unwrap_err().concat();
        assert!(told.contains("API_AUTH_KEY") && told.contains("0.0.0.0:4000"), "{told}");
        let read = read(&[("LISTEN", "0.0.0.0:4000"), ("API_AUTH_KEY", "a, b")]).unwrap();
        assert_eq!(read.settings.api_keys.len(), 2);
    }

    #[test]
    fn the_secret_of_links_is_always_needed() {
        let told = read_edge::<Process>(&[("BLOB_URL", "s3://media")]).map(|_| ()).unwrap_err();
        assert!(told.len() == 1 && told[0].contains("LINK_SECRET"), "{told:?}");
    }

    #[test]
    fn a_secret_of_links_that_could_be_guessed_is_refused() {
        let told = read_edge::<Process>(&[("BLOB_URL", "s3://media"), ("LINK_SECRET", "hunter2")]);
        let told = told.map(|_| ()).unwrap_err();
        assert!(told.len() == 1 && told[0].contains("openssl rand -hex 32"), "{told:?}");
        assert!(!told[0].contains("hunter2"), "{told:?}");
        let two = format!("{SECRET},{}", SECRET.repeat(2));
        assert!(read(&[("LINK_SECRET", &two)]).is_ok(), "one that replaces another");
    }

    #[test]
    fn the_testing_routes_are_off_unless_they_are_switched_on() {
        assert!(!read(&[]).unwrap().settings.testing_routes);
        assert!(read(&[("TESTING_ROUTES", "true")]).unwrap().settings.testing_routes);
    }

    #[test]
    fn callers_cannot_be_sent_to_a_directory() {
        let wanted = ("MEDIA_REDIRECT", "true");
        assert!(read(&[wanted]).unwrap().settings.redirect_media);
        let told = told(&[wanted, ("BLOB_URL", "file:///srv/media")]);
        assert!(
            told.len() == 1 && told[0].contains("media.redirect") && told[0].contains("BLOB_URL"),
            "{told:?}"
        );
        assert!(read(&[("BLOB_URL", "file:///srv/media")]).is_ok());
    }

    #[test]
    fn an_upload_of_the_largest_size_must_find_room() {
        assert!(read(&[("SCRATCH_LIMIT", "2Gi")]).is_ok());
        assert!(read(&[("SCRATCH_LIMIT", "1Gi"), ("MAX_UPLOAD_BYTES", "1073741824")]).is_ok());
        let told = told(&[("SCRATCH_LIMIT", "1Gi")]);
        assert!(told.len() == 1 && told[0].contains("scratch.limit (SCRATCH_LIMIT)"), "{told:?}");
        assert!(told[0].contains("MAX_UPLOAD_BYTES"), "{told:?}");
        assert_eq!(self::told(&[("SCRATCH_LIMIT", "much")]).len(), 1, "only what is wrong is told");
    }

    #[test]
    fn only_origins_are_taken_for_origins() {
        let read = |given: &str| read(&[("CORS_ORIGINS", given)]).map(|read| read.settings.cors_origins);
        let these = ["https://app.example", "http://localhost:3000"].map(str::to_owned).to_vec();
        assert_eq!(read(" https://app.example, http://localhost:3000,").unwrap(), Origins::These(these));
        assert_eq!((read("*").unwrap(), read("").unwrap()), (Origins::Any, Origins::None));
        for wrong in
            ["app.example", "https://app.example/", "https://app.example, *", "null", "https://a.example/x"]
        {
            let told = read(wrong).unwrap_err();
            assert!(told.len() == 1 && told[0].contains("cors.origins (CORS_ORIGINS)"), "{wrong}: {told:?}");
        }
    }

    #[test]
    fn draining_must_end_before_the_process_does() {
        assert!(read(&[("DRAIN", "24s")]).is_ok());
        for wrong in [&[("DRAIN", "25s")][..], &[("DRAIN", "1m")], &[("STOP_GRACE", "5s")]] {
            let told = told(wrong);
            assert!(told.len() == 1 && told[0].contains("drain (DRAIN)"), "{told:?}");
            assert!(told[0].contains("stop.grace"), "{told:?}");
        }
        assert_eq!(told(&[("STOP_GRACE", "soon")]).len(), 1, "only what is wrong is told");
    }

    #[test]
    fn the_defaults_are_the_gateways_own() {
        let read = read(&[]).unwrap();
        let own = Settings::new("s".into());
        assert_eq!((read.settings.max_upload_bytes, read.settings.drain), (own.max_upload_bytes, own.drain));
        assert_eq!(read.backends.audio, "http://127.0.0.1:5005");
    }
}
