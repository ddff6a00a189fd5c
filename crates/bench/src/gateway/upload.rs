//! One large file up to the gateway, beside a copy of it that hashes: read, hashed, written, synced.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};

use super::{film, ours::Ours, report::Pair, role};
use crate::progress;

/// Bytes copied at one time.
const PIECE: usize = 1 << 20;
const BOUNDARY: &str = "a-boundary-that-no-video-holds";

/// What the process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    address: String,
    #[arg(long)]
    campaign: String,
    #[arg(long)]
    file: PathBuf,
}

/// Seconds of both sides, in turns; each upload brings bytes that the store has not seen.
pub(super) async fn compare(ours: &Ours, scratch: &Path, bytes: u64, runs: usize) -> anyhow::Result<Pair> {
    let file = scratch.join("upload.mp4");
    progress!("making a video of {bytes} bytes");
    film::make(&file, bytes).await?;
    ours.forget_peak();
    let mut pair = Pair::default();
    for run in 0..runs {
        progress!("upload {} of {runs}", run + 1);
        film::change(&file, run as u64)?;
        for side in if run % 2 == 0 { [0, 1] } else { [1, 0] } {
            if side == 0 {
                let (from, to) = (file.clone(), scratch.join("copy.mp4"));
                pair.theirs.push(tokio::task::spawn_blocking(move || copy(&from, &to)).await??);
            } else {
                pair.mine.push(up(ours, &file).await?);
            }
        }
    }
    pair.most_memory = ours.most_memory();
    Ok(pair)
}

/// Copies a file as the store keeps one; the seconds it took.
fn copy(from: &Path, to: &Path) -> anyhow::Result<f64> {
    let started = Instant::now();
    let (mut from, mut out) = (File::open(from)?, File::create(to)?);
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; PIECE]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        out.write_all(&buffer[..read])?;
    }
    out.sync_all()?;
    std::hint::black_box(hasher.finalize());
    let took = started.elapsed().as_secs_f64();
    std::fs::remove_file(to)?;
    Ok(took)
}

/// Uploads a file from a process of its own; the seconds until the answer.
async fn up(ours: &Ours, file: &Path) -> anyhow::Result<f64> {
    let address = ours.base().trim_start_matches("http://");
    let mut command = role::process(&["upload", "--address", address, "--campaign", ours.campaign()])?;
    let said = command.arg("--file").arg(file).output().await.context("starting who uploads")?;
    ensure!(said.status.success(), "the upload failed: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).trim().parse().context("reading how long it took")
}

/// Is who uploads; prints the seconds it took.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut file = File::open(&args.file).context("opening the file")?;
    let before = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"campaign_id\"\r\n\r\n{}\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"film.mp4\"\r\nContent-Type: video/mp4\r\n\r\n",
        args.campaign
    );
    let after = format!("\r\n--{BOUNDARY}--\r\n");
    let length = before.len() as u64 + file.metadata()?.len() + after.len() as u64;
    let mut stream = TcpStream::connect(&args.address).context("connecting")?;
    let started = Instant::now();
    write!(
        stream,
        "POST /api/v3/assets HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n{before}",
        args.address
    )?;
    // The kernel moves the bytes: who uploads takes no processor from who stores.
    std::io::copy(&mut file, &mut stream).context("sending the file")?;
    stream.write_all(after.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading the answer")?;
    ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    println!("{}", started.elapsed().as_secs_f64());
    Ok(())
}
