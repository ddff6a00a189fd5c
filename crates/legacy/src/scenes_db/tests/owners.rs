//! Clients, campaigns and keys.

use super::*;

#[test]
fn a_client_keeps_all_that_it_had() {
    let guidelines = r##"{"colors": ["#fff"], "tone": null, "examples": ["Caf\u00e9"]}"##;
    let old = Old::empty(SCHEMA);
    old.run(&format!(
        "INSERT INTO clients VALUES ('{CLIENT}', 7, 'Maison Été', '', '{guidelines}', '2025-11-01 08:00:00',
            '2025-11-02 09:00:00', 'https://acme.example', '{{\"tier\": 1}}')"
    ));
    let found = only(&old.skip(), Stage::Clients);
    let client = client(&found);
    assert_eq!((client.id.as_str(), client.name.as_str()), (CLIENT, "Maison Été"));
    assert_eq!(client.description, None, "an empty description says nothing");
    assert_eq!(client.homepage.as_deref(), Some("https://acme.example"));
    assert_eq!(client.brand_guidelines.as_deref(), Some(guidelines), "to the letter");
    assert_eq!(client.metadata_json.as_deref(), Some(r#"{"tier":1,"legacy":{"user_id":7}}"#));
    assert_eq!(client.created_at, "2025-11-01T08:00:00Z");
    assert_eq!(client.updated_at, "2025-11-02T09:00:00Z");
    let origin = found.thing.origin().unwrap();
    assert_eq!(
        (origin.source.as_str(), origin.table.as_str(), origin.row.as_str()),
        ("scenes.db", "clients", CLIENT)
    );
}

#[test]
fn a_time_that_is_not_there_is_the_other_one() {
    let old = Old::empty(SCHEMA);
    old.run(&format!(
        "INSERT INTO clients (id, name, created_at) VALUES ('{CLIENT}', 'A', '2025-11-01 08:00:00');
         INSERT INTO clients (id, name, updated_at) VALUES ('{OTHER_CLIENT}', 'B', '2025-11-02 08:00:00');
         INSERT INTO clients (id, name) VALUES ('{GONE}', 'C')"
    ));
    let times: Vec<_> = found(&old.skip(), Stage::Clients)
        .iter()
        .map(|found| {
            (client(found).name.clone(), client(found).created_at.clone(), client(found).updated_at.clone())
        })
        .collect();
    let wanted = [
        ("B", "2025-11-02T08:00:00Z", "2025-11-02T08:00:00Z"),
        ("C", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("A", "2025-11-01T08:00:00Z", "2025-11-01T08:00:00Z"),
    ];
    assert_eq!(times, wanted.map(|(name, created, updated)| (name.into(), created.into(), updated.into())));
    let noted =
        found(&old.skip(), Stage::Clients).into_iter().map(|found| client(&found).metadata_json.clone());
    let wanted =
        r#"{"legacy":{"notes":["its row says no time at all: the beginning of 1970 stands for it"]}}"#;
    assert_eq!(noted.collect::<Vec<_>>(), [None, Some(wanted.to_owned()), None]);
}

#[test]
fn a_picture_in_the_metadata_of_a_client_is_its_own_and_is_not_cut() {
    let logo = format!("data:image/png;base64,{}", "A".repeat(200_000));
    let old = Old::empty(SCHEMA);
    old.run(&format!(
        "INSERT INTO clients (id, user_id, name, metadata, created_at)
            VALUES ('{CLIENT}', 7, 'Acme', '{{\"logo\": \"{logo}\"}}', '2025-11-01 08:00:00')"
    ));
    let found = only(&old.skip(), Stage::Clients);
    let metadata: Value = serde_json::from_str(client(&found).metadata_json.as_deref().unwrap()).unwrap();
    assert!(metadata["logo"] == logo && metadata["legacy"]["user_id"] == 7);
}

#[test]
fn numbers_that_json_does_not_have_break_no_client_and_no_campaign() {
    let old = Old::new("");
    old.run(
        r#"UPDATE clients SET brand_guidelines = '{"tone": "NaN",  "weight": NaN}', metadata = '{"score": Infinity}'
            WHERE name = 'Acme';
           UPDATE campaigns SET brief = '{"budget": -Infinity}' WHERE name = 'Autumn'"#,
    );
    let source = old.skip();
    let clients = found(&source, Stage::Clients);
    assert_eq!(client(&clients[0]).brand_guidelines.as_deref(), Some(r#"{"tone": "NaN",  "weight": null}"#));
    let metadata: Value =
        serde_json::from_str(client(&clients[0]).metadata_json.as_deref().unwrap()).unwrap();
    assert_eq!(metadata["score"], Value::Null);
    assert_eq!(metadata["legacy"]["notes"].as_array().unwrap().len(), 2, "{metadata}");
    let campaigns = found(&source, Stage::Campaigns);
    assert_eq!(campaign(&campaigns[0]).brief.as_deref(), Some(r#"{"budget": null}"#));
    let note = legacy(campaign(&campaigns[0]).metadata_json.as_deref())["notes"][0].clone();
    assert!(note.as_str().unwrap().starts_with("brief held numbers"), "{note}");
}

#[test]
fn a_campaign_keeps_all_that_it_had() {
    let old = Old::new(&format!(
        "DELETE FROM campaigns;
         INSERT INTO campaigns VALUES ('{CAMPAIGN}', '{CLIENT}', 7, 'Autumn', 'Sell', 'active', 'https://p.example',
            '{{\"objective\": \"x\"}}', NULL, '2025-11-03 08:00:00', NULL)"
    ));
    let found = only(&old.skip(), Stage::Campaigns);
    let campaign = campaign(&found);
    assert_eq!((campaign.id.as_str(), campaign.client_id.as_str()), (CAMPAIGN, CLIENT));
    assert_eq!(campaign.goal.as_deref(), Some("Sell"));
    assert_eq!(campaign.status.as_deref(), Some("active"));
    assert_eq!(campaign.product_url.as_deref(), Some("https://p.example"));
    assert_eq!(campaign.brief.as_deref(), Some(r#"{"objective": "x"}"#));
    assert_eq!(campaign.updated_at, "2025-11-03T08:00:00Z");
}

#[test]
fn columns_that_came_late_may_be_absent() {
    let old = Old::empty(&format!(
        "CREATE TABLE clients (id TEXT PRIMARY KEY, user_id INTEGER, name TEXT);
         CREATE TABLE campaigns (id TEXT PRIMARY KEY, client_id TEXT, name TEXT);
         CREATE TABLE assets (id TEXT PRIMARY KEY, client_id TEXT, campaign_id TEXT, name TEXT, asset_type TEXT,
            url TEXT, format TEXT);
         INSERT INTO clients VALUES ('{CLIENT}', 1, 'Acme');
         INSERT INTO campaigns VALUES ('{CAMPAIGN}', '{CLIENT}', 'Autumn');
         INSERT INTO assets VALUES ('{A}', NULL, '{CAMPAIGN}', 'Kitchen 5', 'image', '/old', 'png')"
    ));
    let source = old.skip();
    assert_eq!(client(&only(&source, Stage::Clients)).name, "Acme");
    assert_eq!(campaign(&only(&source, Stage::Campaigns)).name, "Autumn");
    assert_eq!(asset(&only(&source, Stage::Assets)).name.as_deref(), Some("Kitchen 5"));
    for stage in [Stage::Keys, Stage::Jobs, Stage::Rest] {
        assert_eq!(source.keys(stage).unwrap(), [], "{stage:?}");
    }
}

#[test]
fn a_key_is_a_record_whose_hash_is_never_looked_at() {
    let old = Old::new(
        "INSERT INTO api_keys VALUES (3, 'deadbeef', 'CI', 1, 1, '2025-11-03 08:00:00', NULL,
            '2026-11-03T08:00:00.123456')",
    );
    let found = only(&old.skip(), Stage::Keys);
    assert_eq!(key(&found).name, "CI");
    assert_eq!(key(&found).created_at, "2025-11-03T08:00:00Z");
    assert_eq!(key(&found).expires_at.as_deref(), Some("2026-11-03T08:00:00.123456Z"));
    assert_eq!(key(&found), key(&only(&old.skip(), Stage::Keys)), "the same id in every run");
    old.run("UPDATE api_keys SET key_hash = 'feedface'");
    assert_eq!(digest(&found), digest(&only(&old.skip(), Stage::Keys)));
    let named = Source::open(&old.path, Some("second"), Orphans::Skip).unwrap();
    assert_ne!(key(&found).id, key(&only(&named, Stage::Keys)).id, "another source, another key");
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_columns_but_on_what_is_in_them() {
    let one = Old::empty("CREATE TABLE clients (id TEXT PRIMARY KEY, user_id INTEGER, name TEXT)");
    let other =
        Old::empty("CREATE TABLE clients (name TEXT, homepage TEXT, user_id INTEGER, id TEXT PRIMARY KEY)");
    for old in [&one, &other] {
        old.run(&format!("INSERT INTO clients (id, user_id, name) VALUES ('{CLIENT}', 1, 'Acme')"));
    }
    let before = digest(&only(&one.skip(), Stage::Clients));
    assert_eq!(before, digest(&only(&other.skip(), Stage::Clients)), "nor on a column that was added since");
    one.run("UPDATE clients SET name = 'ACME'");
    assert_ne!(before, digest(&only(&one.skip(), Stage::Clients)));
}
