//! What becomes of each thing, at first and again.

use protos::asset::v1 as pb;
use protos::asset::v1::legacy_thing::Thing;
use protos::common::v1::{BlobRef, ImportOutcome as Outcome};

use super::{
    ASSET, CAMPAIGN, CLIENT, KEY, a_campaign, a_client, an_asset, asset, campaign, changed, client,
    everything, key, origin, thing,
};
use crate::files::jpeg;
use crate::world::{NOW_TEXT, World, ok, refused};

#[tokio::test]
async fn everything_is_here_as_it_was() {
    let mut world = World::new().await;
    let blob = world.stored(jpeg(40, 30)).await;
    assert_eq!(world.outcomes(everything(Some(blob.clone()))).await, [Outcome::Imported; 4]);
    let found = ok(world.client.get_client(pb::GetClientRequest { id: CLIENT.into() }).await);
    let to_the_second = |text: &str| text.replace(".123456", "");
    let expected = a_client(CLIENT);
    assert_eq!(found, pb::Client { created_at: to_the_second(&expected.created_at), ..expected });
    let found = ok(world.client.get_campaign(pb::GetCampaignRequest { id: CAMPAIGN.into() }).await);
    let expected = a_campaign(CAMPAIGN, CLIENT);
    assert_eq!(found, pb::Campaign { created_at: to_the_second(&expected.created_at), ..expected });
    let found = world.found(ASSET).await;
    let expected = an_asset(ASSET, Some(BlobRef { content_type: "image/jpeg".into(), ..blob }));
    let created_at = to_the_second(&expected.created_at);
    let (width, height) = (Some(40), Some(30));
    assert_eq!(found, pb::Asset { created_at, format: "jpeg".into(), width, height, ..expected });
    let keys = ok(world.client.list_api_keys(pb::ListApiKeysRequest::default()).await).keys;
    let [key] = keys.as_slice() else { panic!("one key") };
    assert_eq!((key.id.as_str(), key.name.as_str(), key.scopes.len()), (KEY, "site", 0));
    assert_eq!(key.revoked_at.as_deref(), Some(NOW_TEXT), "revoked as it came");
    assert!(ok(world.client.get_key_ring(pb::GetKeyRingRequest {}).await).keys.is_empty());
    let actors = world.log.read_all(0, 10).await.unwrap();
    assert!(actors.iter().all(|event| event.meta.actor == "import"));
    world.stop().await;
}

#[tokio::test]
async fn a_second_run_finds_everything_and_stores_nothing() {
    let world = World::new().await;
    let blob = world.stored(jpeg(40, 30)).await;
    let things = everything(Some(blob));
    let first = world.import(things.clone()).await;
    let head = world.log.head().await.unwrap();
    let second = world.import(things).await;
    assert!(second.iter().all(|result| result.outcome() == Outcome::Already && result.reason.is_empty()));
    let ids = |results: &[protos::common::v1::ImportResult]| -> Vec<String> {
        results.iter().map(|result| result.id.clone()).collect()
    };
    assert_eq!(ids(&first), [CLIENT, CAMPAIGN, ASSET, KEY]);
    assert_eq!(ids(&second), ids(&first));
    assert_eq!(world.log.head().await.unwrap(), head);
    world.stop().await;
}

#[tokio::test]
async fn a_row_that_changed_is_reported_with_what_changed_and_changes_nothing() {
    let world = World::new().await;
    let (old, new) = (world.stored(jpeg(40, 30)).await, world.stored(jpeg(41, 30)).await);
    world.import(everything(Some(old.clone()))).await;
    let head = world.log.head().await.unwrap();
    let renamed = pb::Client { name: "Northwind".into(), homepage: None, ..a_client(CLIENT) };
    let renamed = thing("clients", CLIENT, Thing::Client(renamed));
    let other_bytes = asset(an_asset(ASSET, Some(new)));
    for (given, reason) in [
        (renamed, "not as it was when it came: name, homepage"),
        (other_bytes, "not as it was when it came: bytes"),
        (changed(key()), "something else of its row, or its bytes, is not as it was when it came"),
    ] {
        assert_eq!(world.one(given).await, (Outcome::Changed, reason.to_owned()));
    }
    let mut moved = asset(an_asset("another", None));
    moved.origin.as_mut().unwrap().row = ASSET.into();
    let reason = format!("it came as asset {ASSET}, and is another now");
    assert_eq!(world.one(moved).await, (Outcome::Changed, reason));
    assert_eq!(world.log.head().await.unwrap(), head);
    assert_eq!(world.found(ASSET).await.blob.unwrap().sha256, old.sha256);
    world.stop().await;
}

