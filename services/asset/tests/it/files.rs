//! Small files of many kinds.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use image::{ImageFormat, Rgb, RgbImage};

/// A picture with something to see in it.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, ((x / 8 + y / 8) % 2 * 200) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, ImageFormat::Jpeg)
}

/// What ffmpeg makes of `input` under `name`.
pub(crate) fn made(input: &[&str], name: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-y", "-v", "error"])
        .args(input)
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success());
    std::fs::read(path).unwrap()
}

/// A grey JPEG of any size, made without holding its pixels here.
pub(crate) fn large_jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = format!("color=gray:size={width}x{height}");
    made(&["-f", "lavfi", "-i", &picture, "-frames:v", "1", "-q:v", "9"], "large.jpg")
}

/// A silent video: red at first, blue from its half on.
pub(crate) fn video(width: u32, height: u32, seconds: f64, name: &str) -> Vec<u8> {
    let half = format!("size={width}x{height}:rate=10:duration={}", seconds / 2.0);
    let (red, blue) = (format!("color=red:{half}"), format!("color=blue:{half}"));
    let join = "[0:v][1:v]concat=n=2:v=1:a=0,format=yuv420p[v]";
    made(
        &["-f", "lavfi", "-i", &red, "-f", "lavfi", "-i", &blue, "-filter_complex", join, "-map", "[v]"],
        name,
    )
}

pub(crate) fn sound(seconds: f64, name: &str) -> Vec<u8> {
    made(&["-f", "lavfi", "-i", &format!("sine=frequency=440:duration={seconds}")], name)
}

/// Width, height and mean colour of a JPEG.
pub(crate) fn seen(path: &Path) -> (u32, u32, [u64; 3]) {
    let bytes = std::fs::read(path).unwrap();
    let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap().to_rgb8();
    let (width, height) = picture.dimensions();
    let mut sum = [0_u64; 3];
    for pixel in picture.pixels() {
        for (sum, value) in sum.iter_mut().zip(pixel.0) {
            *sum += u64::from(value);
        }
    }
    (width, height, sum.map(|sum| sum / u64::from(width * height)))
}
