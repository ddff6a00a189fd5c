//! Rows that cannot be read: each names table, row and column, and keeps no other from being read.

use rstest::rstest;

use super::*;

#[rstest]
#[case(
    Stage::Clients,
    "INSERT INTO clients (id, name) VALUES ('A', CAST(x'41FF42' AS TEXT))",
    "clients",
    "name",
    "not valid UTF-8"
)]
#[case(Stage::Clients, "INSERT INTO clients (id, name) VALUES ('A', x'41')", "clients", "name", "raw bytes")]
#[case(
    Stage::Clients,
    "INSERT INTO clients (id, name, metadata) VALUES ('A', 'x', '{\"a\": ')",
    "clients",
    "metadata",
    "not valid JSON"
)]
#[case(
    Stage::Clients,
    "INSERT INTO clients (id, name, metadata) VALUES ('A', 'x', '[1]')",
    "clients",
    "metadata",
    "no object"
)]
#[case(
    Stage::Clients,
    "INSERT INTO clients (id, name, brand_guidelines) VALUES ('A', 'x', 'blue')",
    "clients",
    "brand_guidelines",
    "not valid JSON"
)]
#[case(
    Stage::Clients,
    "INSERT INTO clients (id, name, created_at) VALUES ('A', 'x', 'soon')",
    "clients",
    "created_at",
    "\"soon\""
)]
#[case(
    Stage::Campaigns,
    "INSERT INTO campaigns (id, client_id, name) VALUES ('A', 'CLIENT', 'a' || char(0) || 'b')",
    "campaigns",
    "name",
    "zero byte"
)]
#[case(
    Stage::Assets,
    "INSERT INTO assets (id, client_id, tags) VALUES ('A', 'CLIENT', '[\"a\"')",
    "assets",
    "tags",
    "not valid JSON"
)]
#[case(
    Stage::Assets,
    "INSERT INTO assets (id, client_id, asset_type) VALUES ('A', 'CLIENT', 'hologram')",
    "assets",
    "asset_type",
    "\"hologram\""
)]
#[case(
    Stage::Assets,
    "INSERT INTO assets (id, client_id, width) VALUES ('A', 'CLIENT', 'wide')",
    "assets",
    "width",
    "\"wide\""
)]
#[case(
    Stage::Assets,
    "INSERT INTO assets (id, client_id, thumbnail_url) VALUES ('A', 'CLIENT', CAST(x'FF' AS TEXT))",
    "assets",
    "",
    "thumbnail_url is not valid UTF-8"
)]
fn a_broken_value_names_table_row_and_column(
    #[case] stage: Stage,
    #[case] sql: &str,
    #[case] table: &str,
    #[case] column: &str,
    #[case] reason: &str,
) {
    let old = Old::new(&sql.replace("'A'", &format!("'{A}'")).replace("CLIENT", CLIENT));
    let broken = broken(&old.skip(), stage);
    assert_eq!((broken.table, broken.row.as_str(), broken.column), (table, A, column));
    assert!(broken.reason.contains(reason), "{}", broken.reason);
}

#[test]
fn an_id_that_is_none_is_broken_and_the_next_row_is_read() {
    let old = Old::new("INSERT INTO clients (id, name) VALUES ('seven', 'x')");
    let source = old.skip();
    assert_eq!(found(&source, Stage::Clients).len(), 2);
    assert_eq!(
        broken(&source, Stage::Clients).to_string(),
        "table clients, row seven, column id: holds \"seven\" where a UUID has to be"
    );
}

#[rstest]
#[case(
    "INSERT INTO generated_videos (id, parameters) VALUES (3, '{')",
    "generated_videos",
    "3",
    "parameters"
)]
#[case(
    "INSERT INTO generated_videos (id, parameters, actual_cost) VALUES (3, 'P', -1.0)",
    "generated_videos",
    "3",
    "actual_cost"
)]
#[case(
    "INSERT INTO generated_videos (id, parameters, storyboard_data) VALUES (3, 'P', '{\"scenes\": 3}')",
    "generated_videos",
    "3",
    "storyboard_data"
)]
#[case(
    "INSERT INTO generated_videos (id, parameters) VALUES (3000000000, 'P')",
    "generated_videos",
    "3000000000",
    "id"
)]
#[case(
    "INSERT INTO generated_videos (id, parameters) VALUES (3, 'P');
        INSERT INTO job_scenes (id, job_id, scene_number) VALUES ('s', 3, 0)",
    "job_scenes",
    "s",
    "scene_number"
)]
#[case(
    "INSERT INTO generated_videos (id, parameters) VALUES (3, 'P');
        INSERT INTO video_sub_jobs (id, job_id, sub_job_number, input_parameters) VALUES ('s', 3, 1, '{x')",
    "video_sub_jobs",
    "s",
    "input_parameters"
)]
fn a_job_with_a_broken_value_is_broken_as_a_whole(
    #[case] sql: &str,
    #[case] table: &str,
    #[case] row: &str,
    #[case] column: &str,
) {
    let old = Old::new(&sql.replace("'P'", &format!("'{{\"campaign_id\": \"{CAMPAIGN}\"}}'")));
    let broken = broken(&old.skip(), Stage::Jobs);
    assert_eq!((broken.table, broken.row.as_str(), broken.column), (table, row, column));
}
