//! Sources that are bad.

use legacysources::damage::{self, Damage};
use rusqlite::{Connection, ErrorCode, types::Value};

use crate::Made;

fn both() -> [Made; 2] {
    [Made::scenes_db(), Made::phoenix()]
}

fn value(made: &Made, damage: &Damage) -> Value {
    let sql = format!("SELECT CAST({} AS BLOB) FROM {} WHERE id = ?1", damage.column, damage.table);
    made.open().query_row(&sql, [&damage.row], |row| row.get(0)).unwrap()
}

/// Spoils each source and mends it, with `check` of what is there in between.
fn spoil_and_mend(spoil: fn(&std::path::Path) -> anyhow::Result<Damage>, check: fn(&[u8])) {
    for made in both() {
        let damage = spoil(&made.path).unwrap();
        let spoiled = value(&made, &damage);
        let Value::Blob(bytes) = &spoiled else { panic!("{damage:?}") };
        check(bytes);
        damage.mend().unwrap();
        assert_ne!(value(&made, &damage), spoiled);
        // The row is one that an importer brings over.
        let assets = made.truth.assets.iter().filter(|asset| asset.owners.is_some());
        let rows = assets.flat_map(|asset| [Some(&asset.id), asset.bytes.here().map(|bytes| &bytes.row)]);
        assert!(rows.flatten().any(|row| *row == damage.row));
    }
}

#[test]
fn a_name_is_no_utf_8_until_it_is_mended() {
    spoil_and_mend(damage::invalid_utf8, |bytes| assert!(std::str::from_utf8(bytes).is_err()));
}

#[test]
fn tags_are_no_json_until_they_are_mended() {
    spoil_and_mend(damage::invalid_json, |bytes| {
        assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_err());
    });
}

#[test]
fn an_image_is_a_page_until_it_is_mended() {
    spoil_and_mend(damage::not_an_image, |bytes| {
        assert!(image::guess_format(bytes).is_err());
    });
}

#[test]
fn an_asset_has_another_name_until_it_is_mended() {
    spoil_and_mend(damage::renamed, |bytes| assert_eq!(bytes, b"Renamed later"));
}

#[test]
fn an_image_has_other_bytes_until_it_is_mended() {
    for made in both() {
        let damage = damage::other_bytes(&made.path).unwrap();
        let Value::Blob(spoiled) = value(&made, &damage) else { panic!("{damage:?}") };
        image::load_from_memory(&spoiled).unwrap();
        damage.mend().unwrap();
        let Value::Blob(before) = value(&made, &damage) else { panic!("{damage:?}") };
        assert_ne!(spoiled, before);
    }
}

#[test]
fn a_blob_is_not_there_until_the_asset_is_mended() {
    let made = Made::scenes_db();
    let dangling = "SELECT COUNT(*) FROM assets WHERE blob_id NOT IN (SELECT id FROM asset_blobs)";
    assert_eq!(made.number(dangling), 0);
    let damage = damage::dangling_blob(&made.path).unwrap();
    assert_eq!(made.number(dangling), 1);
    damage.mend().unwrap();
    assert_eq!(made.number(dangling), 0);
}

#[test]
fn a_truncated_file_cannot_be_read_to_its_end() {
    for made in both() {
        let damage = damage::truncated(&made.path).unwrap();
        let conn = made.open();
        let read = conn.query_row("SELECT COUNT(*), SUM(LENGTH(name)) FROM assets", [], |_| Ok(()));
        let check = conn.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        assert!(read.is_err() || check.is_err() || check.unwrap() != "ok");
        assert!(damage.mend().is_err());
    }
}

#[test]
fn what_is_no_database_cannot_be_read_and_another_one_has_other_tables() {
    let made = Made::phoenix();
    damage::wrong_schema(&made.path).unwrap();
    assert!(made.open().prepare("SELECT id FROM clients").is_err());
    damage::not_a_database(&made.path).unwrap();
    let error = made.open().prepare("SELECT 1 FROM assets").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase));
}

#[test]
fn a_column_is_gone_under_its_name() {
    for made in both() {
        damage::column_gone(&made.path).unwrap();
        assert!(made.open().prepare("SELECT name FROM clients").is_err());
    }
}

#[test]
fn nobody_reads_while_somebody_writes() {
    for made in both() {
        let writer = damage::being_written(&made.path).unwrap();
        let conn = Connection::open(&made.path).unwrap();
        conn.busy_timeout(std::time::Duration::ZERO).unwrap();
        let read = || conn.query_row("SELECT COUNT(*) FROM assets", [], |_| Ok(()));
        assert_eq!(read().unwrap_err().sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
        drop(writer);
        read().unwrap();
    }
}
