//! How a job ended. One that was not over ends with being brought over: it is never work that is paid for again.

use protos::job::v1::LegacyJob;
use serde_json::Value;

use super::at_provider;
use crate::{model::Broken, source::rows::Record, unfinished::unfinished};

/// Whether the row says that there is a video.
pub(super) fn says_completed(row: &Record) -> Result<bool, Broken> {
    Ok(status(row)?.eq_ignore_ascii_case("completed"))
}

/// Whether what was made is a text about a video, which stands in the metadata: there never was a video of it.
pub(super) fn made_a_text(row: &Record) -> Result<bool, Broken> {
    let collection = row.filled("collection")?;
    Ok(collection.is_some_and(|collection| collection.trim().eq_ignore_ascii_case("video-to-text")))
}

fn status(row: &Record) -> Result<&str, Broken> {
    Ok(row.filled("status")?.map_or("unknown", str::trim))
}

/// Says how it ended, and why there is no video if there is none.
pub(super) fn write(
    row: &Record,
    metadata: Option<&Value>,
    has_video: bool,
    job: &mut LegacyJob,
) -> Result<(), Broken> {
    let status = status(row)?;
    let said = reason(row, metadata)?;
    let (end, error) = match status.to_ascii_lowercase().as_str() {
        "completed" if has_video => ("completed", String::new()),
        "completed" if made_a_text(row)? => {
            ("failed", "made a text, not a video; it is kept in its parameters".to_owned())
        }
        "completed" => {
            let url = at_provider(row.filled("video_url")?);
            job.warnings.extend(url.map(|url| format!("its video was at the provider: {url}")));
            (
                "failed",
                "was completed in the older service, but the bytes of its video are missing".to_owned(),
            )
        }
        "canceled" | "cancelled" => ("canceled", said.unwrap_or_default()),
        "failed" => (
            "failed",
            said.unwrap_or_else(|| "failed in the older service, which did not say why".to_owned()),
        ),
        "timeout" => ("failed", said.unwrap_or_else(|| "timed out in the older service".to_owned())),
        _ => ("failed", unfinished(status)),
    };
    end.clone_into(&mut job.status);
    job.error = error;
    Ok(())
}

/// Why it failed: pair jobs say it in their metadata alone.
fn reason(row: &Record, metadata: Option<&Value>) -> Result<Option<String>, Broken> {
    if let Some(error) = row.filled("error_message")? {
        return Ok(Some(error.trim().to_owned()));
    }
    let error = metadata.and_then(|metadata| metadata.get("error")).filter(|error| !error.is_null());
    let error =
        error.map(|error| error.as_str().map_or_else(|| error.to_string(), |text| text.trim().to_owned()));
    if let Some(error) = error.filter(|error| !error.is_empty()) {
        return Ok(Some(error));
    }
    Ok(row.filled("download_error")?.map(|error| error.trim().to_owned()))
}
