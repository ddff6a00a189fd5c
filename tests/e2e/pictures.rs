//! Pictures of videos at any second: the frame that ffmpeg itself shows, and a tag that stays good.

use std::path::{Path, PathBuf};

use filmstrip::client::Client;
use reqwest::{Method, Response, header};
use tokio::process::Command;

use crate::world::{World, approved_job, campaign, finished};

const WIDTH: u32 = 320;
/// More than so many dB apart, and it is another frame.
const ALIKE: f64 = 35.0;

async fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments).kill_on_drop(true);
    let made = command.output().await.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

/// The pixels of a picture, or of the frame of a video at a time, at most [`WIDTH`] wide.
async fn pixels(file: &Path, at: Option<f64>) -> Vec<u8> {
    let (file, at) = (file.display().to_string(), at.map(|at| at.to_string()));
    let scale = format!("scale='min({WIDTH},iw)':-1:flags=area,format=rgb24");
    let seek = at.iter().flat_map(|at| ["-ss", at.as_str()]);
    let rest = ["-i", &file, "-frames:v", "1", "-vf", &scale, "-f", "rawvideo", "-"];
    ffmpeg(&seek.chain(rest).collect::<Vec<_>>()).await
}

/// How alike two pictures are, dB.
fn psnr(one: &[u8], two: &[u8]) -> f64 {
    assert!(!one.is_empty() && one.len() == two.len(), "{} and {} bytes", one.len(), two.len());
    let squares = one.iter().zip(two).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10()
}

/// Four seconds of slowly changing colours.
async fn colours(directory: &Path) -> PathBuf {
    let path = directory.join("colours.mp4");
    let source = "gradients=size=640x360:rate=24:duration=4:speed=0.05:seed=7,format=yuv420p";
    ffmpeg(&["-f", "lavfi", "-i", source, "-g", "48", &path.display().to_string()]).await;
    path
}

async fn ask(client: &Client, method: Method, path: &str, known: Option<&str>) -> Response {
    let mut request = client.request(method, path);
    if let Some(tag) = known {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    request.send().await.unwrap()
}

fn text(answer: &Response, name: header::HeaderName) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Asks for the picture of `video` at a time, and again with its tag; its bytes.
async fn at(client: &Client, picture: &str, video: &Path, seconds: f64, scratch: &Path) -> Vec<u8> {
    let path = format!("{picture}?t={seconds}&width={WIDTH}");
    let answer = ask(client, Method::GET, &path, None).await;
    assert_eq!((answer.status().as_u16(), text(&answer, header::CONTENT_TYPE)), (200, "image/jpeg".into()));
    let tag = text(&answer, header::ETAG);
    assert!(tag.starts_with('"') && tag.len() > 60, "{path}: {tag:?}");
    let bytes = answer.bytes().await.unwrap().to_vec();
    let ours = scratch.join("picture.jpg");
    std::fs::write(&ours, &bytes).unwrap();
    let alike = psnr(&pixels(&ours, None).await, &pixels(video, Some(seconds)).await);
    assert!(alike > ALIKE, "{path}: {alike:.1} dB");

    for (method, known, status, size) in [
        (Method::GET, Some(tag.as_str()), 304, None),
        (Method::HEAD, Some(tag.as_str()), 304, None),
        (Method::HEAD, None, 200, Some(bytes.len().to_string())),
    ] {
        let again = ask(client, method.clone(), &path, known).await;
        assert_eq!(
            (again.status().as_u16(), text(&again, header::ETAG)),
            (status, tag.clone()),
            "{method} {path}"
        );
        if let Some(size) = size {
            assert_eq!(text(&again, header::CONTENT_LENGTH), size, "{method} {path}");
        }
        assert!(again.bytes().await.unwrap().is_empty(), "{method} {path} has no body");
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_a_video_or_a_clip_at_a_second_is_ffmpegs_own_frame_and_is_revalidated() {
    let world = World::instant().await;
    let (client, scratch) = (world.client(), world.scratch.path());
    let campaign = campaign(&client, "Quay House", 4).await;
    let film = client.upload(&campaign, &colours(scratch).await, "film").await.unwrap();
    let job = approved_job(&client, &campaign, 2).await;
    let done = finished(&client, job).await;
    let asset = format!("/api/v3/assets/{}", film["id"].as_str().unwrap());
    let clip = format!("/api/v3/videos/{job}/clips/{}", done["scenes"][1]["id"].as_str().unwrap());
    for (picture, bytes) in [
        (format!("{asset}/thumbnail"), format!("{asset}/data")),
        (format!("/api/v3/videos/{job}/thumbnail"), format!("/api/v3/videos/{job}/combined")),
        (format!("{clip}/thumbnail"), clip),
    ] {
        let video = scratch.join("video.mp4");
        client.download(&bytes, &video).await.unwrap();
        let mut seen = Vec::new();
        for seconds in [0.0, 1.3, 2.9] {
            seen.push(at(&client, &picture, &video, seconds, scratch).await);
        }
        seen.dedup();
        assert_eq!(seen.len(), 3, "{picture}: each second shows another frame");
    }
}
