//! `filmstrip demo`: from photographs to a finished video, through the public API, in one command.

mod bars;
pub mod inspect;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    client::{Client, is_over},
    standalone, strip,
};
use bars::Bars;
use inspect::Inspection;

/// What the demo is told.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Directory with the photographs, named by room: kitchen-1.jpg, kitchen-2.jpg, ...
    #[arg(long, default_value = "demo/photos")]
    photos: PathBuf,
    /// Where demo.mp4 and its poster are saved.
    #[arg(long, default_value = "out")]
    out: PathBuf,
    /// Port of the gateway; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep the data in this directory instead of a scratch one.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Scenes wanted.
    #[arg(long, default_value_t = 4)]
    scenes: u32,
    /// Leave the server running afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Small, quick clips instead of 1080p (stand-in providers only).
    #[arg(long)]
    draft: bool,
    /// Talk to a gateway that runs already, such as http://127.0.0.1:4000, instead of starting everything.
    #[arg(long, conflicts_with_all = ["port", "data_dir", "keep", "draft"])]
    base_url: Option<String>,
    /// API key of that gateway.
    #[arg(long, requires = "base_url")]
    api_key: Option<String>,
}

/// Runs the demo; an error unless the video is right.
///
/// # Errors
/// Any step failed, or the video breaks one of its promises; the text says which.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let photos = photographs(&args.photos)?;
    if let Some(base) = &args.base_url {
        let client = Client::new(base)?;
        let client = match &args.api_key {
            Some(key) => client.with_key(key),
            None => client,
        };
        let made = make(&args, &client, &photos).await?;
        let seen = show(&made).await?;
        check(&seen, made.expected)?;
        return sum_up(&made);
    }
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let data_dir = args.data_dir.clone().unwrap_or_else(|| scratch.path().to_path_buf());
    let options = standalone::Options {
        data_dir: data_dir.clone(),
        port: args.port,
        draft: args.draft,
        ..standalone::Options::from_env()?
    };
    let database = options.database_url.clone();
    let server = standalone::start(options).await?;
    say(&server.summary())?;
    let made = make(&args, &server.client()?, &photos).await;
    let made = match made {
        Ok(made) => finish(&args, made, &data_dir, database.as_ref()).await,
        Err(error) => Err(error),
    };
    if args.keep && made.is_ok() {
        let signals = standalone::Signals::listen()?;
        say(&format!("\nThe server keeps running on {} until Ctrl-C.", server.base_url()))?;
        server.until_stopped(signals).await?;
    } else {
        server.stop().await?;
    }
    made
}

/// A finished job and what was saved of it.
struct Made {
    job: i64,
    finished: Value,
    video: PathBuf,
    poster: PathBuf,
    /// Seconds of all clips together.
    expected: f64,
}

async fn make(args: &DemoArgs, client: &Client, photos: &[PathBuf]) -> anyhow::Result<Made> {
    let campaign = client.campaign("Harbour Homes", "Quay House", "A bright house by the water").await?;
    upload(client, &campaign, photos).await?;
    let wishes = json!({"campaign_id": campaign, "num_pairs": args.scenes, "clip_duration": 4});
    let created = client.create_job("image-pairs", wishes).await?;
    let job = created["job_id"].as_i64().context("the new job has no id")?;
    say(&storyboard(&created))?;
    client.approve(job).await?;
    say("approved; rendering starts\n")?;
    let finished = follow(client, job, &created).await?;
    ensure!(
        finished["status"] == "completed" && finished["outcome"] == "full",
        "the job ended as {} ({}): {}",
        finished["status"],
        finished["outcome"],
        finished["error"]
    );
    let (video, poster) = save(client, job, &args.out).await?;
    let expected = clip_lengths(client, job, &finished).await?;
    Ok(Made { job, finished, video, poster, expected })
}

/// Shows what was made, and checks that it is right.
async fn finish(
    args: &DemoArgs,
    made: Made,
    data_dir: &Path,
    database: Option<&SecretString>,
) -> anyhow::Result<()> {
    let seen = show(&made).await?;
    say("\nthe strip of this job:")?;
    for line in strip::lines(data_dir, database, made.job).await? {
        say(&format!("  {line}"))?;
    }
    check(&seen, made.expected)?;
    sum_up(&made)?;
    if !args.keep {
        say("To keep the server running and look around: cargo xtask demo --keep")?;
    }
    Ok(())
}

