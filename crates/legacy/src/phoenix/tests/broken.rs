//! Rows that cannot be read: each says its table, its row and its column.

use rstest::rstest;

use super::*;

/// A database with a client, a campaign, an asset, a job and a scene, all of them sound.
fn sound() -> String {
    [
        owners(),
        row(
            "assets",
            &[
                ("id", &text(ASSET)),
                ("type", "'image'"),
                ("client_id", &text(CLIENT)),
                ("blob_data", "x'00'"),
            ],
        ),
        row(
            "jobs",
            &[
                ("id", "43"),
                ("type", "'image_pairs'"),
                ("status", "'completed'"),
                ("parameters", &text(&format!(r#"{{"client_id":"{CLIENT}"}}"#))),
                ("result", VIDEO),
            ],
        ),
        row("sub_jobs", &[("id", &text(GONE)), ("job_id", "43"), ("status", "'failed'")]),
    ]
    .concat()
}

#[rstest]
#[case::json(Stage::Clients, "clients", CLIENT, "metadata", "'{\"a\":'", "not valid JSON")]
#[case::no_object(Stage::Campaigns, "campaigns", CAMPAIGN, "metadata", "'[1]'", "no JSON object")]
#[case::no_utf8(Stage::Clients, "clients", CLIENT, "name", "CAST(x'41ff' AS TEXT)", "not valid UTF-8")]
#[case::no_utf8_in_json(
    Stage::Assets,
    "assets",
    ASSET,
    "metadata",
    "CAST(x'7b22ff227d' AS TEXT)",
    "not valid UTF-8"
)]
#[case::tags(Stage::Assets, "assets", ASSET, "tags", "'{\"a\":1}'", "no array")]
#[case::tag(Stage::Assets, "assets", ASSET, "tags", "'[\"a\",5]'", "element 2")]
#[case::kind(Stage::Assets, "assets", ASSET, "type", "'hologram'", "image, video or audio")]
#[case::width(Stage::Assets, "assets", ASSET, "width", "-5", "pixels")]
#[case::time(Stage::Assets, "assets", ASSET, "inserted_at", "'yesterday'", "time")]
#[case::parameters(Stage::Jobs, "jobs", "43", "parameters", "'nothing'", "not valid JSON")]
#[case::storyboard(Stage::Jobs, "jobs", "43", "storyboard", "'{\"scenes\":[}'", "not valid JSON")]
#[case::progress(Stage::Jobs, "jobs", "43", "progress", "'\"done\"'", "no JSON object")]
#[case::job_kind(Stage::Jobs, "jobs", "43", "type", "'luigi'", "image_pairs or property_photos")]
#[case::status(Stage::Jobs, "jobs", "43", "status", "'lost'", "pending, approved")]
#[case::estimate(Stage::Jobs, "jobs", "43", "estimated_cost", "-1", "no price")]
#[case::scene_status(Stage::Jobs, "sub_jobs", GONE, "status", "'lost'", "pending, processing")]
fn what_is_wrong_is_said_of_its_column(
    #[case] stage: Stage,
    #[case] table: &str,
    #[case] row: &str,
    #[case] column: &str,
    #[case] value: &str,
    #[case] reason: &str,
) {
    let rows = format!("{}UPDATE {table} SET {column} = {value};", sound());
    let broken = made(NEW, &rows, Orphans::Skip).broken(stage);
    assert_eq!((broken.table, broken.row.as_str(), broken.column), (table, row, column));
    assert!(broken.reason.contains(reason), "{broken}");
}

#[rstest]
#[case(Stage::Clients, "clients")]
#[case(Stage::Campaigns, "campaigns")]
#[case(Stage::Assets, "assets")]
#[case(Stage::Jobs, "sub_jobs")]
fn an_id_that_is_no_uuid_is_said(#[case] stage: Stage, #[case] table: &str) {
    // The client goes on being there under its own id for those that refer to it.
    let second = row("clients", &[("id", "'new'"), ("name", "'x'")]);
    let change = match table {
        "clients" => second,
        _ => format!("UPDATE {table} SET id = 'new';"),
    };
    let made = made(NEW, &format!("{}{change}", sound()), Orphans::Skip);
    let broken: Vec<_> = made
        .rows(stage)
        .into_iter()
        .filter_map(|row| if let Row::Broken(broken) = row { Some(broken) } else { None })
        .collect();
    let [broken] = broken.as_slice() else { panic!("one row: {broken:?}") };
    assert_eq!((broken.table, broken.row.as_str(), broken.column), (table, "new", "id"));
}

#[test]
fn a_sound_database_has_no_broken_row() {
    let made = made(NEW, &sound(), Orphans::Skip);
    for stage in Stage::ALL {
        assert!(!made.rows(stage).iter().any(|row| matches!(row, Row::Broken(_))), "{stage:?}");
    }
}
