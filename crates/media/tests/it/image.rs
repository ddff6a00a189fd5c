//! What an image is, its thumbnail, and whether it can be a frame.

use media::MediaError;
use rstest::rstest;

use crate::studio::{Studio, pixels};

/// The bytes of a JPEG with an EXIF orientation put in.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

fn is(pixel: &[u8], colour: [u8; 3]) -> bool {
    pixel.iter().zip(colour).all(|(found, wanted)| found.abs_diff(wanted) < 60)
}

#[tokio::test]
async fn an_image_is_described() {
    let studio = Studio::new();
    for (name, content_type) in
        [("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.webp", "image/webp"), ("a.gif", "image/gif")]
    {
        let image = studio.make("-f lavfi -i testsrc2=s=90x70 -frames:v 1", name);
        let info = studio.media.image(&image).await.unwrap();
        assert_eq!((info.file_type.content_type, info.width, info.height), (content_type, 90, 70));
        let size = studio.media.image_thumbnail(&image, studio.path("thumb.jpg")).await.unwrap();
        assert_eq!(size, (90, 70), "{name}: not enlarged");
    }
}

#[tokio::test]
async fn a_name_that_lies_changes_nothing() {
    let studio = Studio::new();
    let image = studio.make("-f lavfi -i testsrc2=s=90x70 -frames:v 1", "a.png");
    let lying = studio.path("a.jpg");
    std::fs::rename(image, &lying).unwrap();
    let info = studio.media.image(&lying).await.unwrap();
    assert_eq!(info.file_type.content_type, "image/png");
    studio.media.image_thumbnail(&lying, studio.path("thumb.jpg")).await.unwrap();
}

#[tokio::test]
async fn what_is_no_image_is_refused() {
    let studio = Studio::new();
    let clip = studio.clip("clip.mp4", "64x36", "24", 2);
    for path in [
        clip,
        studio.write("text.jpg", "text"),
        studio.write("empty.jpg", ""),
        studio.write("svg.png", "<svg/>"),
    ] {
        let error = studio.media.image(&path).await.unwrap_err();
        assert!(matches!(error, MediaError::NotMedia { .. }), "{}: {error:?}", path.display());
    }
    let bmp = studio.make("-f lavfi -i testsrc2=s=90x70 -frames:v 1", "a.bmp");
    let error = studio.media.image(bmp).await.unwrap_err().to_string();
    assert!(error.contains("image/bmp") && error.contains("JPEG, PNG, WebP or GIF"), "{error}");
}

#[rstest]
#[tokio::test]
async fn a_cut_off_image_is_refused(#[values("a.jpg", "a.png")] name: &str) {
    let studio = Studio::new();
    let image = std::fs::read(studio.make("-f lavfi -i testsrc2=s=320x240 -frames:v 1", name)).unwrap();
    for part in [image.len() / 4, image.len() / 2, image.len() * 9 / 10] {
        let path = studio.write(name, &image[..part]);
        let error = studio.media.image(&path).await.unwrap_err();
        assert!(error.is_about_the_input(), "{part} bytes: {error:?}");
        let error = studio.media.image_thumbnail(&path, studio.path("thumb.jpg")).await.unwrap_err();
        assert!(error.is_about_the_input(), "{part} bytes: {error:?}");
    }
}

