//! What came from a source: as it came, as it is, and whether anything happened to it here.

use eventlog::{Statement, params};
use protos::asset::v1 as pb;
use protos::asset::v1::legacy_thing::Thing;

use super::{ASSET, CAMPAIGN, CLIENT, an_asset, asset, campaign, client, everything, thing};
use crate::files::jpeg;
use crate::world::{World, ok};

fn touched(things: &[pb::ImportedThing]) -> Vec<bool> {
    things.iter().map(|thing| thing.touched).collect()
}

fn asset_of(thing: Option<&pb::LegacyThing>) -> pb::Asset {
    match thing.and_then(|thing| thing.thing.clone()) {
        Some(Thing::Asset(asset)) => asset,
        other => panic!("no asset: {other:?}"),
    }
}

#[tokio::test]
async fn everything_is_listed_as_it_was_given() {
    let world = World::new().await;
    let given = everything(None);
    world.import(given.clone()).await;
    let listed = world.listed().await;
    let kinds: Vec<_> = listed.iter().map(|thing| thing.kind.as_str()).collect();
    assert_eq!(kinds, ["client", "campaign", "asset", "key"]);
    for (listed, given) in listed.iter().zip(&given) {
        assert_eq!((listed.now.as_ref(), listed.came.as_ref()), (Some(given), Some(given)));
        assert_eq!((&listed.origin, listed.touched), (&given.origin, false));
    }
    let other = pb::ListImportedRequest { source: "phoenix".into(), ..Default::default() };
    assert_eq!(ok(world.legacy.clone().list_imported(other).await), pb::ListImportedReply::default());
    world.stop().await;
}

