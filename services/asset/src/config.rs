//! What the process `filmstrip-asset` is told, as the service's settings.

use kit::{Deps, Running};
use process::{Common, Reader, Service, settings::media_threads};

/// The service with its settings.
pub(crate) struct Process(asset::Settings);

impl Service for Process {
    const NAME: &'static str = bus::subjects::source::ASSET;
    const ABOUT: &'static str = env!("CARGO_PKG_DESCRIPTION");
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const MIGRATIONS: eventlog::Migrations = asset::store::MIGRATIONS;
    const TRANSLATE: bus::Translate = asset::publish::translate;

    fn read(reader: &mut Reader<'_>, _: &Common) -> Option<Self> {
        Some(Self(asset::Settings { threads: media_threads(reader), ..asset::Settings::default() }))
    }

    async fn build(self, deps: Deps) -> anyhow::Result<Running> {
        asset::build(self.0, deps).await
    }
}
