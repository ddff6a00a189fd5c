//! What is done with a thing, by what is known: pure.

use super::known::{Came, Known, key};
use crate::events::Event;

/// What is done with a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is stored.
    Store,
    /// It came without bytes; these are added, unless something else of it is another one by now.
    Complete(Came),
    /// It came from this row with this content.
    Already,
    /// It came from this row with another content.
    Changed(Came),
    /// Its id is or was that of something else.
    Taken,
    /// It breaks this rule.
    Refused(String),
    /// It is the same as another one of this request, which is stored first.
    Later,
}

/// Decides on a thing; one that is going to be stored is known to those after it.
pub(super) fn decide(event: &Event, known: &mut Known) -> Decision {
    let Some(origin) = event.origin() else {
        return Decision::Refused("it does not come from an older database".to_owned());
    };
    let (row, stream) = (key(origin), event.stream());
    if let Some(came) = known.came.get(&row) {
        return again(event, &origin.digest, came, known);
    }
    if known.rows_to_come.contains(&row) || known.streams_to_come.contains(&stream) {
        return Decision::Later;
    }
    if known.begun.contains(&stream) {
        return Decision::Taken;
    }
    if let Some(wrong) = wrong_owner(event, known) {
        return Decision::Refused(wrong);
    }
    match event {
        Event::ClientImported(_) => {
            known.clients.insert(event.entity().to_owned());
        }
        Event::CampaignImported(imported) => {
            let client = imported.campaign.client_id.clone();
            known.campaigns.insert(event.entity().to_owned(), client);
        }
        _ => {}
    }
    known.rows_to_come.insert(row);
    known.streams_to_come.insert(stream);
    Decision::Store
}

/// What came from this row before: it may have been changed or deleted here since.
fn again(event: &Event, digest: &str, came: &Came, known: &Known) -> Decision {
    if came.id != event.entity() {
        return Decision::Changed(came.clone());
    }
    let has_bytes = matches!(event, Event::AssetImported(asset) if asset.blob.is_some());
    if has_bytes && matches!(known.bytes.get(&came.id), Some(None)) {
        Decision::Complete(came.clone())
    } else if came.digest == digest {
        Decision::Already
    } else {
        Decision::Changed(came.clone())
    }
}

/// What of its owners is not so here. A campaign may have gone to another client since: then nothing that still says the
/// old one can be told whose it is.
fn wrong_owner(event: &Event, known: &Known) -> Option<String> {
    let client = event.owner_client();
    if let Some(id) = client.filter(|id| !known.clients.contains(*id)) {
        return Some(format!("its client {id} is not here"));
    }
    let id = event.owner_campaign()?;
    let Some(here) = known.campaigns.get(id) else { return Some(format!("its campaign {id} is not here")) };
    let said = client.filter(|said| *said != here)?;
    Some(format!("it says the client {said}, but its campaign {id} belongs to the client {here} here"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::events::{AssetImported, Blob};

    fn asset(id: &str, row: &str, digest: &str, sha256: Option<&str>) -> Event {
        let blob = sha256.map(|sha256| Blob { sha256: sha256.into(), size: 1, content_type: String::new() });
        let asset: AssetImported = serde_json::from_value(json!({
            "origin": {"source": "s", "table": "assets", "row": row, "digest": digest},
            "created_at": Timestamp::UNIX_EPOCH, "updated_at": Timestamp::UNIX_EPOCH,
            "asset_id": id, "type": "image", "client_id": "c-1", "campaign_id": null, "name": null,
            "description": null, "tags": [], "metadata": null, "source_url": null, "blob": blob,
            "thumbnail": null, "format": "", "width": null, "height": null, "duration_ms": null,
        }))
        .unwrap();
        asset.into()
    }

    fn known() -> Known {
        let mut known = Known::default();
        known.clients.insert("c-1".into());
        known
    }

    fn came(known: &mut Known, id: &str, digest: &str, bytes: Option<Option<&str>>) {
        let came = Came { digest: digest.into(), kind: "asset".into(), id: id.into() };
        known.came.insert(("s".into(), "assets".into(), "1".into()), came);
        known.begun.insert(format!("asset-{id}"));
        known.bytes.extend(bytes.map(|sha256| (id.to_owned(), sha256.map(str::to_owned))));
    }

    #[test]
    fn a_new_thing_is_stored_and_the_same_again_waits_for_it() {
        let mut known = known();
        assert_eq!(decide(&asset("a", "1", "d", None), &mut known), Decision::Store);
        assert_eq!(decide(&asset("a", "1", "d", None), &mut known), Decision::Later, "the same row");
        assert_eq!(decide(&asset("a", "2", "d", None), &mut known), Decision::Later, "the same id");
        assert_eq!(decide(&asset("b", "2", "d", None), &mut known), Decision::Store);
    }

    #[test]
    fn what_came_is_known_again_whatever_became_of_it() {
        for bytes in [Some(Some("x")), Some(None), None] {
            let mut known = known();
            came(&mut known, "a", "d", bytes);
            assert_eq!(decide(&asset("a", "1", "d", None), &mut known), Decision::Already);
            let other = decide(&asset("a", "1", "e", None), &mut known);
            assert!(matches!(other, Decision::Changed(_)), "{other:?}");
            let found = decide(&asset("a", "1", "d", Some("x")), &mut known);
            let lacks = bytes == Some(None);
            assert_eq!(matches!(found, Decision::Complete(_)), lacks);
            assert_eq!(found == Decision::Already, !lacks);
        }
    }

    #[test]
    fn a_row_with_another_id_is_another_content() {
        let mut known = known();
        came(&mut known, "a", "d", None);
        assert!(matches!(decide(&asset("b", "1", "d", None), &mut known), Decision::Changed(_)));
    }

    #[test]
    fn an_id_of_something_else_is_taken_and_an_owner_must_be_there() {
        let mut known = known();
        known.begun.insert("asset-a".into());
        assert_eq!(decide(&asset("a", "1", "d", None), &mut known), Decision::Taken);
        known.clients.clear();
        let refused = decide(&asset("b", "2", "d", None), &mut known);
        assert_eq!(refused, Decision::Refused("its client c-1 is not here".into()));
    }

    #[test]
    fn an_assets_client_is_its_campaigns() {
        let of = |client: Option<&str>| {
            let Event::AssetImported(mut asset) = asset("a", "1", "d", None) else { panic!("an asset") };
            (asset.client_id, asset.campaign_id) = (client.map(str::to_owned), Some("k-1".to_owned()));
            Event::AssetImported(asset)
        };
        let mut known = known();
        known.clients.insert("c-2".into());
        let refused = decide(&of(Some("c-1")), &mut known);
        assert_eq!(refused, Decision::Refused("its campaign k-1 is not here".into()));
        known.campaigns.insert("k-1".into(), "c-2".into());
        let Decision::Refused(why) = decide(&of(Some("c-1")), &mut known) else { panic!("it is refused") };
        assert_eq!(why, "it says the client c-1, but its campaign k-1 belongs to the client c-2 here");
        assert_eq!(decide(&of(None), &mut known), Decision::Store, "it is whosever its campaign is");
        let mut known = Known { campaigns: known.campaigns, clients: known.clients, ..Known::default() };
        assert_eq!(decide(&of(Some("c-2")), &mut known), Decision::Store);
    }
}
