//! Which of a campaign's assets a film can be made of.

use job_domain::{
    BlobRef, Frame,
    state::JobKind,
    storyboard::{AssetKind, PlanAsset, check_frame},
};
use kit::{Code, ServiceError};
use protos::asset::v1 as pb;

const FIELD: &str = "assets";
/// The shortest side of a photo that makes a clip worth its price, pixels.
const SMALLEST_SIDE: u32 = 64;

/// Counts as the contract does: image pairs need two images, property photos any asset. The number of images.
///
/// # Errors
/// There are too few.
pub fn enough(kind: JobKind, assets: &[pb::Asset]) -> Result<u32, ServiceError> {
    let images = assets.iter().filter(|asset| asset.r#type == "image").count();
    let counted = match kind {
        JobKind::ImagePairs => images,
        JobKind::PropertyPhotos => assets.len(),
    };
    match (kind, counted) {
        (_, 0) => Err(ServiceError::new(Code::Invalid, "no_assets", "Campaign has no assets")),
        (JobKind::ImagePairs, 1) => {
            let text = "Need at least 2 image assets to start the pipeline, found 1";
            Err(ServiceError::new(Code::Invalid, "too_few_images", text).fact("found", 1))
        }
        _ => Ok(u32::try_from(images).unwrap_or(u32::MAX)),
    }
}

/// The images that can be frames, in the order given. Those that cannot are passed over while enough are left.
///
/// # Errors
/// Too few are left; the text names each that is refused, and why.
pub fn usable(kind: JobKind, assets: &[pb::Asset]) -> Result<Vec<PlanAsset>, ServiceError> {
    let mut usable = Vec::new();
    let mut refused = Vec::new();
    for asset in assets.iter().filter(|asset| asset.r#type == "image").filter_map(photo) {
        match refusal(&asset) {
            None => usable.push(asset),
            Some(why) => refused.push((FIELD.to_owned(), why)),
        }
    }
    let needed = match kind {
        JobKind::ImagePairs => 2,
        JobKind::PropertyPhotos => 1,
    };
    if usable.len() >= needed {
        return Ok(usable);
    }
    if refused.is_empty() {
        refused.push((FIELD.to_owned(), "must include an image that can be a frame".to_owned()));
    }
    Err(ServiceError::validation(refused))
}

/// The asset of that id as a frame.
///
/// # Errors
/// It is none of these assets, or cannot be a frame; the text says which and why.
pub fn frame(assets: &[pb::Asset], id: &str) -> Result<Frame, String> {
    let found = assets.iter().find(|asset| asset.id == id && asset.r#type == "image").and_then(photo);
    let photo = found.ok_or_else(|| format!("is no image of the job's campaign: {id:?}"))?;
    refusal(&photo).map_or_else(|| Ok(photo.frame()), Err)
}

/// Those of the assets that are asked for, in the order given; all of them when none is asked for.
///
/// # Errors
/// One that is asked for is not among them.
pub fn only(assets: Vec<pb::Asset>, wanted: &[String]) -> Result<Vec<pb::Asset>, ServiceError> {
    if wanted.is_empty() {
        return Ok(assets);
    }
    let unknown = wanted.iter().filter(|id| !assets.iter().any(|asset| asset.id == **id));
    let unknown: Vec<_> = unknown
        .map(|id| ("asset_ids".to_owned(), format!("name {id:?}, which is no asset of the campaign")))
        .collect();
    if !unknown.is_empty() {
        return Err(ServiceError::validation(unknown));
    }
    Ok(assets.into_iter().filter(|asset| wanted.contains(&asset.id)).collect())
}

/// Why an image cannot be a frame.
fn refusal(asset: &PlanAsset) -> Option<String> {
    let (width, height) = (asset.width, asset.height);
    if width > 0 && height > 0 && width.min(height) < SMALLEST_SIDE {
        let id = &asset.id;
        return Some(format!(
            "asset {id} has {width}x{height} pixels; a frame needs at least {SMALLEST_SIDE} on each side"
        ));
    }
    check_frame(FIELD, &asset.frame()).map(|wrong| wrong.message)
}

fn photo(asset: &pb::Asset) -> Option<PlanAsset> {
    let blob = asset.blob.as_ref()?;
    Some(PlanAsset {
        id: asset.id.clone(),
        kind: AssetKind::Image,
        name: asset.name.clone().unwrap_or_default(),
        tags: asset.tags.clone(),
        width: asset.width.unwrap_or_default(),
        height: asset.height.unwrap_or_default(),
        blob: BlobRef {
            sha256: blob.sha256.clone(),
            size: blob.size,
            content_type: blob.content_type.clone(),
        },
    })
}
