//! Which calls may be sent again when no answer came.
//!
//! A call that was never sent may always be sent again. One that may have been carried out may be sent again
//! only if carrying it out twice is carrying it out once. That is said here for each method; a method that
//! is missing here is treated as one that may not. A test compares this table with the protos.

use prost::Message as _;

/// Why a method's call may be sent again, if it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// It only reads.
    Reads,
    /// It acts under a key that every request has (that of an import is where each thing comes from, that of bytes is
    /// what they are), or only hints at something that is then looked up.
    Keyed,
    /// It acts once per `command_id`; without one it may not be sent again.
    Command,
    /// It only reads, and answers with a stream: it may be sent again until the stream begins.
    Stream,
    /// Its request is a stream, which nobody keeps for another try: it is sent again only when it was never sent.
    Upload,
    /// Nothing is known about it.
    Unknown,
}

/// The gRPC methods of our services and of health, by path.
const METHODS: &[(&str, Method)] = &[
    ("/filmstrip.asset.v1.AssetService/CreateApiKey", Method::Command),
    ("/filmstrip.asset.v1.AssetService/CreateAsset", Method::Command),
    ("/filmstrip.asset.v1.AssetService/CreateCampaign", Method::Command),
    ("/filmstrip.asset.v1.AssetService/CreateClient", Method::Command),
    ("/filmstrip.asset.v1.AssetService/DeleteAsset", Method::Command),
    ("/filmstrip.asset.v1.AssetService/DeleteCampaign", Method::Command),
    ("/filmstrip.asset.v1.AssetService/DeleteClient", Method::Command),
    ("/filmstrip.asset.v1.AssetService/GetAsset", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/GetCampaign", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/GetClient", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/GetKeyRing", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/GetPicture", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/ImportAsset", Method::Command),
    ("/filmstrip.asset.v1.AssetService/ListApiKeys", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/ListAssets", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/ListCampaigns", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/ListClients", Method::Reads),
    ("/filmstrip.asset.v1.AssetService/RevokeApiKey", Method::Command),
    ("/filmstrip.asset.v1.AssetService/UpdateCampaign", Method::Command),
    ("/filmstrip.asset.v1.AssetService/UpdateClient", Method::Command),
    ("/filmstrip.asset.v1.LegacyService/CheckBytes", Method::Reads),
    ("/filmstrip.asset.v1.LegacyService/FetchBytes", Method::Keyed),
    ("/filmstrip.asset.v1.LegacyService/Import", Method::Keyed),
    ("/filmstrip.asset.v1.LegacyService/ListImported", Method::Reads),
    ("/filmstrip.asset.v1.LegacyService/StoreBytes", Method::Upload),
    ("/filmstrip.audio.v1.AudioService/CancelSoundtrack", Method::Keyed),
    ("/filmstrip.audio.v1.AudioService/GetSoundtrack", Method::Reads),
    ("/filmstrip.audio.v1.AudioService/ReceiveWebhook", Method::Keyed),
    ("/filmstrip.audio.v1.AudioService/RequestSoundtrack", Method::Keyed),
    ("/filmstrip.audio.v1.VoiceService/GetVoice", Method::Reads),
    ("/filmstrip.audio.v1.VoiceService/RequestVoice", Method::Keyed),
    ("/filmstrip.job.v1.JobService/ApproveJob", Method::Command),
    ("/filmstrip.job.v1.JobService/CancelJob", Method::Command),
    ("/filmstrip.job.v1.JobService/CreateJob", Method::Command),
    ("/filmstrip.job.v1.JobService/EditScene", Method::Command),
    ("/filmstrip.job.v1.JobService/GetEstimate", Method::Reads),
    ("/filmstrip.job.v1.JobService/GetJob", Method::Reads),
    ("/filmstrip.job.v1.JobService/GetScene", Method::Reads),
    ("/filmstrip.job.v1.JobService/GetSpend", Method::Reads),
    ("/filmstrip.job.v1.JobService/GetStrip", Method::Reads),
    ("/filmstrip.job.v1.JobService/ListJobs", Method::Reads),
    ("/filmstrip.job.v1.JobService/ListScenes", Method::Reads),
    ("/filmstrip.job.v1.JobService/ListVideos", Method::Reads),
    ("/filmstrip.job.v1.JobService/OverrideScene", Method::Command),
    ("/filmstrip.job.v1.JobService/ReadFeed", Method::Reads),
    ("/filmstrip.job.v1.JobService/RegenerateScenes", Method::Command),
    ("/filmstrip.job.v1.JobService/RemoveScene", Method::Command),
    ("/filmstrip.job.v1.JobService/ReorderScenes", Method::Command),
    ("/filmstrip.job.v1.JobService/Watch", Method::Stream),
    ("/filmstrip.job.v1.LegacyService/Import", Method::Keyed),
    ("/filmstrip.job.v1.LegacyService/ListImported", Method::Reads),
    ("/filmstrip.job.v1.PipelineService/ConfigurePipeline", Method::Command),
    ("/filmstrip.job.v1.PipelineService/GetPipeline", Method::Reads),
    ("/filmstrip.job.v1.PipelineService/ListTemplates", Method::Reads),
    ("/filmstrip.job.v1.PipelineService/PreviewScript", Method::Reads),
    ("/filmstrip.job.v1.PipelineService/PreviewStoryboard", Method::Reads),
    ("/filmstrip.job.v1.PipelineService/WishSoundtrack", Method::Command),
    ("/filmstrip.render.v1.RenderService/CancelRender", Method::Keyed),
    ("/filmstrip.render.v1.RenderService/GetRender", Method::Reads),
    ("/filmstrip.render.v1.RenderService/ReceiveWebhook", Method::Keyed),
    ("/filmstrip.render.v1.RenderService/RequestRender", Method::Keyed),
    ("/filmstrip.stitch.v1.OverlayService/PreviewOverlay", Method::Reads),
    ("/filmstrip.stitch.v1.OverlayService/RequestOverlay", Method::Keyed),
    ("/filmstrip.stitch.v1.StitchService/CancelProduct", Method::Keyed),
    ("/filmstrip.stitch.v1.StitchService/GetFrame", Method::Reads),
    ("/filmstrip.stitch.v1.StitchService/GetProduct", Method::Reads),
    ("/filmstrip.stitch.v1.StitchService/RequestCut", Method::Keyed),
    ("/filmstrip.stitch.v1.StitchService/RequestMix", Method::Keyed),
    ("/grpc.health.v1.Health/Check", Method::Reads),
    ("/grpc.health.v1.Health/Watch", Method::Stream),
];

/// The paths of all methods that are known here.
pub fn paths() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(path, _)| *path)
}

impl Method {
    /// The method at a path such as "/filmstrip.job.v1.JobService/GetJob".
    #[must_use]
    pub fn of(path: &str) -> Self {
        METHODS.iter().find(|(known, _)| *known == path).map_or(Self::Unknown, |(_, method)| *method)
    }

    /// Whether a call of this method with this request message may be sent again although it may have been
    /// carried out.
    #[must_use]
    pub fn is_repeatable(self, message: &[u8]) -> bool {
        match self {
            Self::Reads | Self::Keyed | Self::Stream => true,
            Self::Command => Commanded::decode(message).is_ok_and(|said| !said.command_id.is_empty()),
            Self::Upload | Self::Unknown => false,
        }
    }
}

/// What all requests of commands have in common.
#[derive(Clone, PartialEq, prost::Message)]
struct Commanded {
    #[prost(string, tag = "1")]
    command_id: String,
}
