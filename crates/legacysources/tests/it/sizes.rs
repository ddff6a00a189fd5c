//! Sources of a given size.

use legacysources::{Orphans, scenes_db};

use crate::Made;

#[test]
fn the_migration_case_is_that_of_the_predecessor() {
    let made = Made::by(scenes_db::migration_case);
    let counts = made.truth.counts(Orphans::Skip);
    assert_eq!((counts.clients, counts.campaigns, counts.assets, counts.missing), (2, 4, 259, 0));
    assert_eq!(counts, made.truth.counts(Orphans::Keep));
    for asset in &made.truth.assets {
        assert!((150_000..=250_000).contains(&asset.bytes.here().unwrap().size));
        assert!(asset.thumbnail.is_some() && asset.owners.as_ref().unwrap().campaign.is_some());
    }
    let joined = "SELECT COUNT(*) FROM assets JOIN campaigns ON campaigns.id = campaign_id
        JOIN clients ON clients.id = campaigns.client_id AND clients.id = assets.client_id
        JOIN asset_blobs ON asset_blobs.id = blob_id";
    assert_eq!(made.number(joined), 259);
}

#[test]
fn a_large_source_has_as_many_bytes_as_were_asked_for() {
    let made = Made::by(|path| scenes_db::large(path, 60_000_000));
    let counts = made.truth.counts(Orphans::Skip);
    assert!((60_000_000..60_250_000).contains(&counts.asset_bytes));
    assert_eq!(made.rows_of("assets"), counts.assets);
}