/// Where the red top left and the blue top right corner of the stored picture are to be shown.
#[tokio::test]
async fn every_exif_orientation_is_shown_upright() {
    let studio = Studio::new();
    let source = "-f lavfi -i color=green:s=120x80,drawbox=c=red:w=40:h=40:t=fill,drawbox=c=blue:x=80:w=40:h=40:t=fill -frames:v 1 -q:v 2";
    let stored = std::fs::read(studio.make(source, "stored.jpg")).unwrap();
    // Corners as (right, bottom).
    let shown = [
        (1, (0, 0), (1, 0)),
        (2, (1, 0), (0, 0)),
        (3, (1, 1), (0, 1)),
        (4, (0, 1), (1, 1)),
        (5, (0, 0), (0, 1)),
        (6, (1, 0), (1, 1)),
        (7, (1, 1), (1, 0)),
        (8, (0, 1), (0, 0)),
    ];
    for (orientation, red, blue) in shown {
        let image = studio.write("turned.jpg", with_orientation(&stored, orientation));
        let info = studio.media.image(&image).await.unwrap();
        let expected = if orientation < 5 { (120, 80) } else { (80, 120) };
        assert_eq!((info.width, info.height), expected, "orientation {orientation}");
        let thumb = studio.path("thumb.jpg");
        let (width, height) = studio.media.image_thumbnail(&image, &thumb).await.unwrap();
        let picture = pixels(&thumb);
        let corner = |(right, bottom): (u32, u32)| {
            let (x, y) =
                (if right == 1 { width - 11 } else { 10 }, if bottom == 1 { height - 11 } else { 10 });
            let at = ((y * width + x) * 3) as usize;
            &picture[at..at + 3]
        };
        assert!(is(corner(red), [255, 0, 0]), "orientation {orientation}: red {:?}", corner(red));
        assert!(is(corner(blue), [0, 0, 255]), "orientation {orientation}: blue {:?}", corner(blue));
    }
}

#[tokio::test]
async fn a_photo_of_50_megapixels_gets_a_thumbnail() {
    let studio = Studio::new();
    let image = studio.make("-f lavfi -i color=gray:s=10000x5000 -frames:v 1 -q:v 9", "large.jpg");
    let info = studio.media.image(&image).await.unwrap();
    assert_eq!((info.width, info.height), (10_000, 5_000));
    let size = studio.media.image_thumbnail(&image, studio.path("thumb.jpg")).await.unwrap();
    assert_eq!(size, (320, 160));
}

#[tokio::test]
async fn more_than_100_megapixels_are_refused_by_the_header() {
    let studio = Studio::new();
    // Signature, length and name of the first chunk, 10001 x 10000.
    let header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x27\x11\0\0\x27\x10\x08\x02\0\0\0";
    let error = studio.media.image(studio.write("bomb.png", header)).await.unwrap_err();
    assert!(
        matches!(error, MediaError::TooManyPixels { width: 10_001, height: 10_000, limit: 100 }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_image_that_needs_more_memory_than_allowed_is_an_error() {
    let studio = Studio::with(|settings| settings.limits.image_address_space = 400_000_000);
    let args =
        "-f lavfi -i color=gray:s=12000x8000 -frames:v 1 -pix_fmt rgb24 -pred none -compression_level 1";
    let (small, large) = (
        studio.make("-f lavfi -i color=gray:s=64x64 -frames:v 1", "small.png"),
        studio.make(args, "large.png"),
    );
    let thumb = studio.path("thumb.jpg");
    studio.media.image_thumbnail(small, &thumb).await.unwrap();
    assert!(studio.media.image_thumbnail(large, &thumb).await.is_err());
}

#[tokio::test]
async fn one_pixel_is_an_image_but_no_frame() {
    let studio = Studio::new();
    let image =
        studio.make("-f lavfi -i color=red:s=2x2,format=rgb24,crop=1:1:0:0:exact=1 -frames:v 1", "dot.png");
    let info = studio.media.image(&image).await.unwrap();
    assert_eq!((info.width, info.height), (1, 1));
    assert_eq!(studio.media.image_thumbnail(&image, studio.path("thumb.jpg")).await.unwrap(), (1, 1));
    let error = info.require_frame().unwrap_err().to_string();
    assert!(error.contains("1 x 1") && error.contains("64"), "{error}");
    assert!(studio.media.frame_image(&image, studio.path("frame.jpg")).await.is_err());
}

#[tokio::test]
async fn a_frame_image_is_bounded_upright_and_opaque() {
    let studio = Studio::new();
    let image = studio.make("-f lavfi -i color=red@0.0:s=2400x64,format=rgba -frames:v 1", "clear.png");
    let out = studio.path("frame.jpg");
    assert_eq!(studio.media.frame_image(&image, &out).await.unwrap(), (2048, 55));
    assert!(is(&pixels(&out)[..3], [255, 255, 255]), "what is transparent becomes white");
}
