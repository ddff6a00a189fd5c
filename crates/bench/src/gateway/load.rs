//! Who asks: connections that stay open, one question after the other on each, answers that are read and thrown away.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::role;

/// Bytes read at one time.
const READ: usize = 256 * 1024;
/// Longest head of an answer.
const HEAD: usize = 16 * 1024;

/// Something to ask for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `host:port`
    pub(super) address: String,
    pub(super) path: String,
    /// Ranges of so many bytes of so many, at places all over it; none = all of it.
    pub(super) range: Option<(u64, u64)>,
}

/// What came back.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Load {
    pub(super) requests: u64,
    /// Of bodies.
    pub(super) bytes: u64,
    pub(super) seconds: f64,
}

/// What the process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    address: String,
    #[arg(long)]
    path: String,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    milliseconds: u64,
    #[arg(long, requires = "size")]
    range: Option<u64>,
    #[arg(long)]
    size: Option<u64>,
}

/// Asks for a while, from a process of its own.
pub(super) async fn ask(asked: &Asked, connections: usize, length: Duration) -> anyhow::Result<Load> {
    let (connections, length) = (connections.to_string(), length.as_millis().to_string());
    let mut command = role::process(&["load", "--address", &asked.address, "--path", &asked.path])?;
    command.args(["--connections", &connections, "--milliseconds", &length]);
    if let Some((range, size)) = asked.range {
        command.args(["--range", &range.to_string(), "--size", &size.to_string()]);
    }
    let said = command.output().await.context("starting who asks")?;
    ensure!(said.status.success(), "asking {} failed: {}", asked.path, String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).context("reading what was counted")
}

/// Is who asks; prints what came back.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    // One thread: it must not take the processors from who answers.
    let asking = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(all(args))
    };
    let asked = std::thread::scope(|scope| scope.spawn(asking).join());
    let load = asked.map_err(|_| anyhow::anyhow!("who asks broke"))??;
    println!("{}", serde_json::to_string(&load)?);
    Ok(())
}

async fn all(args: &Args) -> anyhow::Result<Load> {
    let started = Instant::now();
    let until = started + Duration::from_millis(args.milliseconds);
    let connections = (0..args.connections).map(|number| one(args, number as u64, until));
    let loads = futures::future::try_join_all(connections).await?;
    let sum = |of: fn(&Load) -> u64| loads.iter().map(of).sum();
    Ok(Load {
        requests: sum(|load| load.requests),
        bytes: sum(|load| load.bytes),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// One connection: asks until the time is over; what arrives after it is not counted.
async fn one(args: &Args, number: u64, until: Instant) -> anyhow::Result<Load> {
    let mut stream = TcpStream::connect(&args.address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; READ];
    let mut load = Load::default();
    // Each connection has places of its own.
    let mut place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while Instant::now() < until {
        let range = args.range.zip(args.size).map(|(length, size)| {
            place ^= place << 13;
            place ^= place >> 7;
            place ^= place << 17;
            let first = place % size.saturating_sub(length).max(1);
            format!("Range: bytes={first}-{}\r\n", first + length - 1)
        });
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n{}\r\n",
            args.path,
            args.address,
            range.as_deref().unwrap_or_default()
        );
        stream.write_all(request.as_bytes()).await.context("asking")?;
        let wanted = if range.is_some() { "206" } else { "200" };
        let in_time = answer(&mut stream, &mut buffer, wanted, until, &mut load.bytes).await?;
        load.requests += u64::from(in_time);
    }
    Ok(load)
}

/// Reads an answer to its end, or until the time is over; whether it came to its end.
async fn answer(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    wanted: &str,
    until: Instant,
    bytes: &mut u64,
) -> anyhow::Result<bool> {
    let Head { end, read, length } = head(stream, buffer).await?;
    let status =
        std::str::from_utf8(&buffer[..end]).ok().and_then(|head| head.get(9..12)).unwrap_or_default();
    ensure!(status == wanted, "{wanted} wanted, {status} found");
    let arrived = (read - end) as u64;
    let mut left = length.checked_sub(arrived).context("the answer is longer than it says")?;
    *bytes += arrived;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = stream.read(&mut buffer[..most]).await.context("reading")?;
        ensure!(read > 0, "the answer ended {left} bytes too early");
        left -= read as u64;
        if Instant::now() >= until {
            return Ok(false);
        }
        *bytes += read as u64;
    }
    Ok(true)
}

/// The head of an answer, and what was read beyond it.
struct Head {
    end: usize,
    read: usize,
    /// Of the body.
    length: u64,
}

async fn head(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<Head> {
    let mut read = 0;
    loop {
        let more = stream.read(&mut buffer[read..HEAD]).await.context("reading")?;
        ensure!(more > 0, "the connection ended instead of an answer");
        read += more;
        if let Some(end) = buffer[..read].windows(4).position(|window| window == b"\r\n\r\n") {
            let end = end + 4;
            let head = std::str::from_utf8(&buffer[..end]).context("the head is no text")?;
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            return Ok(Head { end, read, length: length.context("the answer does not say its length")? });
        }
        ensure!(read < HEAD, "the head does not end");
    }
}
