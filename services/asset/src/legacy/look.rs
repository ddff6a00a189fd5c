//! What the bytes of an asset are, by their first part: nothing is decoded. That is done when somebody asks for a picture.

use blobs::{BlobError, Need};
use imagesize::ImageError;
use kit::ServiceError;
use media::{Family, FileType, Probe};
use tokio::io::AsyncReadExt as _;

use super::{failed, orientation};
use crate::app::App;
use crate::events::{AssetImported, Blob};

/// How much is read at first, and then of pictures whose header says other things before their size.
const FIRST: [u64; 3] = [16 * 1024, 512 * 1024, 8 * 1024 * 1024];
/// How much is looked at for the beginning of an SVG picture.
const SVG_WITHIN: usize = 4 * 1024;
/// What is called an image and is none to be decoded: a document, as far as anything here is concerned.
const SVG: &str = "image/svg+xml";
/// Of bytes that say nothing.
const UNKNOWN: &str = "application/octet-stream";

/// The beginning of a blob.
#[derive(Debug)]
pub(super) struct First {
    pub(super) bytes: Vec<u8>,
    /// Of all of it.
    size: u64,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Known(FileType),
    Svg,
    Nothing,
}

impl Found {
    fn of(first: &[u8]) -> Self {
        match FileType::of(first) {
            Some(found) if found.family != Family::Other => Self::Known(found),
            // A page may hold a drawing and is none.
            Some(found) if found.content_type == "text/html" => Self::Known(found),
            _ if is_svg(first) => Self::Svg,
            Some(found) => Self::Known(found),
            None => Self::Nothing,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Known(found) => found.content_type,
            Self::Svg => SVG,
            Self::Nothing => UNKNOWN,
        }
    }
}

fn is_svg(first: &[u8]) -> bool {
    let text = String::from_utf8_lossy(first.get(..SVG_WITHIN).unwrap_or(first));
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<svg") || (text.starts_with("<?xml") || text.starts_with("<!")) && text.contains("<svg")
}

/// The media type of first bytes.
pub(super) fn content_type(first: &[u8]) -> String {
    Found::of(first).content_type().to_owned()
}

/// The beginning of a blob; none when it is not in the store.
pub(super) async fn first(app: &App, sha256: &str) -> Result<Option<First>, ServiceError> {
    beginning(app, sha256, FIRST[0]).await
}

async fn beginning(app: &App, sha256: &str, most: u64) -> Result<Option<First>, ServiceError> {
    let reader = match app.blobs.open(sha256, Some(0..most)).await {
        Ok(reader) => reader,
        Err(BlobError::NotFound { .. } | BlobError::BadHash { .. }) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let size = reader.size();
    let mut bytes = Vec::new();
    let mut reader = reader;
    reader.read_to_end(&mut bytes).await.map_err(failed)?;
    Ok(Some(First { bytes, size }))
}

/// Puts what the bytes say into the place of what was said. `Err`: why the asset cannot be taken as it is; `Ok`: what a
/// person should know about it, if anything.
pub(super) async fn look(
    app: &App,
    asset: &mut AssetImported,
) -> Result<Result<String, String>, ServiceError> {
    let note = thumbnail(app, asset).await?;
    let Some(said) = asset.blob.take() else { return Ok(Ok(note)) };
    let Some(first) = first(app, &said.sha256).await? else {
        return Ok(Err(format!("its bytes, {}, are not in the object store", said.sha256)));
    };
    let found = Found::of(&first.bytes);
    let kind = match kind_of(&asset.kind, found) {
        Ok(kind) => kind,
        Err(why) => return Ok(Err(why)),
    };
    kind.clone_into(&mut asset.kind);
    asset.blob = Some(Blob { size: first.size, content_type: type_of(kind, found, &said), ..said });
    if let Found::Known(found) = found {
        asset.format = crate::assets::format_of(found);
    } else if found == Found::Svg {
        "svg".clone_into(&mut asset.format);
    }
    match kind {
        "image" => {
            if let Err(why) = image(app, asset, found, first).await? {
                return Ok(Err(why));
            }
        }
        "video" | "audio" => moving(app, asset).await,
        _ => asset.duration_ms = None,
    }
    Ok(Ok(note))
}

/// What an asset is that was said to be something.
fn kind_of(said: &str, found: Found) -> Result<&'static str, String> {
    let family = match found {
        Found::Known(found) => found.family,
        Found::Svg | Found::Nothing => Family::Other,
    };
    match (said, family) {
        ("image" | "document", Family::Image) => Ok("image"),
        ("image" | "document", _) if found == Found::Svg => Ok("document"),
        ("video" | "document", Family::Video) => Ok("video"),
        // A container for video may hold sound only.
        ("audio", Family::Video) | ("video" | "audio" | "document", Family::Audio) => Ok("audio"),
        ("document", _) => Ok("document"),
        (said, _) => {
            let what = match found {
                Found::Nothing => "of no known kind",
                found => found.content_type(),
            };
            Err(format!("it says {said}, but its bytes are no {said}: they are {what}"))
        }
    }
}

