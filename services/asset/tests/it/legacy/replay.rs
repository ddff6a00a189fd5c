//! What the log says of what was brought over: the tables again, and what other teams are told.

use eventlog::{Log, Row, testing::scratch_log};
use protos::asset::v1 as pb;

use super::{ASSET, CLIENT, an_asset, asset, everything};
use crate::files::jpeg;
use crate::world::{World, ok};

async fn tables(log: &Log) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in ["client", "campaign", "asset", "api_key", "imported"] {
        let sql = format!("SELECT * FROM {table} ORDER BY position");
        rows.extend(log.query(&sql, eventlog::params![]).await.unwrap());
    }
    rows
}

#[tokio::test]
async fn the_tables_can_be_made_again_from_the_log() {
    let mut world = World::new().await;
    world.import(everything(None)).await;
    let blob = world.stored(jpeg(40, 30)).await;
    world.import([asset(an_asset(ASSET, Some(blob.clone())))]).await;
    let unnamed = pb::Asset { client_id: None, ..an_asset("a-2", Some(blob)) };
    world.import([asset(unnamed), asset(an_asset("a-3", None))]).await;
    let request = pb::UpdateClientRequest {
        id: CLIENT.into(),
        fields: vec!["name".into()],
        name: Some("Another".into()),
        ..Default::default()
    };
    ok(world.client.update_client(request).await);
    ok(world.client.delete_asset(pb::DeleteAssetRequest { id: "a-3".into(), ..Default::default() }).await);
    let (again, _directory) = scratch_log(&asset::store::MIGRATIONS).await;
    for stored in world.log.read_all(0, 100).await.unwrap() {
        again.append(asset::events::replay(&stored).unwrap()).await.unwrap();
    }
    let rows = tables(&world.log).await;
    assert_eq!(rows.len(), 11, "client, campaign, two assets, key, and six rows that came");
    assert_eq!(tables(&again).await, rows);
    world.stop().await;
}

#[tokio::test]
async fn what_is_published_is_marked_as_imported() {
    let world = World::new().await;
    world.import(everything(None)).await;
    let blob = world.stored(jpeg(40, 30)).await;
    world.import([asset(an_asset(ASSET, Some(blob)))]).await;
    let mut told = Vec::new();
    for stored in world.log.read_all(0, 100).await.unwrap() {
        told.extend(asset::publish::translate(&stored).unwrap());
    }
    let names: Vec<_> = told.iter().map(|told| told.name.as_str()).collect();
    assert_eq!(names, ["client_imported", "campaign_imported", "asset_imported", "asset_bytes_added"]);
    for told in &told {
        assert_eq!(told.data["origin"]["source"], "scenes.db", "{}", told.name);
    }
    assert_eq!(told[2].data["created_at"], super::CREATED);
    assert!(told[2].data.get("blob").is_none());
    assert_eq!(told[3].data["blob"]["content_type"], "image/jpeg");
    world.stop().await;
}
