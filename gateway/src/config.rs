//! What the process `filmstrip-gateway` is told, as the gateway's settings.

use std::time::Duration;

use gateway::{Addresses, Backends, GatewayDeps, Settings};
use process::{Common, Edge, EdgeDeps, Reader};
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
        let settings = Settings {
            api_keys,
            max_upload_bytes: reader.count("max_upload_bytes", 1..=i64::MAX),
            redirect_media: reader.bool("media.redirect"),
            drain: reader.duration("drain", Duration::ZERO..=LONGEST_DRAIN),
            ..Settings::new(reader.required_secret("link_secret"))
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

#[cfg(test)]
mod tests {
    use process::testing::read_edge;

    use super::*;

    fn read(more: &[(&str, &str)]) -> Result<Process, Vec<String>> {
        read_edge::<Process>(&[&[("BLOB_URL", "s3://media"), ("LINK_SECRET", "s")][..], more].concat())
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
    fn the_defaults_are_the_gateways_own() {
        let read = read(&[]).unwrap();
        let own = Settings::new("s".into());
        assert_eq!((read.settings.max_upload_bytes, read.settings.drain), (own.max_upload_bytes, own.drain));
        assert_eq!(read.backends.audio, "http://127.0.0.1:5005");
    }
}
