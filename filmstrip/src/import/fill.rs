//! References to bytes, put where they belong in what is brought over. Pure.

use std::collections::HashMap;

use legacy::{Bytes, IMPORTED_CLIENT, Slot, Thing};
use protos::{
    asset::v1::legacy_thing,
    common::v1::BlobRef,
    job::v1::{LegacyFile, LegacyJob},
};

/// What bytes are called that say nothing about themselves.
const UNKNOWN: &str = "application/octet-stream";

/// Bytes of assets by the asset's id, for the frames of scenes.
pub(super) type Assets = HashMap<String, BlobRef>;

/// Says of each slot of a thing which bytes it has; `blobs` are those of `bytes`, in the same order. A slot that ends up
/// with none is absent.
pub(super) fn fill(thing: &mut Thing, bytes: &[Bytes], blobs: &[Option<BlobRef>]) {
    for (bytes, blob) in bytes.iter().zip(blobs) {
        let Some(blob) = blob else { continue };
        if let Some(place) = place(thing, bytes.slot) {
            *place = Some(with_type(blob.clone(), place.as_ref()));
        }
    }
    drop_empty(thing);
}

/// Says which bytes the frames of a job's scenes have.
pub(super) fn frames(job: &mut LegacyJob, assets: &Assets) {
    for frame in job.scenes.iter_mut().flat_map(|scene| &mut scene.frames) {
        frame.blob = assets.get(&frame.asset_id).cloned();
    }
}

/// The asset's id and bytes, if it is one that has some.
pub(super) fn asset_bytes(thing: &Thing) -> Option<(&str, &BlobRef)> {
    let Thing::Stored(stored) = thing else { return None };
    match &stored.thing {
        Some(legacy_thing::Thing::Asset(asset)) => Some((&asset.id, asset.blob.as_ref()?)),
        _ => None,
    }
}

/// Leaves an asset without its bytes.
pub(super) fn without_bytes(thing: &mut Thing) {
    if let Some(blob) = place(thing, Slot::Asset) {
        *blob = None;
    }
}

/// Whether it is the client that keeps orphans. Every source with orphans has it, and it is one and the same here: its id is
/// nobody else's.
pub(super) fn is_keeper(thing: &Thing) -> bool {
    let Thing::Stored(stored) = thing else { return false };
    matches!(&stored.thing, Some(legacy_thing::Thing::Client(client)) if client.id == IMPORTED_CLIENT.to_string())
}

fn place(thing: &mut Thing, slot: Slot) -> Option<&mut Option<BlobRef>> {
    match (thing, slot) {
        (Thing::Stored(stored), Slot::Asset | Slot::Thumbnail) => match &mut stored.thing {
            Some(legacy_thing::Thing::Asset(asset)) => {
                Some(if slot == Slot::Asset { &mut asset.blob } else { &mut asset.thumbnail })
            }
            _ => None,
        },
        (Thing::Job(job), Slot::Video) => Some(&mut job.video.get_or_insert_default().blob),
        (Thing::Job(job), Slot::Poster) => Some(&mut job.video.get_or_insert_default().poster),
        (Thing::Job(job), Slot::Audio) => Some(&mut job.audio.get_or_insert_default().blob),
        (Thing::Job(job), Slot::Clip(scene)) => {
            Some(&mut job.scenes.get_mut(scene)?.clip.get_or_insert_default().blob)
        }
        _ => None,
    }
}

/// What the bytes say of their type wins over what the source said, if they say anything.
fn with_type(blob: BlobRef, said: Option<&BlobRef>) -> BlobRef {
    let silent = blob.content_type.is_empty() || blob.content_type == UNKNOWN;
    let said = said.map(|said| said.content_type.as_str()).filter(|said| !said.is_empty());
    match said {
        Some(said) if silent => BlobRef { content_type: said.to_owned(), ..blob },
        _ => blob,
    }
}

