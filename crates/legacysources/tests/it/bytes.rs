//! Bytes, and what is told about them.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use legacysources::{BytesTruth, scenes_db};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::Made;

/// All bytes that are told.
fn told(made: &Made) -> Vec<&BytesTruth> {
    let assets = made.truth.assets.iter().flat_map(|asset| [asset.bytes.here(), asset.thumbnail.as_ref()]);
    let jobs = made.truth.jobs.iter();
    let jobs = jobs.flat_map(|job| [job.video.as_ref(), job.poster.as_ref(), job.audio.as_ref()]);
    let scenes = made.truth.jobs.iter().flat_map(|job| &job.scenes).map(|scene| scene.clip.as_ref());
    let loose = made.truth.loose.iter().map(|loose| loose.bytes.as_ref());
    assets.chain(jobs).chain(scenes).chain(loose).flatten().collect()
}

fn read(conn: &Connection, told: &BytesTruth) -> Vec<u8> {
    let sql = format!("SELECT {} FROM {} WHERE id = ?1", told.column, told.table);
    if told.column == "progress" {
        let progress: String = conn.query_row(&sql, [&told.row], |row| row.get(0)).unwrap();
        let progress: serde_json::Value = serde_json::from_str(&progress).unwrap();
        return BASE64_STANDARD.decode(progress["thumbnail"].as_str().unwrap()).unwrap();
    }
    conn.query_row(&sql, [&told.row], |row| row.get(0)).unwrap()
}

#[test]
fn bytes_are_where_they_are_told_to_be_and_what_they_are_told_to_be() {
    for made in [Made::scenes_db(), Made::phoenix(), Made::by(scenes_db::old_layout)] {
        let conn = made.open();
        for told in told(&made) {
            let bytes = read(&conn, told);
            assert_eq!(bytes.len() as u64, told.size, "{told:?}");
            assert_eq!(hex::encode(Sha256::digest(&bytes)), told.sha256, "{told:?}");
            let sniffed = infer::get(&bytes).map(|found| found.mime_type().replace("x-wav", "wav"));
            if told.content_type != "image/svg+xml" {
                assert_eq!(sniffed.as_deref(), Some(told.content_type), "{told:?}");
            }
        }
    }
}

#[test]
fn all_bytes_differ_but_those_of_the_twins() {
    for (made, same) in [(Made::scenes_db(), 1), (Made::phoenix(), 0)] {
        let all = told(&made);
        let different: BTreeSet<_> = all.iter().map(|told| &told.sha256).collect();
        assert_eq!(all.len() - different.len(), same);
    }
}

#[test]
fn images_can_be_decoded_and_have_the_size_that_is_told() {
    let made = Made::by(scenes_db::migration_case);
    let conn = made.open();
    // Each photo, and each of the others' sources in each of their formats.
    for asset in &made.truth.assets[..15] {
        let told = asset.bytes.here().unwrap();
        let image = image::load_from_memory(&read(&conn, told)).unwrap();
        assert_eq!((Some(image.width()), Some(image.height())), (asset.width, asset.height));
        let thumbnail = image::load_from_memory(&read(&conn, asset.thumbnail.as_ref().unwrap())).unwrap();
        assert_eq!(thumbnail.width().max(thumbnail.height()), 128);
    }
}

#[test]
fn videos_are_whole_and_those_of_the_caller_are_used() {
    let given = b"\0\0\0\x10ftypisom\0\0\x02\0".to_vec();
    let made = Made::by(|path| scenes_db::realistic_with(path, 7, Some(&given)));
    let conn = made.open();
    let with_its_own = Made::scenes_db();
    for (made, ours) in [(&made, true), (&with_its_own, false)] {
        let conn = if ours { &conn } else { &with_its_own.open() };
        let mut videos = 0;
        for told in told(made).into_iter().filter(|told| told.content_type == "video/mp4") {
            let bytes = read(conn, told);
            assert_eq!(bytes.starts_with(&given), ours);
            let mut at = 0;
            while at < bytes.len() {
                let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                assert!(size >= 8);
                at += size;
            }
            assert_eq!(at, bytes.len());
            videos += 1;
        }
        assert!(videos >= 5);
    }
}
