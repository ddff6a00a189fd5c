//! The services behind the gateway, as gRPC clients.

use std::time::Duration;

use kit::grpc::{BadAddress, Channel, MAX_MESSAGE, channel, channel_with_deadline};
use protos::{
    asset::v1::asset_service_client::AssetServiceClient,
    audio::v1::{audio_service_client::AudioServiceClient, voice_service_client::VoiceServiceClient},
    job::v1::{job_service_client::JobServiceClient, pipeline_service_client::PipelineServiceClient},
    render::v1::render_service_client::RenderServiceClient,
    stitch::v1::{overlay_service_client::OverlayServiceClient, stitch_service_client::StitchServiceClient},
};

/// Planning a storyboard, probing a large upload and fetching a URL wait for the outside world.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the services listen ("http://host:port" or "host:port").
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Clients, campaigns, assets.
    pub asset: String,
    /// Jobs and scenes.
    pub job: String,
    /// Clips.
    pub render: String,
    /// Cuts and frames.
    pub stitch: String,
    /// Soundtracks.
    pub audio: String,
}

/// Clients of the services; connected when first used, cheap to clone.
#[derive(Clone, Debug)]
pub struct Backends {
    asset: Channel,
    patient_asset: Channel,
    job: Channel,
    patient_job: Channel,
    render: Channel,
    stitch: Channel,
    audio: Channel,
}

impl Backends {
    /// Clients for the services at these addresses.
    ///
    /// # Errors
    /// One of them is not a URI.
    pub fn new(addresses: &Addresses) -> Result<Self, BadAddress> {
        Ok(Self {
            asset: channel(&addresses.asset)?,
            patient_asset: channel_with_deadline(&addresses.asset, PATIENCE)?,
            job: channel(&addresses.job)?,
            patient_job: channel_with_deadline(&addresses.job, PATIENCE)?,
            render: channel(&addresses.render)?,
            stitch: channel(&addresses.stitch)?,
            audio: channel(&addresses.audio)?,
        })
    }

    pub(crate) fn asset(&self) -> AssetServiceClient<Channel> {
        AssetServiceClient::new(self.asset.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// For calls that probe or fetch.
    pub(crate) fn patient_asset(&self) -> AssetServiceClient<Channel> {
        AssetServiceClient::new(self.patient_asset.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    pub(crate) fn job(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.job.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// For calls that plan.
    pub(crate) fn patient_job(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.patient_job.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    pub(crate) fn render(&self) -> RenderServiceClient<Channel> {
        RenderServiceClient::new(self.render.clone())
    }

    pub(crate) fn stitch(&self) -> StitchServiceClient<Channel> {
        StitchServiceClient::new(self.stitch.clone())
    }

    /// The settings of the pipeline and looks at it; for calls that may ask a language model.
    pub(crate) fn pipeline(&self) -> PipelineServiceClient<Channel> {
        PipelineServiceClient::new(self.patient_job.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    pub(crate) fn overlay(&self) -> OverlayServiceClient<Channel> {
        OverlayServiceClient::new(self.stitch.clone())
    }

    pub(crate) fn audio(&self) -> AudioServiceClient<Channel> {
        AudioServiceClient::new(self.audio.clone())
    }

    pub(crate) fn voice(&self) -> VoiceServiceClient<Channel> {
        VoiceServiceClient::new(self.audio.clone())
    }

    /// The channels to all services, with their names.
    pub(crate) fn services(&self) -> [(&'static str, &Channel); 5] {
        [
            ("asset", &self.asset),
            ("job", &self.job),
            ("render", &self.render),
            ("stitch", &self.stitch),
            ("audio", &self.audio),
        ]
    }
}
