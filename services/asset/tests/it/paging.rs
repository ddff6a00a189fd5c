//! Pages by place: each row once, whatever comes and goes meanwhile.

use std::collections::HashSet;

use protos::asset::v1 as pb;

use crate::files::jpeg;
use crate::world::{World, ok};

#[tokio::test]
async fn every_client_that_was_there_comes_once_while_others_come_and_go() {
    let mut world = World::new().await;
    let mut there = HashSet::new();
    for index in 0..20 {
        there.insert(world.client_named(&format!("client {index}")).await.id);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let request = pb::ListClientsRequest { limit: 3, after, ..Default::default() };
        let page = ok(world.client.list_clients(request).await);
        seen.extend(page.clients.into_iter().map(|client| client.id));
        let Some(next) = page.next else { break };
        after = Some(next);
        // One more, and one that was seen goes, so that offsets would shift.
        if seen.len() < 20 {
            world.client_named("a late one").await;
            let id = seen[seen.len() - 2].clone();
            ok(world.client.delete_client(pb::DeleteClientRequest { id, ..Default::default() }).await);
        }
    }
    let distinct: HashSet<_> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "none comes twice");
    assert!(there.is_subset(&distinct), "and none is passed over");
    world.stop().await;
}

#[tokio::test]
async fn newest_first_goes_on_with_what_is_older() {
    let mut world = World::new().await;
    let campaign = world.campaign().await;
    let mut stored = Vec::new();
    for _ in 0..5 {
        let request = pb::CreateAssetRequest {
            fields: Some(crate::world::in_campaign(&campaign)),
            blob: Some(world.stored(jpeg(8, 8)).await),
            ..Default::default()
        };
        stored.push(ok(world.client.create_asset(request).await).id);
    }
    for oldest_first in [false, true] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let request = pb::ListAssetsRequest {
                limit: 2,
                after,
                oldest_first,
                campaign_id: Some(campaign.id.clone()),
                ..Default::default()
            };
            let page = ok(world.client.list_assets(request).await);
            assert_eq!(page.total, 5, "of all pages");
            seen.extend(page.assets.into_iter().map(|asset| asset.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if !oldest_first {
            seen.reverse();
        }
        assert_eq!(seen, stored);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_page_that_holds_the_last_row_has_none_after_it() {
    let mut world = World::new().await;
    for name in ["a", "b"] {
        world.client_named(name).await;
    }
    for (limit, more) in [(0, false), (1, true), (2, false), (3, false)] {
        let request = pb::ListClientsRequest { limit, ..Default::default() };
        let page = ok(world.client.list_clients(request).await);
        assert_eq!(page.next.is_some(), more, "{limit}");
    }
    let all = ok(world.client.list_clients(pb::ListClientsRequest::default()).await).clients;
    let request = pb::ListClientsRequest { id: Some(all[1].id.clone()), ..Default::default() };
    let one = ok(world.client.list_clients(request).await);
    assert_eq!((one.clients, one.total), (vec![all[1].clone()], 1));
    world.stop().await;
}
