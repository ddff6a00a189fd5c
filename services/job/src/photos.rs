//! Which of a campaign's assets a film can be made of.

use job_domain::{
    BlobRef,
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