#[tokio::test]
async fn an_id_that_is_something_elses_is_taken_also_when_that_is_gone() {
    let mut world = World::new().await;
    let made = world.client_named("Ours").await;
    let taken = world.one(client(&made.id)).await;
    let reason = "its id belongs to the client \"Ours\", which was made here".to_owned();
    assert_eq!(taken, (Outcome::Taken, reason));
    ok(world
        .client
        .delete_client(pb::DeleteClientRequest { id: made.id.clone(), ..Default::default() })
        .await);
    assert_eq!(world.one(client(&made.id)).await.0, Outcome::Taken, "a deleted id is never another thing's");
    world.import([client(CLIENT)]).await;
    let mut other = client(CLIENT);
    other.origin = origin("older_clients", "9", "x");
    let (outcome, reason) = world.one(other).await;
    assert_eq!(outcome, Outcome::Taken);
    assert!(reason.ends_with(&format!("which came from scenes.db, table clients, row {CLIENT}")), "{reason}");
    world.stop().await;
}

#[tokio::test]
async fn what_was_deleted_here_stays_deleted() {
    let mut world = World::new().await;
    let blob = world.stored(jpeg(8, 8)).await;
    let things = everything(Some(blob));
    world.import(things.clone()).await;
    ok(world.client.delete_client(pb::DeleteClientRequest { id: CLIENT.into(), ..Default::default() }).await);
    assert_eq!(world.outcomes(things).await, [Outcome::Already; 4]);
    refused(world.client.get_client(pb::GetClientRequest { id: CLIENT.into() }).await);
    refused(world.client.get_asset(pb::GetAssetRequest { id: ASSET.into() }).await);
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_were_missing_complete_their_asset_once() {
    let world = World::new().await;
    assert_eq!(world.outcomes(everything(None)).await, [Outcome::Imported; 4]);
    let without = world.found(ASSET).await;
    assert_eq!((without.blob, without.format.as_str(), without.r#type.as_str()), (None, "JPG", "image"));
    let blob = world.stored(jpeg(40, 30)).await;
    // The row is the same, and its bytes were fetched; or the row has them by now.
    let fetched = pb::LegacyThing {
        origin: asset(an_asset(ASSET, None)).origin,
        ..asset(an_asset(ASSET, Some(blob.clone())))
    };
    let renamed = pb::Asset { name: Some("Lobby 2".into()), ..an_asset(ASSET, Some(blob.clone())) };
    let reason = "not as it was when it came: name".to_owned();
    assert_eq!(world.one(asset(renamed)).await, (Outcome::Changed, reason));
    assert_eq!(world.one(fetched.clone()).await, (Outcome::Completed, String::new()));
    let with = world.found(ASSET).await;
    assert_eq!((with.width, with.format.as_str()), (Some(40), "jpeg"));
    assert_eq!(with.blob.unwrap().sha256, blob.sha256);
    assert_eq!((with.created_at, with.updated_at), (without.created_at, without.updated_at));
    let head = world.log.head().await.unwrap();
    assert_eq!(world.one(fetched).await.0, Outcome::Already);
    assert_eq!(
        world.one(asset(an_asset(ASSET, None))).await.0,
        Outcome::Already,
        "fetched is not in the row"
    );
    assert_eq!(world.log.head().await.unwrap(), head);
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_the_row_has_by_now_count_as_its_content() {
    let world = World::new().await;
    world.import(everything(None)).await;
    let blob = world.stored(jpeg(40, 30)).await;
    let with = asset(an_asset(ASSET, Some(blob)));
    assert_eq!(world.one(with.clone()).await.0, Outcome::Completed);
    assert_eq!(world.one(with).await.0, Outcome::Already);
    world.stop().await;
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_alone() {
    let world = World::new().await;
    let nowhere = BlobRef { sha256: "0".repeat(64), size: 9, content_type: "image/jpeg".into() };
    let page = world.stored(b"<!doctype html><html>not found</html>".to_vec()).await;
    let cut = world.stored(jpeg(40, 30)[..12].to_vec()).await;
    let of = |id: &str, blob: &BlobRef| asset(an_asset(id, Some(blob.clone())));
    let orphan = pb::Asset { campaign_id: None, client_id: Some("gone".into()), ..an_asset("a-3", None) };
    let things = [
        campaign("c-0"),
        client(CLIENT),
        campaign(CAMPAIGN),
        of("a-1", &nowhere),
        of("a-2", &page),
        asset(orphan),
        of("a-4", &cut),
        pb::LegacyThing::default(),
        asset(an_asset("a-5", None)),
    ];
    let results = world.import(things).await;
    let told: Vec<_> = results.iter().map(|result| (result.outcome(), result.reason.as_str())).collect();
    let absent = format!("its bytes, {}, are not in the object store", nowhere.sha256);
    let expected = [
        (Outcome::Refused, format!("its client {CLIENT} is not here")),
        (Outcome::Imported, String::new()),
        (Outcome::Imported, String::new()),
        (Outcome::Refused, absent),
        (Outcome::Refused, "it says image, but its bytes are no image: they are text/html".to_owned()),
        (Outcome::Refused, "its client gone is not here".to_owned()),
        (
            Outcome::Refused,
            "it says image, but its bytes are no image: they begin like image/jpeg, and no size follows"
                .to_owned(),
        ),
        (Outcome::Refused, "it does not say where it comes from".to_owned()),
        (Outcome::Imported, String::new()),
    ];
    let expected: Vec<_> = expected.iter().map(|(outcome, reason)| (*outcome, reason.as_str())).collect();
    assert_eq!(told, expected);
    assert_eq!(world.log.head().await.unwrap(), 3, "nothing of what was refused is stored");
    world.stop().await;
}

/// Moves the campaign that came to another client, as people do.
async fn moved(world: &mut World) -> String {
    let other = world.client_named("Other").await.id;
    let request = pb::UpdateCampaignRequest {
        id: CAMPAIGN.into(),
        fields: vec!["client_id".into()],
        client_id: Some(other.clone()),
        ..Default::default()
    };
    ok(world.client.update_campaign(request).await);
    other
}

#[tokio::test]
async fn an_asset_whose_campaign_went_to_another_client_before_it_came_is_refused_with_both() {
    let mut world = World::new().await;
    let before = asset(an_asset("a-1", None));
    world.import([client(CLIENT), campaign(CAMPAIGN), before.clone()]).await;
    let other = moved(&mut world).await;
    let head = world.log.head().await.unwrap();
    let (outcome, reason) = world.one(asset(an_asset("a-2", None))).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(reason.contains(&format!("says the client {CLIENT}")), "{reason}");
    assert!(reason.contains(&format!("campaign {CAMPAIGN} belongs to the client {other} here")), "{reason}");
    assert_eq!(world.one(before).await.0, Outcome::Already, "what came before went with its campaign");
    assert_eq!(world.log.head().await.unwrap(), head);
    let unnamed = pb::Asset { client_id: None, ..an_asset("a-3", None) };
    assert_eq!(world.one(asset(unnamed)).await.0, Outcome::Imported);
    assert_eq!(world.found("a-3").await.client_id, Some(other));
    world.stop().await;
}

#[tokio::test]
async fn a_row_or_an_id_that_is_twice_in_a_request_comes_once() {
    let world = World::new().await;
    let mut same_id = client(CLIENT);
    same_id.origin = origin("clients", "other", "x");
    let results = world.outcomes([client(CLIENT), client(CLIENT), same_id, campaign(CAMPAIGN)]).await;
    assert_eq!(results, [Outcome::Imported, Outcome::Already, Outcome::Taken, Outcome::Imported]);
    world.stop().await;
}

#[tokio::test]
async fn a_request_of_too_many_things_is_refused_whole() {
    let world = World::new().await;
    let request = pb::ImportRequest { things: vec![client(CLIENT); 1001] };
    let error = refused(world.legacy.clone().import(request).await);
    assert_eq!(error.message, "1001 things are too many: 1000 are the most of one request");
    world.stop().await;
}

#[tokio::test]
async fn what_came_is_changed_here_like_anything_else_and_stays_as_old_as_it_is() {
    let mut world = World::new().await;
    world.import(everything(None)).await;
    let request = pb::UpdateCampaignRequest {
        id: CAMPAIGN.into(),
        fields: vec!["goal".into()],
        goal: Some("reach".into()),
        ..Default::default()
    };
    let updated = ok(world.client.update_campaign(request).await);
    assert_eq!(
        (updated.created_at.as_str(), updated.updated_at.as_str()),
        ("2023-05-06T07:08:09Z", NOW_TEXT)
    );
    let found = ok(world.client.get_campaign(pb::GetCampaignRequest { id: CAMPAIGN.into() }).await);
    assert_eq!(found, updated);
    assert_eq!(world.one(campaign(CAMPAIGN)).await.0, Outcome::Already);
    world.stop().await;
}