#[tokio::test]
async fn a_key_that_opens_something_behind_the_back_is_told() {
    let world = World::new().await;
    world.import(everything(None)).await;
    let opens = async || match world.listed().await.remove(3) {
        pb::ImportedThing { now: Some(now), came: Some(came), touched: false, .. } => {
            match (now.thing, came.thing) {
                (Some(Thing::Key(now)), Some(Thing::Key(came))) => (now.opens, came.opens),
                other => panic!("no key: {other:?}"),
            }
        }
        other => panic!("no key: {other:?}"),
    };
    assert_eq!(opens().await, (false, false));
    for (tamper, mend) in [
        ("UPDATE api_key SET revoked_at = NULL", "UPDATE api_key SET revoked_at = created_at"),
        ("UPDATE api_key SET scopes = '[\"read\"]'", "UPDATE api_key SET scopes = '[]'"),
        (
            "INSERT INTO api_key_digest (key_id, digest) SELECT id, CAST(id AS BLOB) FROM api_key",
            "DELETE FROM api_key_digest",
        ),
    ] {
        for (sql, wanted) in [(tamper, true), (mend, false)] {
            world.log.execute(vec![Statement::new(sql, params![]).affecting(1)]).await.unwrap();
            assert_eq!(opens().await, (wanted, false), "{sql}");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_in_the_order_in_which_things_came() {
    let mut world = World::new().await;
    let ids: Vec<String> = (0..7).map(|nth| format!("c-{nth}")).collect();
    world.import(ids.iter().map(|id| client(id)).collect::<Vec<_>>()).await;
    let mut request = pb::ListImportedRequest { source: "scenes.db".into(), limit: 3, after: None };
    let mut pages = Vec::new();
    loop {
        let page = ok(world.legacy.list_imported(request.clone()).await);
        pages.push(page.things.iter().map(|thing| thing.id.clone()).collect::<Vec<_>>());
        request.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(pages.concat(), ids);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    world.stop().await;
}

#[tokio::test]
async fn what_people_did_here_counts_and_what_went_past_the_log_does_not() {
    let mut world = World::new().await;
    world.import(everything(None)).await;
    let request = pb::UpdateClientRequest {
        id: CLIENT.into(),
        fields: vec!["name".into()],
        name: Some("Another".into()),
        ..Default::default()
    };
    ok(world.client.update_client(request).await);
    let tamper = Statement::new("UPDATE asset SET name = $1", params!["tampered"]);
    world.log.execute(vec![tamper]).await.unwrap();
    let listed = world.listed().await;
    assert_eq!(touched(&listed), [true, false, false, false]);
    let [_, _, asset, _] = listed.as_slice() else { panic!("four things") };
    assert_eq!(asset_of(asset.now.as_ref()).name.as_deref(), Some("tampered"));
    assert_eq!(asset_of(asset.came.as_ref()).name.as_deref(), Some("Lobby 1"));
    world.stop().await;
}

#[tokio::test]
async fn what_went_with_its_owner_counts_as_touched() {
    for campaign_alone in [true, false] {
        let mut world = World::new().await;
        let of_client = asset(pb::Asset { campaign_id: None, ..an_asset("a-2", None) });
        let of_campaign = asset(pb::Asset { client_id: None, ..an_asset("a-3", None) });
        world.import([everything(None), vec![of_client, of_campaign]].concat()).await;
        if campaign_alone {
            let request = pb::DeleteCampaignRequest { id: CAMPAIGN.into(), ..Default::default() };
            ok(world.client.delete_campaign(request).await);
        } else {
            let request = pb::DeleteClientRequest { id: CLIENT.into(), ..Default::default() };
            ok(world.client.delete_client(request).await);
        }
        let listed = world.listed().await;
        let gone: Vec<bool> = listed.iter().map(|thing| thing.now.is_none()).collect();
        assert_eq!(touched(&listed), gone);
        let client_too = !campaign_alone;
        assert_eq!(gone, [client_too, true, true, false, client_too, true]);
        assert!(listed.iter().all(|thing| thing.came.is_some()));
        world.stop().await;
    }
}

#[tokio::test]
async fn a_row_that_is_gone_without_a_word_in_the_log_is_not_touched() {
    let world = World::new().await;
    world.import(everything(None)).await;
    world.log.execute(vec![Statement::new("DELETE FROM asset", params![])]).await.unwrap();
    let listed = world.listed().await;
    assert!(listed[2].now.is_none() && !listed[2].touched);
    world.stop().await;
}

#[tokio::test]
async fn an_asset_whose_campaign_went_to_another_client_is_touched() {
    let mut world = World::new().await;
    let unnamed = pb::Asset { client_id: None, ..an_asset("a-2", None) };
    let given = [client(CLIENT), campaign(CAMPAIGN), asset(an_asset(ASSET, None)), asset(unnamed.clone())];
    world.import(given).await;
    let listed = world.listed().await;
    assert_eq!(asset_of(listed[3].now.as_ref()), unnamed, "its campaign's client is not told");
    let other = world.client_named("Other").await;
    let rename = pb::UpdateCampaignRequest {
        id: CAMPAIGN.into(),
        fields: vec!["name".into()],
        name: Some("Summer".into()),
        ..Default::default()
    };
    ok(world.client.update_campaign(rename.clone()).await);
    assert_eq!(touched(&world.listed().await), [false, true, false, false]);
    let request = pb::UpdateCampaignRequest {
        fields: vec!["client_id".into()],
        client_id: Some(other.id.clone()),
        ..rename
    };
    ok(world.client.update_campaign(request).await);
    let listed = world.listed().await;
    assert_eq!(touched(&listed), [false, true, true, true]);
    assert_eq!(asset_of(listed[2].now.as_ref()).client_id, Some(other.id));
    assert_eq!(asset_of(listed[3].now.as_ref()).client_id, None);
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_were_found_later_are_part_of_how_it_came() {
    let world = World::new().await;
    world.import(everything(None)).await;
    let blob = world.stored(jpeg(40, 30)).await;
    let with = thing("assets", ASSET, Thing::Asset(an_asset(ASSET, Some(blob.clone()))));
    world.import([with.clone()]).await;
    let listed = world.listed().await;
    assert_eq!((listed[2].touched, &listed[2].origin), (false, &with.origin));
    let came = asset_of(listed[2].came.as_ref());
    assert_eq!((came.blob.as_ref().map(|blob| &blob.sha256), came.width), (Some(&blob.sha256), Some(40)));
    assert_eq!(asset_of(listed[2].now.as_ref()), came);
    world.stop().await;
}