/// Shows what was saved.
async fn show(made: &Made) -> anyhow::Result<Inspection> {
    let seen = inspect::inspect(&made.video).await?;
    say(&format!("\n{}\n{seen}", made.video.display()))?;
    say(&format!("poster: {}", made.poster.display()))?;
    Ok(seen)
}

fn sum_up(made: &Made) -> anyhow::Result<()> {
    let (estimated, spent) = (money(&made.finished["estimated_cost"]), money(&made.finished["actual_cost"]));
    say(&format!("\nestimated {estimated} USD, spent {spent} USD."))
}

/// The photographs of a directory, in the order of their names; eight or more make pairs of rooms.
fn photographs(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("no photographs: {} cannot be read", directory.display()))?;
    let mut photos: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
            matches!(extension.as_str(), "jpg" | "jpeg" | "png" | "webp")
        })
        .collect();
    photos.sort();
    if photos.len() < 2 {
        bail!("{} holds {} photographs; at least 2 are needed", directory.display(), photos.len());
    }
    Ok(photos)
}

async fn upload(client: &Client, campaign: &str, photos: &[PathBuf]) -> anyhow::Result<()> {
    for photo in photos {
        let asset = client.upload(campaign, photo, &room(photo)).await?;
        say(&format!(
            "uploaded {:<22} {:>5}x{:<5} {:>4} KB",
            photo.file_name().unwrap_or_default().to_string_lossy(),
            asset["width"],
            asset["height"],
            asset["size"].as_u64().unwrap_or(0) / 1000
        ))?;
    }
    Ok(())
}

/// The room a photograph is named after: `living-room-2.jpg` shows the `living room`.
fn room(photo: &Path) -> String {
    let stem = photo.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_']);
    name.replace(['-', '_'], " ")
}

fn storyboard(created: &Value) -> String {
    let mut text = format!("\nstoryboard of {:?}\n", created["video_name"].as_str().unwrap_or_default());
    for (index, scene) in created["storyboard"]["scenes"].as_array().into_iter().flatten().enumerate() {
        text += &format!(
            "  {}. {:<28} {:>2} s  {}\n",
            index + 1,
            scene["title"].as_str().unwrap_or_default(),
            scene["duration"],
            scene["scene_type"].as_str().unwrap_or_default()
        );
    }
    text + &format!("price: {} USD\n", money(&created["estimated_cost"]))
}

async fn follow(client: &Client, job: i64, created: &Value) -> anyhow::Result<Value> {
    let mut bars = Bars::new(created["scene_count"].as_u64().unwrap_or(0));
    let mut last = None::<String>;
    loop {
        if let Some(mut events) = client.events(job, last.as_deref()).await? {
            while let Some(event) = events.next().await? {
                last = Some(event.id.clone()).filter(|id| !id.is_empty()).or(last);
                bars.show(&client.job(job).await?);
            }
        }
        let now = client.job(job).await?;
        bars.show(&now);
        if is_over(&now) {
            bars.finish();
            return Ok(now);
        }
    }
}

async fn save(client: &Client, job: i64, out: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    std::fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let (video, poster) = (out.join("demo.mp4"), out.join("demo.jpg"));
    client.download(&format!("/api/v3/videos/{job}/combined"), &video).await?;
    client.download(&format!("/api/v3/videos/{job}/thumbnail"), &poster).await?;
    Ok((video, poster))
}

/// Seconds of all clips together, read from the clips themselves.
async fn clip_lengths(client: &Client, job: i64, finished: &Value) -> anyhow::Result<f64> {
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let mut total = 0.0;
    for scene in finished["scenes"].as_array().into_iter().flatten() {
        let id = scene["id"].as_str().context("a scene has no id")?;
        let file = scratch.path().join(format!("{id}.mp4"));
        client.download(&format!("/api/v3/videos/{job}/clips/{id}.mp4"), &file).await?;
        total += inspect::duration(&file).await?;
    }
    Ok(total)
}

fn check(seen: &Inspection, expected: f64) -> anyhow::Result<()> {
    let wrong = seen.faults(expected);
    ensure!(wrong.is_empty(), "the video is not right: {}", wrong.join("; "));
    Ok(())
}

fn money(value: &Value) -> String {
    value.as_f64().map_or_else(|| "?".to_owned(), |amount| format!("{amount:.2}"))
}

/// Prints a line; a closed pipe is an error like any other.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("printing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photograph_is_named_after_its_room() {
        assert_eq!(room(Path::new("photos/living-room-2.jpg")), "living room");
        assert_eq!(room(Path::new("kitchen_10.png")), "kitchen");
    }
}
