//! Keys: made, listed, revoked; shown once and never kept.

use std::time::Duration;

use kit::Code;
use protos::asset::v1 as pb;
use sha2::{Digest as _, Sha256};

use crate::world::{NOW_TEXT, World, assert_violations, ok, refused};

fn wanted(scopes: &[&str]) -> pb::CreateApiKeyRequest {
    pb::CreateApiKeyRequest {
        name: Some("Northwind's site".into()),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Default::default()
    }
}

async fn ring(world: &World) -> Vec<pb::RingKey> {
    ok(world.client.clone().get_key_ring(pb::GetKeyRingRequest {}).await).keys
}

#[tokio::test]
async fn a_key_is_shown_once_and_recognised_by_its_digest() {
    let mut world = World::new().await;
    let client = world.client_named("Northwind").await;
    let request = pb::CreateApiKeyRequest {
        client_id: Some(client.id.clone()),
        expires_at: Some("2025-03-05T00:00:00Z".into()),
        ..wanted(&["write", "read", "read"])
    };
    let pb::CreateApiKeyReply { key, secret } = ok(world.client.create_api_key(request).await);
    let (key, secret) = (key.unwrap(), secret.unwrap());
    assert_eq!(
        (key.scopes.as_slice(), key.created_at.as_str()),
        (&["read".to_owned(), "write".to_owned()][..], NOW_TEXT)
    );
    assert_eq!(
        (key.client_id.as_ref(), key.expires_at.as_deref()),
        (Some(&client.id), Some("2025-03-05T00:00:00Z"))
    );
    assert!(
        secret.starts_with(&format!("{}_", key.prefix)) && key.prefix.starts_with("fsk_"),
        "{}",
        key.prefix
    );
    assert_eq!(secret.len(), "fsk_12345678_".len() + 64);
    let ring = ring(&world).await;
    assert_eq!(ring.len(), 1);
    assert_eq!((&ring[0].id, ring[0].digest.as_slice()), (&key.id, Sha256::digest(&secret).as_slice()));
    assert_eq!((&ring[0].scopes, ring[0].client_id.as_ref()), (&key.scopes, Some(&client.id)));
    let listed = ok(world.client.list_api_keys(pb::ListApiKeysRequest::default()).await);
    assert_eq!((listed.keys, listed.total), (vec![key], 1));
    world.stop().await;
}

/// Neither the log nor any table holds the key, and the log not even its digest.
#[tokio::test]
async fn what_is_stored_opens_nothing() {
    let mut world = World::new().await;
    let request = pb::CreateApiKeyRequest { command_id: "key-1".into(), ..wanted(&["admin"]) };
    let secret = ok(world.client.create_api_key(request).await).secret.unwrap();
    let random = &secret["fsk_12345678_".len()..];
    let digest = hex::encode(Sha256::digest(&secret));
    for stored in world.log.read_all(0, 10).await.unwrap() {
        let text = format!("{stored:?}");
        assert!(!text.contains(random) && !text.contains(&digest), "{text}");
    }
    for table in ["api_key", "api_key_digest", "command"] {
        let rows = world.log.query(&format!("SELECT * FROM {table}"), eventlog::params![]).await.unwrap();
        assert_eq!(rows.len(), 1);
        // Bytes are printed as numbers.
        let text = format!("{rows:?}");
        let numbers = format!("{:?}", random.as_bytes());
        assert!(!text.contains(random) && !text.contains(numbers.trim_matches(['[', ']'])), "{table}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_repeated_command_gets_its_key_without_the_secret() {
    let mut world = World::new().await;
    let request = pb::CreateApiKeyRequest { command_id: "key-1".into(), ..wanted(&["read"]) };
    let first = ok(world.client.create_api_key(request.clone()).await);
    let second = ok(world.client.create_api_key(request).await);
    assert_eq!((second.key, second.secret), (first.key, None));
    assert_eq!(ring(&world).await.len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_over() {
    let mut world = World::new().await;
    let rotated = ok(world.client.create_api_key(wanted(&["read"])).await).key.unwrap();
    let request =
        pb::CreateApiKeyRequest { expires_at: Some("2025-03-04T05:06:17+00:00".into()), ..wanted(&["read"]) };
    let short = ok(world.client.create_api_key(request).await).key.unwrap();
    let stays = ok(world.client.create_api_key(wanted(&["write"])).await).key.unwrap();
    let ids = |ring: Vec<pb::RingKey>| ring.into_iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(ring(&world).await), [&*rotated.id, &short.id, &stays.id], "several are valid at once");
    let revoke = pb::RevokeApiKeyRequest { id: rotated.id.clone(), ..Default::default() };
    let revoked = ok(world.client.revoke_api_key(revoke.clone()).await);
    assert_eq!(revoked.revoked_at.as_deref(), Some(NOW_TEXT));
    assert_eq!(ok(world.client.revoke_api_key(revoke).await), revoked, "again changes nothing");
    assert_eq!(ids(ring(&world).await), [&*short.id, &stays.id]);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(ids(ring(&world).await), [&*stays.id]);
    let error = refused(world.client.revoke_api_key(pb::RevokeApiKeyRequest::default()).await);
    assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Key not found"));
    world.stop().await;
}

#[tokio::test]
async fn a_key_is_for_something_known() {
    let mut world = World::new().await;
    let client = world.client_named("Northwind").await;
    let of = |client: &str, scopes: &[&str]| pb::CreateApiKeyRequest {
        client_id: Some(client.to_owned()),
        ..wanted(scopes)
    };
    let until =
        |expires: &str| pb::CreateApiKeyRequest { expires_at: Some(expires.to_owned()), ..wanted(&["read"]) };
    for (request, expected) in [
        (wanted(&[]), ("scopes", "can't be blank")),
        (wanted(&["read", "all"]), ("scopes", "must be of read, write and admin")),
        (of(&client.id, &["admin"]), ("scopes", "cannot hold admin for a key of one client")),
        (of("x", &["read"]), ("client_id", "does not exist")),
        (of("", &["read"]), ("client_id", "can't be blank")),
        (of(" \t", &["read"]), ("client_id", "can't be blank")),
        (of("\0", &["read"]), ("client_id", "is invalid")),
        (until("tomorrow"), ("expires_at", "is invalid")),
        (until("2025-03-04T05:06:07Z"), ("expires_at", "must be in the future")),
        (until(""), ("expires_at", "can't be blank")),
        (until("  "), ("expires_at", "can't be blank")),
        (pb::CreateApiKeyRequest { name: None, ..wanted(&["read"]) }, ("name", "can't be blank")),
    ] {
        let error = refused(world.client.create_api_key(request).await);
        assert_violations(&error, &[expected]);
    }
    assert!(ring(&world).await.is_empty());
    world.stop().await;
}
