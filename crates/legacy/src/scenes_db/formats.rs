//! Formats as the Python service wrote them: extensions, names of its image library, subtypes, in any case.

/// The name of a format here and its media type; none for what says nothing (`unknown`, `bin`). `kind`: `image`, `video`,
/// `audio` or `document`, for names that more than one of them has.
pub(super) fn known(kind: &str, format: &str) -> Option<(&'static str, &'static str)> {
    let format = format.trim().trim_start_matches('.').to_ascii_lowercase();
    Some(match (format.as_str(), kind) {
        // MPO: several JPEG images in one file, as some cameras write it; what reads JPEG reads the first of them.
        ("jpg" | "jpeg" | "jfif" | "pjpeg" | "mpo", _) => ("jpeg", "image/jpeg"),
        ("png", _) => ("png", "image/png"),
        ("webp", _) => ("webp", "image/webp"),
        ("gif", _) => ("gif", "image/gif"),
        ("svg" | "svg+xml", _) => ("svg", "image/svg+xml"),
        ("bmp", _) => ("bmp", "image/bmp"),
        ("tif" | "tiff", _) => ("tiff", "image/tiff"),
        ("avif", _) => ("avif", "image/avif"),
        ("heic" | "heif", _) => ("heic", "image/heic"),
        ("webm", "audio") => ("webm", "audio/webm"),
        ("webm", _) => ("webm", "video/webm"),
        ("mp4" | "m4v", "video") => ("mp4", "video/mp4"),
        ("mov" | "quicktime", _) => ("mov", "video/quicktime"),
        ("avi" | "x-msvideo", _) => ("avi", "video/x-msvideo"),
        ("mkv" | "x-matroska", _) => ("mkv", "video/x-matroska"),
        ("mp3", _) | ("mpeg", "audio") => ("mp3", "audio/mpeg"),
        ("wav" | "x-wav", _) => ("wav", "audio/wav"),
        ("ogg", "audio") => ("ogg", "audio/ogg"),
        ("aac", _) => ("aac", "audio/aac"),
        ("m4a", _) | ("mp4", "audio") => ("m4a", "audio/mp4"),
        ("pdf", _) => ("pdf", "application/pdf"),
        ("doc" | "msword", _) => ("doc", "application/msword"),
        ("docx", _) => ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("txt", _) => ("txt", "text/plain"),
        _ => return None,
    })
}

/// A media type that says something, without parameters.
pub(super) fn media_type(text: &str) -> Option<String> {
    let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (bare.contains('/') && bare != "application/octet-stream").then_some(bare)
}

/// What kind of asset bytes of a media type are.
pub(super) fn kind(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "document",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("image", "JPG", Some(("jpeg", "image/jpeg")))]
    #[case("image", "mpo", Some(("jpeg", "image/jpeg")))]
    #[case("image", ".svg+xml", Some(("svg", "image/svg+xml")))]
    #[case("audio", "webm", Some(("webm", "audio/webm")))]
    #[case("video", "webm", Some(("webm", "video/webm")))]
    #[case("image", "unknown", None)]
    #[case("document", "bin", None)]
    fn odd_names_of_formats_are_understood_or_say_nothing(
        #[case] kind: &str,
        #[case] format: &str,
        #[case] wanted: Option<(&str, &str)>,
    ) {
        assert_eq!(known(kind, format), wanted);
    }

    #[test]
    fn a_media_type_that_says_nothing_is_none() {
        assert_eq!(media_type("Image/PNG; charset=binary"), Some("image/png".to_owned()));
        assert_eq!(media_type("application/octet-stream"), None);
        assert_eq!(media_type("jpeg"), None);
    }
}
