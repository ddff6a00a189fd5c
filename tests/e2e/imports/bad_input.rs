//! Sources that cannot be read, rows that are not what they should be: named, and nothing of them half brought over.

use std::path::Path;

use legacysources::{Orphans, damage, phoenix, scenes_db};
use rusqlite::Connection;

use super::{
    place::{Place, Ran, listed, stop},
    report,
    sources::{sql, text},
    told,
};

/// Refused for what it is, with its name and without anything having been written.
async fn cannot_be_used(place: &Place, source: &Path, words: &[&str]) {
    let file = source.file_name().unwrap().to_string_lossy().into_owned();
    place.import(source, &[]).await.refused().says(&[&file]).says(words);
    let server = place.serve().await;
    for (list, rows) in told::census(&server.client()).await {
        assert_eq!(rows.len(), 0, "{list}");
    }
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_refused() {
    let place = Place::on_sqlite();
    let source = place.file("letter.db");
    std::fs::write(&source, "Dear Filmstrip, these are not the clients you are looking for.\n".repeat(99))
        .unwrap();
    cannot_be_used(&place, &source, &["not an SQLite database"]).await;
    place.import(&place.file("absent.db"), &[]).await.refused().says(&["absent.db"]);
    assert!(!place.file("absent.db").exists(), "reading makes no file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_database_is_refused() {
    let place = Place::on_sqlite();
    let source = place.file("half.db");
    scenes_db::migration_case(&source).unwrap();
    let whole = std::fs::read(&source).unwrap();
    std::fs::write(&source, &whole[..whole.len() / 2]).unwrap();
    cannot_be_used(&place, &source, &["truncated"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_something_else_is_refused() {
    let place = Place::on_sqlite();
    let source = place.file("recipes.db");
    sql(
        &source,
        "CREATE TABLE recipe (id TEXT PRIMARY KEY, dish TEXT); CREATE TABLE clients (table_number INTEGER)",
    );
    cannot_be_used(&place, &source, &["no database that can be brought over", "recipe"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_column_that_is_needed_is_refused_and_the_column_is_named() {
    let place = Place::on_sqlite();
    let (python, elixir) = (place.file("scenes.db"), place.file("phoenix.db"));
    scenes_db::realistic(&python, 1).unwrap();
    phoenix::realistic(&elixir, 2).unwrap();
    for source in [&python, &elixir] {
        let gone = damage::column_gone(source).unwrap();
        let (table, column) = (format!("table {}", gone.table), format!("no column {}", gone.column));
        cannot_be_used(&place, source, &[&table, &column]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_written_to_is_refused_until_it_is_not() {
    let place = Place::on_sqlite();
    let source = place.file("busy.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    let writer = Connection::open(&source).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE clients SET name = 'Half'").unwrap();
    cannot_be_used(&place, &source, &["written to"]).await;
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    place.import(&source, &[]).await.well();
    let server = place.serve().await;
    told::owners(&server.client(), &truth, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_writer_died_in_the_middle_is_refused() {
    let place = Place::on_sqlite();
    let (living, source) = (place.file("living.db"), place.file("torn.db"));
    scenes_db::migration_case(&living).unwrap();
    let writer = Connection::open(&living).unwrap();
    // A cache of a few pages: what is changed goes into the file before the commit, what was there into the journal.
    writer
        .execute_batch("PRAGMA cache_size = 4; BEGIN IMMEDIATE; UPDATE assets SET name = name || ' (half)'")
        .unwrap();
    std::fs::copy(&living, &source).unwrap();
    std::fs::copy(place.file("living.db-journal"), place.file("torn.db-journal")).unwrap();
    drop(writer);
    cannot_be_used(&place, &source, &["torn.db-journal"]).await;
    assert!(place.file("torn.db-journal").exists(), "the source is left as it is");
}

/// One row is broken in this way: it stays behind with its name, everything else comes, and it comes when it is mended.
async fn one_row_is_broken(breaking: impl Fn(&Path) -> Broken) {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    let broken = breaking(&source);
    let named = ["assets", broken.row.as_str()];
    let dry = place.import(&source, &["--dry-run"]).await;
    if broken.list == "broken" {
        dry.refused().says(&named).says(broken.words);
    } else {
        // What bytes are shows when they are stored.
        dry.well();
    }
    let ran = place.import(&source, &[]).await.refused().says(&named).says(broken.words);
    told_once(&ran, &broken);
    let server = place.serve().await;
    let client = server.client();
    let there = listed(&client, "/api/v3/assets").await;
    assert_eq!(there.len(), truth.assets.len() - 1, "all but one");
    assert!(there.iter().all(|asset| asset["id"] != broken.row.as_str()), "nothing of it came");
    stop(server).await;
    place.import(&source, &["--verify"]).await.refused().says(&named);

    sql(&source, &broken.mending);
    place.import(&source, &[]).await.well();
    place.import(&source, &["--verify"]).await.well();
    let server = place.serve().await;
    told::assets(&server.client(), &truth, Orphans::Skip).await;
}

/// A row that is broken.
struct Broken {
    /// The asset's id.
    row: String,
    /// The list of the report that it is in: rows that cannot be read, or that a service refused.
    list: &'static str,
    /// What is said of it.
    words: &'static [&'static str],
    /// SQL that mends it.
    mending: String,
}

fn told_once(ran: &Ran, broken: &Broken) {
    let rows = report::rows(&ran.report, broken.list);
    assert_eq!(rows, [("assets".to_owned(), broken.row.clone())].into());
    assert_eq!(ran.report["complete"], false);
}

/// An asset of the source, and the value of one of its columns as SQL.
fn some_asset(source: &Path, column: &str) -> (String, String) {
    let row = text(source, "SELECT id FROM assets ORDER BY id LIMIT 1 OFFSET 100");
    let value = text(source, &format!("SELECT quote({column}) FROM assets WHERE id = '{row}'"));
    (row, value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_a_text_that_is_no_utf8_stays_behind_and_is_named() {
    one_row_is_broken(|source| {
        let (row, name) = some_asset(source, "name");
        sql(source, &format!("UPDATE assets SET name = CAST(x'4b69ff63' AS TEXT) WHERE id = '{row}'"));
        let mending = format!("UPDATE assets SET name = {name} WHERE id = '{row}'");
        Broken { row, list: "broken", words: &["name", "UTF-8"], mending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_json_that_is_none_stays_behind_and_is_named() {
    one_row_is_broken(|source| {
        let (row, tags) = some_asset(source, "tags");
        sql(source, &format!("UPDATE assets SET tags = '[\"pool\", ' WHERE id = '{row}'"));
        let mending = format!("UPDATE assets SET tags = {tags} WHERE id = '{row}'");
        Broken { row, list: "broken", words: &["tags", "JSON"], mending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_none_stays_behind_and_is_named() {
    one_row_is_broken(|source| {
        let (row, _) = some_asset(source, "id");
        let blob = text(source, &format!("SELECT blob_id FROM assets WHERE id = '{row}'"));
        sql(
            source,
            &format!(
                "CREATE TABLE kept AS SELECT data FROM asset_blobs WHERE id = '{blob}';
                 UPDATE asset_blobs SET data = CAST('this is a letter' AS BLOB) WHERE id = '{blob}'"
            ),
        );
        let mending = format!(
            "UPDATE asset_blobs SET data = (SELECT data FROM kept) WHERE id = '{blob}'; DROP TABLE kept"
        );
        Broken { row, list: "refused", words: &["no image"], mending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    scenes_db::migration_case(&source).unwrap();
    let server = place.serve().await;
    place.import(&source, &[]).await.refused().says(&["in use"]);
    assert_eq!(told::census(&server.client()).await["clients"].len(), 0);
}
