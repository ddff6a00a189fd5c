//! Clients, campaigns, keys and accounts.

use protos::asset::v1::{Campaign, Client, LegacyKey, legacy_thing};

use super::*;
use crate::IMPORTED_CLIENT;

#[test]
fn a_client_keeps_everything_that_its_row_says_and_a_blank_text_says_nothing() {
    let made = made(
        NEW,
        &row(
            "clients",
            &[
                ("id", &text(&CLIENT.to_uppercase())),
                ("name", "'Zoë & Söhne'"),
                ("description", "''"),
                ("homepage", "'https://acme.example'"),
                ("brand_guidelines", "'Blue only'"),
                ("metadata", "'{\"tier\":\"gold\"}'"),
            ],
        ),
        Orphans::Skip,
    );
    let client = Client {
        id: CLIENT.to_owned(),
        name: "Zoë & Söhne".to_owned(),
        description: None,
        homepage: Some("https://acme.example".to_owned()),
        brand_guidelines: Some("Blue only".to_owned()),
        metadata_json: Some(r#"{"tier":"gold"}"#.to_owned()),
        created_at: T_HERE.to_owned(),
        updated_at: "2025-03-04T05:09:00Z".to_owned(),
    };
    let found = made.found(Stage::Clients);
    assert_eq!(stored(&found), legacy_thing::Thing::Client(client));
    let origin = found.thing.origin().unwrap();
    assert_eq!((origin.source.as_str(), origin.table.as_str()), ("phoenix", "clients"));
    assert_eq!(origin.row, CLIENT.to_uppercase());
}

#[test]
fn a_campaign_without_a_name_is_unnamed_and_its_brief_is_text() {
    let campaign = row(
        "campaigns",
        &[
            ("id", &text(CAMPAIGN)),
            ("client_id", &text(CLIENT)),
            ("brief", "'[1] is what we sell'"),
            ("goal", "'Sales'"),
            ("status", "'draft'"),
            ("product_url", "'https://acme.example/p'"),
            ("metadata", "'{\"a\":[1,2.5]}'"),
        ],
    );
    let client = row("clients", &[("id", &text(CLIENT)), ("name", "'Acme'")]);
    let made = made(NEW, &format!("{client}{campaign}"), Orphans::Skip);
    let campaign = Campaign {
        id: CAMPAIGN.to_owned(),
        client_id: CLIENT.to_owned(),
        name: "Unnamed Campaign".to_owned(),
        goal: Some("Sales".to_owned()),
        status: Some("draft".to_owned()),
        product_url: Some("https://acme.example/p".to_owned()),
        brief: Some("[1] is what we sell".to_owned()),
        metadata_json: Some(r#"{"a":[1,2.5]}"#.to_owned()),
        created_at: T_HERE.to_owned(),
        updated_at: "2025-03-04T05:09:00Z".to_owned(),
    };
    assert_eq!(stored(&made.found(Stage::Campaigns)), legacy_thing::Thing::Campaign(campaign));
}

#[test]
fn numbers_that_json_does_not_have_break_nothing_and_are_noted_as_is_a_time_that_is_nowhere() {
    let id = text(CLIENT);
    let columns = [("id", id.as_str()), ("name", "'Acme'"), ("metadata", r#"'{"a": NaN,  "b": "NaN"}'"#)];
    let rows = format!("{}UPDATE clients SET inserted_at = '', updated_at = ' ';", row("clients", &columns));
    let legacy_thing::Thing::Client(client) = stored(&made(NEW, &rows, Orphans::Skip).found(Stage::Clients))
    else {
        panic!("no client")
    };
    assert_eq!(client.created_at, "1970-01-01T00:00:00Z");
    let metadata = client.metadata_json.unwrap();
    assert!(metadata.starts_with(r#"{"a": null,  "b": "NaN","legacy":{"notes":["#), "{metadata}");
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["legacy"]["notes"].as_array().unwrap().len(), 2, "{metadata}");
}

#[test]
fn a_campaign_whose_client_is_gone_is_an_orphan() {
    let campaign =
        row("campaigns", &[("id", &text(CAMPAIGN)), ("client_id", &text(GONE)), ("name", "'Spring'")]);
    let skipped = made(NEW, &campaign, Orphans::Skip).skipped(Stage::Campaigns);
    assert!(skipped.orphan && skipped.reason.contains(GONE), "{skipped:?}");

    let kept = made(NEW, &campaign, Orphans::Keep);
    let legacy_thing::Thing::Campaign(campaign) = stored(&kept.found(Stage::Campaigns)) else {
        panic!("no campaign")
    };
    assert_eq!(campaign.client_id, IMPORTED_CLIENT.to_string());
    let metadata = campaign.metadata_json.unwrap();
    assert!(metadata.contains(GONE), "what the row says of its client is kept: {metadata}");
}

#[test]
fn an_account_with_a_key_leaves_a_key_that_is_the_same_in_every_run_and_none_of_its_secrets() {
    let accounts = |secret: &str| {
        let with = row(
            "users",
            &[
                ("username", "'ann'"),
                ("email", "'ann@acme.example'"),
                ("password_hash", &text(secret)),
                ("api_key_hash", &text(secret)),
            ],
        );
        let without = row("users", &[("username", "'bob'"), ("email", "'bob@acme.example'")]);
        made(NEW, &format!("{with}{without}"), Orphans::Skip)
    };
    let found = accounts("one").found(Stage::Keys);
    let legacy_thing::Thing::Key(key) = stored(&found) else { panic!("no key") };
    let expected = LegacyKey {
        id: key.id.clone(),
        name: "ann".to_owned(),
        created_at: T_HERE.to_owned(),
        expires_at: None,
        opens: false,
    };
    assert_eq!(key, expected);
    assert_eq!(uuid::Uuid::parse_str(&key.id).unwrap().get_version_num(), 5);
    let again = accounts("another").found(Stage::Keys);
    assert_eq!((stored(&again), again.thing.origin()), (stored(&found), found.thing.origin()));
}

#[test]
fn accounts_themselves_and_scenes_of_no_job_are_left_out_with_a_reason() {
    let made = owned(
        &[
            row("users", &[("username", "'ann'"), ("email", "'a@b.c'"), ("api_key_hash", "'x'")]),
            row("jobs", &[("id", "1"), ("type", "'image_pairs'"), ("status", "'failed'")]),
            row("sub_jobs", &[("id", &text(ASSET)), ("job_id", "1"), ("status", "'failed'")]),
            row("sub_jobs", &[("id", &text(GONE)), ("job_id", "2"), ("status", "'failed'")]),
        ]
        .concat(),
    );
    let left_out: Vec<_> = made
        .rows(Stage::Rest)
        .into_iter()
        .map(|row| match row {
            Row::Skipped(skipped) => (skipped.table, skipped.row, skipped.reason, skipped.orphan),
            other => panic!("not skipped: {other:?}"),
        })
        .collect();
    let account = ("users", "1".to_owned(), "accounts are not part of Filmstrip".to_owned(), false);
    let scene = ("sub_jobs", GONE.to_owned(), "its job 2 is not in the source".to_owned(), false);
    assert_eq!(left_out, [account, scene]);
}

#[test]
fn rows_come_by_the_time_of_their_creation_then_by_their_key() {
    let client = |id: &str, time: &str| {
        format!(
            "INSERT INTO clients (id, name, inserted_at, updated_at) VALUES ('{id}', 'x', '{time}', '{time}');"
        )
    };
    let late = client(CLIENT, "2025-05-01T00:00:00");
    let early = client(GONE, "2025-03-01T00:00:00") + &client(ASSET, "2025-03-01T00:00:00");
    let made = made(NEW, &(late + &early), Orphans::Skip);
    let keys: Vec<_> = made.source.keys(Stage::Clients).unwrap().into_iter().map(|key| key.row).collect();
    assert_eq!(keys, [GONE.min(ASSET), GONE.max(ASSET), CLIENT]);
}