fn type_of(kind: &str, found: Found, said: &Blob) -> String {
    match found {
        Found::Nothing if is_type(&said.content_type) => said.content_type.clone(),
        found if kind == "audio" => found.content_type().replace("video/", "audio/"),
        found => found.content_type().to_owned(),
    }
}

/// Whether a text that somebody wrote is a media type without parameters.
fn is_type(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
    };
    text.len() <= 100 && text.split_once('/').is_some_and(|(family, name)| part(family) && part(name))
}

/// Pixels, as the header says. What begins like a picture that can be shown here and has no header is none.
async fn image(
    app: &App,
    asset: &mut AssetImported,
    found: Found,
    first: First,
) -> Result<Result<(), String>, ServiceError> {
    asset.duration_ms = None;
    let Some(Blob { sha256, .. }) = &asset.blob else { return Ok(Ok(())) };
    let mut first = first;
    let mut more = FIRST.iter().skip(1);
    loop {
        match imagesize::blob_size(&first.bytes) {
            Ok(size) if size.width > 0 && size.height > 0 => {
                let turned = found.content_type() == "image/jpeg" && orientation::swaps_sides(&first.bytes);
                let (width, height) =
                    if turned { (size.height, size.width) } else { (size.width, size.height) };
                (asset.width, asset.height) = (u32::try_from(width).ok(), u32::try_from(height).ok());
                return Ok(Ok(()));
            }
            Err(ImageError::IoError(_)) if (first.bytes.len() as u64) < first.size => {}
            _ => break,
        }
        let Some(most) = more.next() else { break };
        match beginning(app, sha256, *most).await? {
            Some(longer) => first = longer,
            None => break,
        }
    }
    let shown = ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(&found.content_type());
    Ok(if shown {
        let what = found.content_type();
        Err(format!("it says image, but its bytes are no image: they begin like {what}, and no size follows"))
    } else {
        Ok(())
    })
}

/// What was said of a video or sound is not looked for. What was not is asked of ffprobe, if that is there.
async fn moving(app: &App, asset: &mut AssetImported) {
    let is_audio = asset.kind == "audio";
    if is_audio {
        (asset.width, asset.height) = (None, None);
    }
    if asset.duration_ms.is_some() && (is_audio || asset.width.is_some() && asset.height.is_some()) {
        return;
    }
    let Some(blob) = asset.blob.clone() else { return };
    let Some(probe) = probe(app, &blob).await else { return };
    asset.duration_ms = asset.duration_ms.or(Some(probe.duration_ms));
    match (&probe.video, &mut asset.blob) {
        (Some(video), _) if !is_audio => {
            let (width, height) = video.shown_size();
            (asset.width, asset.height) = (Some(width), Some(height));
        }
        (None, Some(blob)) => {
            "audio".clone_into(&mut asset.kind);
            (asset.width, asset.height) = (None, None);
            blob.content_type = blob.content_type.replace("video/", "audio/");
        }
        _ => {}
    }
}

