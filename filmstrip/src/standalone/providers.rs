//! Who renders, composes and plans, as settings of the services that ask them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context as _;
use kit::signing::UrlSigner;
use predictions::{Account, Policy, ReplicateConfig, config::PublicUrls};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    data_dir::DataDir,
    options::{Options, Providers},
};

/// Starts the stand-in providers when nobody else is to render.
pub(super) async fn start_stage(
    options: &Options,
    data_dir: &DataDir,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<soundstage::Stage>> {
    if !matches!(options.providers, Providers::Own) {
        return Ok(None);
    }
    let stage = soundstage::StageOptions {
        dir: data_dir.soundstage(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        draft: options.draft,
        seed: 1,
        instant: options.instant,
        time_scale: options.time_scale,
    };
    let stage = soundstage::start(stage, cancel.clone()).await.context("starting the stand-in providers")?;
    Ok(Some(stage))
}

/// Where clips, music and storyboards are bought.
#[derive(Debug)]
pub(super) struct Purchasing {
    replicate: ReplicateConfig,
    stand_in: bool,
    public: Option<(Url, UrlSigner)>,
    planner: Option<job::XaiSettings>,
    voices: Option<audio::voice::ElevenLabsConfig>,
}

impl Purchasing {
    pub(super) fn new(
        options: &Options,
        stage: Option<&soundstage::Stage>,
        signer: UrlSigner,
    ) -> anyhow::Result<Self> {
        let (replicate, planner) = match (&options.providers, stage) {
            (Providers::Real { replicate, xai, .. }, _) => {
                let url = Url::parse(&replicate.base_url).context("REPLICATE_BASE_URL")?;
                let planner = xai.as_ref().map(|xai| job::XaiSettings {
                    base_url: format!("{}/v1", xai.base_url.trim_end_matches("/v1")),
                    ..job::XaiSettings::new(xai.key.clone())
                });
                (ReplicateConfig::replicate(url, replicate.key.clone()), planner)
            }
            (Providers::Soundstage(base), _) => stand_in(base)?,
            (Providers::Own, Some(stage)) => stand_in(&stage.base_url())?,
            (Providers::Own, None) => anyhow::bail!("no providers: neither keys nor a stand-in"),
        };
        let replicate =
            if options.time_scale > 1.0 { hurried(replicate, options.time_scale) } else { replicate };
        let public = options.public_base_url.clone().map(|base| (base, signer));
        let voices = match &options.providers {
            Providers::Real { elevenlabs, .. } => elevenlabs.as_ref().map(|elevenlabs| {
                let url = Url::parse(&elevenlabs.base_url).context("ELEVENLABS_BASE_URL")?;
                anyhow::Ok(audio::voice::ElevenLabsConfig::new(url, elevenlabs.key.clone()))
            }),
            // The same stand-in speaks.
            _ => {
                Some(Ok(audio::voice::ElevenLabsConfig::new(replicate.base_url.clone(), "soundstage".into())))
            }
        };
        let voices = voices.transpose()?;
        let stand_in = !matches!(options.providers, Providers::Real { .. });
        Ok(Self { replicate, stand_in, public, planner, voices })
    }

    pub(super) fn render(&self) -> render::Settings {
        let mut settings = render::Settings::new(self.replicate_for("render"));
        if self.stand_in {
            hurry(&mut settings.account, &mut settings.policy);
        }
        settings
    }

    pub(super) fn audio(&self) -> audio::Settings {
        let mut replicate = self.replicate_for("audio");
        replicate.public = replicate.public.map(PublicUrls::for_segments);
        let mut settings = audio::Settings::new(replicate);
        if self.stand_in {
            hurry(&mut settings.account, &mut settings.policy);
        }
        settings.voices.clone_from(&self.voices);
        settings
    }

    pub(super) fn planner(&self) -> Option<job::XaiSettings> {
        self.planner.clone()
    }

    fn replicate_for(&self, service: &str) -> ReplicateConfig {
        let public = self.public.clone().map(|(base, signer)| PublicUrls::new(base, signer, service));
        ReplicateConfig { public, ..self.replicate.clone() }
    }
}

/// A stand-in on this machine does not throttle, and answers a poll in a millisecond.
fn hurry(account: &mut Account, policy: &mut Policy) {
    account.starts_per_second = 50;
    policy.poll_first = Duration::from_millis(200);
    policy.poll_most = Duration::from_secs(2);
}

/// A clock that runs ahead does so for tests of what waits: nor is an answer that does not come waited for as long.
fn hurried(replicate: ReplicateConfig, time_scale: f64) -> ReplicateConfig {
    ReplicateConfig {
        post_timeout: Duration::from_secs(2),
        orphan_margin: Duration::from_millis(500),
        ..replicate
    }
    .scaled_for(time_scale)
}

fn stand_in(base: &str) -> anyhow::Result<(ReplicateConfig, Option<job::XaiSettings>)> {
    let url = Url::parse(base).context("the address of the stand-in providers")?;
    let planner =
        job::XaiSettings { base_url: format!("{base}/v1"), ..job::XaiSettings::new("soundstage".into()) };
    Ok((ReplicateConfig::soundstage(url), Some(planner)))
}
