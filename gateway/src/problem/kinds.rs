//! Every type of problem that the API answers with; each has its page under `docs/errors`.

use http::StatusCode;

macro_rules! kinds {
    ($($kind:ident $code:literal $status:ident $title:literal)*) => {
        /// A type of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The machine word, the last part of the problem's `type`.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// The status it is answered with.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// What it is called.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// Its page, Markdown.
            pub(crate) fn page(self) -> &'static str {
                match self { $(Self::$kind => include_str!(concat!("../../../docs/errors/", $code, ".md")),)* }
            }
        }
    };
}

kinds! {
    BadRequest "bad_request" BAD_REQUEST "The request cannot be read"
    MissingField "missing_field" BAD_REQUEST "A required field is missing"
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY "Some fields are wrong"
    Unauthorized "unauthorized" UNAUTHORIZED "No valid key"
    LinkRefused "link_refused" FORBIDDEN "The link is not valid"
    Forbidden "forbidden" FORBIDDEN "The key does not allow it"
    KeyNotFound "key_not_found" NOT_FOUND "Key not found"
    NotFound "not_found" NOT_FOUND "Nothing is here"
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The path does not know this method"
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE "The answer would be JSON"
    TooLarge "too_large" PAYLOAD_TOO_LARGE "The body is too large"
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body's type is not understood"
    RangeNotSatisfiable "range_not_satisfiable" RANGE_NOT_SATISFIABLE "The range starts past the end"
    IdempotencyKeyInvalid "idempotency_key_invalid" BAD_REQUEST "The Idempotency-Key cannot be used"
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The Idempotency-Key was used for another request"
    ClientNotFound "client_not_found" NOT_FOUND "Client not found"
    CampaignNotFound "campaign_not_found" NOT_FOUND "Campaign not found"
    AssetNotFound "asset_not_found" NOT_FOUND "Asset not found"
    JobNotFound "job_not_found" NOT_FOUND "Job not found"
    SceneNotFound "scene_not_found" NOT_FOUND "Scene not found"
    SceneOfAnotherJob "scene_of_another_job" UNPROCESSABLE_ENTITY "The scene belongs to another job"
    SceneNotRegenerable "scene_not_regenerable" UNPROCESSABLE_ENTITY "The scene cannot be regenerated"
    SceneNotRemovable "scene_not_removable" UNPROCESSABLE_ENTITY "The scene cannot be deleted"
    NoAssets "no_assets" UNPROCESSABLE_ENTITY "The campaign has nothing to show"
    ClipNotFound "clip_not_found" NOT_FOUND "Clip not found"
    ClipNotReady "clip_not_ready" NOT_FOUND "The clip is not ready"
    VideoNotReady "video_not_ready" NOT_FOUND "The video is not ready"
    AudioNotReady "audio_not_ready" NOT_FOUND "The soundtrack is not ready"
    AudioSegmentGone "audio_segment_gone" NOT_FOUND "The music segment is not there"
    StepNotFound "step_not_found" BAD_REQUEST "The pipeline has no such step"
    SceneTypeNotFound "scene_type_not_found" NOT_FOUND "There is no such scene type"
    NotImplemented "not_implemented" NOT_IMPLEMENTED "This cannot be done yet"
    MediaFailed "media_failed" UNPROCESSABLE_ENTITY "The media could not be made"
    ThumbnailNotAvailable "thumbnail_not_available" NOT_FOUND "There is no thumbnail"
    ThumbnailFailed "thumbnail_failed" INTERNAL_SERVER_ERROR "The thumbnail could not be made"
    BlobUnavailable "blob_unavailable" BAD_GATEWAY "The bytes are not in the store"
    SourceMissing "source_missing" BAD_REQUEST "Neither file nor URL"
    UploadUnreadable "upload_unreadable" BAD_REQUEST "The upload could not be read"
    DownloadFailed "download_failed" BAD_REQUEST "The URL could not be downloaded"
    CampaignHasNoAssets "campaign_has_no_assets" BAD_REQUEST "The campaign has no assets"
    NotEnoughAssets "not_enough_assets" BAD_REQUEST "The campaign has too few images"
    SceneTypesNotAllowed "scene_types_not_allowed" BAD_REQUEST "Scene types outside the list"
    SceneGenerationFailed "scene_generation_failed" SERVICE_UNAVAILABLE "No storyboard could be made"
    JobNotPending "job_not_pending" UNPROCESSABLE_ENTITY "The job was decided already"
    JobOver "job_over" UNPROCESSABLE_ENTITY "The job is over"
    NotAllowed "not_allowed" UNPROCESSABLE_ENTITY "The state does not allow it"
    Conflict "conflict" CONFLICT "Something else was there first"
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong on our side"
    NoRoom "no_room" SERVICE_UNAVAILABLE "There is no room for the file"
    Unavailable "unavailable" SERVICE_UNAVAILABLE "A service is not reachable"
    Deadline "deadline" GATEWAY_TIMEOUT "A service took too long"
}

impl Kind {
    /// The path of its page, which is also the problem's `type`.
    pub(crate) fn page_path(self) -> String {
        format!("/errors/{}", self.code())
    }

    /// Whether it passes by itself, so that the caller may try again after a while.
    pub(crate) fn passes(self) -> bool {
        matches!(
            self,
            Self::NoRoom
                | Self::Unavailable
                | Self::Deadline
                | Self::SceneGenerationFailed
                | Self::TooManyRequests
        )
    }

    /// Whether the same request can succeed when it is sent again.
    pub(crate) fn is_retryable(self) -> bool {
        self.passes() || matches!(self, Self::Internal | Self::UploadUnreadable | Self::DownloadFailed)
    }
}

/// The words of all problem types, as they end a problem's `type`.
#[must_use]
pub fn error_codes() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.code()).collect()
}
