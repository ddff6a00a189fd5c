//! The type of a file from its first bytes: a name or a header may say anything.

use std::io;
use std::path::Path;

use tokio::io::AsyncReadExt as _;

/// How much of a file is looked at.
const LOOKED_AT: u64 = 8 * 1024;

/// What sort of thing a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// A picture.
    Image,
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// A document, such as PDF.
    Document,
    /// Known, but none of the above.
    Other,
}

/// A recognised type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileType {
    /// What sort of thing it is.
    pub family: Family,
    /// Such as `image/jpeg`.
    pub content_type: &'static str,
    /// Such as `jpg`.
    pub extension: &'static str,
}

impl FileType {
    /// The type of these first bytes; none when they are nothing known.
    #[must_use]
    pub fn of(first: &[u8]) -> Option<Self> {
        let found = infer::get(first)?;
        let family = match found.matcher_type() {
            infer::MatcherType::Image => Family::Image,
            infer::MatcherType::Video => Family::Video,
            infer::MatcherType::Audio => Family::Audio,
            infer::MatcherType::Doc | infer::MatcherType::Book => Family::Document,
            _ if found.mime_type() == "application/pdf" => Family::Document,
            _ => Family::Other,
        };
        let content_type = match found.mime_type() {
            // The registered names.
            "audio/m4a" => "audio/mp4",
            "video/x-m4v" => "video/mp4",
            "audio/x-wav" => "audio/wav",
            other => other,
        };
        Some(Self { family, content_type, extension: found.extension() })
    }
}

/// The type of a file; none when it is empty or nothing known.
///
/// # Errors
/// When the file cannot be read.
pub async fn sniff(path: impl AsRef<Path>) -> io::Result<Option<FileType>> {
    let mut first = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(LOOKED_AT).read_to_end(&mut first).await?;
    Ok(FileType::of(&first))
}