/// A reference that refers to nothing is none, however much is known of the bytes that it should be of.
fn drop_empty(thing: &mut Thing) {
    let there = |blob: &BlobRef| !blob.sha256.is_empty();
    match thing {
        Thing::Stored(stored) => {
            if let Some(legacy_thing::Thing::Asset(asset)) = &mut stored.thing {
                asset.blob = asset.blob.take().filter(there);
                asset.thumbnail = asset.thumbnail.take().filter(there);
            }
        }
        Thing::Job(job) => {
            let whole = |file: LegacyFile| {
                let poster = file.poster.filter(there);
                file.blob.filter(there).map(|blob| LegacyFile { blob: Some(blob), poster, ..file })
            };
            job.video = job.video.take().and_then(whole);
            job.audio = job.audio.take().and_then(whole);
            for scene in &mut job.scenes {
                scene.clip = scene.clip.take().and_then(whole);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use legacy::Place;
    use protos::{
        asset::v1::{Asset, LegacyThing},
        job::v1::{LegacyFrame, LegacyScene},
    };

    use super::*;

    fn blob(sha256: &str, content_type: &str) -> BlobRef {
        BlobRef { sha256: sha256.to_owned(), size: 3, content_type: content_type.to_owned() }
    }

    fn bytes(slots: &[Slot]) -> Vec<Bytes> {
        slots.iter().map(|slot| Bytes { slot: *slot, place: Place::Text(Vec::new()) }).collect()
    }

    fn asset(said: &str) -> Thing {
        let asset = Asset { id: "a".to_owned(), blob: Some(blob("", said)), ..Asset::default() };
        Thing::Stored(LegacyThing { origin: None, thing: Some(legacy_thing::Thing::Asset(asset)) })
    }

    #[test]
    fn what_the_bytes_say_of_their_type_wins_if_they_say_anything() {
        for (said, by_bytes, wanted) in [
            ("image/jpg", "image/png", "image/png"),
            ("image/jpg", UNKNOWN, "image/jpg"),
            ("", UNKNOWN, UNKNOWN),
        ] {
            let mut thing = asset(said);
            fill(&mut thing, &bytes(&[Slot::Asset]), &[Some(blob("1", by_bytes))]);
            assert_eq!(asset_bytes(&thing), Some(("a", &blob("1", wanted))), "{said} {by_bytes}");
        }
    }

    #[test]
    fn a_type_without_bytes_is_no_reference() {
        let mut thing = asset("image/png");
        fill(&mut thing, &bytes(&[Slot::Asset]), &[None]);
        assert_eq!(asset_bytes(&thing), None);
        let Thing::Stored(LegacyThing { thing: Some(legacy_thing::Thing::Asset(asset)), .. }) = thing else {
            panic!("no asset")
        };
        assert_eq!(asset.blob, None);
    }

    #[test]
    fn each_file_of_a_job_goes_to_its_own_place_and_one_without_bytes_is_absent() {
        let scene = |id: &str| LegacyScene { id: id.to_owned(), ..LegacyScene::default() };
        let video = LegacyFile { blob: None, poster: None, duration_ms: 12_000 };
        let job = LegacyJob {
            video: Some(video),
            audio: Some(LegacyFile { duration_ms: 5, ..LegacyFile::default() }),
            scenes: vec![scene("1"), scene("2")],
            ..LegacyJob::default()
        };
        let mut thing = Thing::Job(Box::new(job));
        // The poster before the video that it is of; a clip of a scene that is not there.
        let slots = [Slot::Poster, Slot::Video, Slot::Clip(1), Slot::Clip(7), Slot::Audio];
        let blobs = ["p", "v", "c", "x"].map(|name| Some(blob(name, "")));
        fill(&mut thing, &bytes(&slots), &[blobs.as_slice(), &[None]].concat());
        let Thing::Job(job) = thing else { panic!("no job") };
        let video = job.video.unwrap();
        assert_eq!((video.blob.unwrap().sha256, video.poster.unwrap().sha256), ("v".into(), "p".into()));
        assert_eq!(video.duration_ms, 12_000);
        assert_eq!((job.audio, job.scenes[0].clip.clone()), (None, None));
        assert_eq!(job.scenes[1].clip.clone().unwrap().blob.unwrap().sha256, "c");
    }

    #[test]
    fn a_frame_has_the_bytes_of_its_asset_if_that_has_some() {
        let frame = |id: &str| LegacyFrame { asset_id: id.to_owned(), ..LegacyFrame::default() };
        let scene = LegacyScene { frames: vec![frame("a"), frame("gone")], ..LegacyScene::default() };
        let mut job = LegacyJob { scenes: vec![scene], ..LegacyJob::default() };
        frames(&mut job, &Assets::from([("a".to_owned(), blob("1", "image/png"))]));
        let got: Vec<_> = job.scenes[0].frames.iter().map(|frame| frame.blob.clone()).collect();
        assert_eq!(got, [Some(blob("1", "image/png")), None]);
    }
}