async fn probe(app: &App, blob: &Blob) -> Option<Probe> {
    let sha256 = blob.sha256.as_str();
    let probed = async {
        if let Some(path) = app.blobs.path(sha256) {
            return Ok(app.media.probe(&path).await?);
        }
        let work = app.blobs.work_dir(Need { copies: blob.size, made: 0 }).await?;
        let path = work.join("asset");
        app.blobs.fetch_to(sha256, &path).await?;
        anyhow::Ok(app.media.probe(&path).await?)
    };
    probed
        .await
        .inspect_err(|error| tracing::info!(sha256, "an asset stays without its length: {error:#}"))
        .ok()
}

/// A thumbnail that is no picture is left out: another one is drawn when somebody asks for it.
async fn thumbnail(app: &App, asset: &mut AssetImported) -> Result<String, ServiceError> {
    let Some(said) = asset.thumbnail.take() else { return Ok(String::new()) };
    let Some(first) = first(app, &said.sha256).await? else {
        return Ok(format!("its thumbnail, {}, is not in the object store, and was left out", said.sha256));
    };
    match Found::of(&first.bytes) {
        Found::Known(found) if found.family == Family::Image => {
            let (size, content_type) = (first.size, found.content_type.to_owned());
            asset.thumbnail = Some(Blob { size, content_type, ..said });
            Ok(String::new())
        }
        found => Ok(format!("its thumbnail is no picture but {}, and was left out", found.content_type())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];
    const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const PAGE: &[u8] = b"<!DOCTYPE HTML><html><body>404</body></html>";
    const DRAWN: &[u8] = b"\xef\xbb\xbf <?xml version=\"1.0\"?>\n<!-- a --><svg xmlns=\"x\"/>";

    #[rstest]
    #[case::image("image", JPEG, Ok("image"))]
    #[case::an_image_in_the_wrong_drawer("document", JPEG, Ok("image"))]
    #[case::drawn("image", DRAWN, Ok("document"))]
    #[case::drawn_at_once("image", b"<svg/>", Ok("document"))]
    #[case::video("video", MP4, Ok("video"))]
    #[case::sound_in_a_container("audio", MP4, Ok("audio"))]
    #[case::sound("video", MP3, Ok("audio"))]
    #[case::document("document", PDF, Ok("document"))]
    #[case::text("document", b"room list", Ok("document"))]
    #[case::page("image", PAGE, Err("it says image, but its bytes are no image: they are text/html"))]
    #[case::nothing(
        "image",
        b"lobby",
        Err("it says image, but its bytes are no image: they are of no known kind")
    )]
    #[case::empty("video", b"", Err("it says video, but its bytes are no video: they are of no known kind"))]
    #[case::other("video", JPEG, Err("it says video, but its bytes are no video: they are image/jpeg"))]
    fn an_asset_is_what_its_bytes_say(
        #[case] said: &str,
        #[case] bytes: &[u8],
        #[case] kind: Result<&str, &str>,
    ) {
        assert_eq!(kind_of(said, Found::of(bytes)), kind.map_err(str::to_owned));
    }

    #[test]
    fn a_type_that_was_said_counts_only_where_the_bytes_say_nothing() {
        let said = |content_type: &str| Blob {
            sha256: String::new(),
            size: 1,
            content_type: content_type.to_owned(),
        };
        assert_eq!(type_of("document", Found::Nothing, &said("text/plain")), "text/plain");
        for text in ["", "text", "text/", "a/b\r\nx: y", "text/plain; charset=utf-8"] {
            assert_eq!(type_of("document", Found::Nothing, &said(text)), UNKNOWN, "{text}");
        }
        assert_eq!(type_of("document", Found::of(PDF), &said("text/html")), "application/pdf");
        assert_eq!(type_of("audio", Found::of(MP4), &said("")), "audio/mp4");
        assert_eq!(content_type(DRAWN), SVG);
    }
}
