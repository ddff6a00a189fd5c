//! Pages of a list: `limit` and `offset`, or a cursor that stays right while rows come and go.
//!
//! A cursor is the place of a page's last row in the order of its list, signed together with the list and the filters
//! that it was made for. It names a place and no number of rows, so rows that are added or deleted meanwhile make no
//! row come twice or not at all.
//!
//! ```text
//! let listed = Listed::new("assets", &[("client_id", client_id.as_deref())]);
//! let page = listed.page(&app.signer, &params, Bounds { default: 25, most: 1000 }, Family::Flat)?;
//! // ask the service with page.limit, page.offset and page.after; it answers `next` when more rows follow
//! let next_cursor = listed.cursor(&app.signer, reply.next);
//! ```

use jiff::Timestamp;
use kit::signing::UrlSigner;

use crate::{
    params::{Fields, Params},
    problem::{Family, Kind, Problem},
};

/// Hexadecimal digits of a place.
const PLACE: usize = 16;
/// Cursors do not grow old: what they name is asked for anew each time.
const NEVER: Timestamp = Timestamp::MAX;

/// How many rows a page of a list may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Rows when the caller names no limit; 0: all.
    pub(crate) default: u32,
    /// Most rows; a larger limit is cut to it.
    pub(crate) most: u32,
}

impl Bounds {
    /// A list that is given whole unless a limit is named.
    pub(crate) const WHOLE: Self = Self { default: 0, most: u32::MAX };
}

/// The page that a caller asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Rows at most; 0: all.
    pub(crate) limit: u32,
    /// Rows passed over; 0 with a cursor.
    pub(crate) offset: u32,
    /// Only rows that come after the one at this place.
    pub(crate) after: Option<i64>,
}

/// A list as one request wants it: its name and its filters, which together are what a cursor is good for.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    subject: String,
}

impl Listed {
    /// `filters` are all that choose rows, in a fixed order, as they reach the service; absent ones as none.
    pub(crate) fn new(name: &str, filters: &[(&str, Option<&str>)]) -> Self {
        // Debug spells texts so that no two lists of filters look alike. No path begins with this word, so no
        // signed link is a cursor.
        Self { subject: format!("cursor {name:?} {filters:?}") }
    }

    /// Reads `limit`, `offset` and `cursor`. Bounds are forgiven; a limit that is no number counts as absent.
    ///
    /// # Errors
    /// 422 for values of the wrong JSON type; 400 for a cursor that was not made for this list with these filters,
    /// and for a cursor together with an offset.
    pub(crate) fn page(
        &self,
        signer: &UrlSigner,
        params: &Params,
        bounds: Bounds,
        family: Family,
    ) -> Result<Page, Problem> {
        let mut fields = Fields::of(params);
        let (limit, offset) = (fields.lenient_integer("limit"), fields.lenient_integer("offset"));
        let cursor = fields.text("cursor", &[]).filter(|cursor| !cursor.is_empty());
        fields.finish(family)?;
        let offset = offset.map_or(0, at_least_nothing);
        let after = match cursor {
            None => None,
            Some(_) if offset > 0 => return Err(wrong("Give a cursor or an offset, not both.")),
            Some(cursor) => Some(self.place(signer, &cursor).ok_or_else(|| {
                wrong(
                    "The cursor does not fit: it was made for another list or for other filters, or was changed. \
                     Leave it out to begin at the first page.",
                )
            })?),
        };
        Ok(Page { limit: bounds.limit(limit), offset, after })
    }

    /// The cursor of the page after the one whose last row is at `next`; none when no rows follow.
    pub(crate) fn cursor(&self, signer: &UrlSigner, next: Option<i64>) -> Option<String> {
        let place = format!("{:0PLACE$x}", next?);
        let signed = signer.query(&self.signed(&place), NEVER);
        let (_, signature) = signed.rsplit_once('=')?;
        Some(format!("{place}{signature}"))
    }

    /// The place that a cursor of ours names.
    fn place(&self, signer: &UrlSigner, cursor: &str) -> Option<i64> {
        let (place, signature) = cursor.split_at_checked(PLACE)?;
        signer.verify(&self.signed(place), NEVER.as_second(), signature, Timestamp::UNIX_EPOCH).ok()?;
        u64::from_str_radix(place, 16).ok().map(u64::cast_signed)
    }

    fn signed(&self, place: &str) -> String {
        format!("{} {place}", self.subject)
    }
}

impl Bounds {
    /// The limit in force. A list that is given whole takes 0 for all.
    fn limit(self, given: Option<i64>) -> u32 {
        match given {
            None => self.default,
            Some(given) if self.default == 0 => at_least_nothing(given).min(self.most),
            Some(given) => at_least_nothing(given).clamp(1, self.most),
        }
    }
}

fn at_least_nothing(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

fn wrong(detail: &str) -> Problem {
    Problem::framework(Kind::BadRequest).detail(detail).with("parameter", "cursor")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const BOUNDS: Bounds = Bounds { default: 25, most: 100 };

    fn signer() -> UrlSigner {
        UrlSigner::new("a secret for links".into())
    }

    fn of_client(client: Option<&str>) -> Listed {
        Listed::new("assets", &[("campaign_id", None), ("client_id", client)])
    }

    fn read(listed: &Listed, bounds: Bounds, query: Value) -> Result<Page, Problem> {
        let params = Params::of_object(query.as_object().cloned().unwrap_or_default());
        listed.page(&signer(), &params, bounds, Family::Flat)
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_whatever_the_limit() {
        for place in [0, 1, 1207, i64::MAX, -1] {
            let listed = of_client(Some("cl-1"));
            let cursor = listed.cursor(&signer(), Some(place)).expect("a cursor");
            let page = read(&listed, BOUNDS, json!({"cursor": cursor, "limit": "7"})).expect("a page");
            assert_eq!(page, Page { limit: 7, offset: 0, after: Some(place) });
        }
        assert_eq!(of_client(None).cursor(&signer(), None), None, "no rows follow");
    }

    #[test]
    fn a_cursor_fits_its_list_and_its_filters_only() {
        let cursor = of_client(Some("cl-1")).cursor(&signer(), Some(7)).expect("a cursor");
        let others = [
            of_client(Some("cl-2")),
            of_client(None),
            Listed::new("assets", &[("campaign_id", Some("cl-1")), ("client_id", None)]),
            Listed::new("clients", &[("campaign_id", None), ("client_id", Some("cl-1"))]),
            Listed::new("assets", &[]),
        ];
        for other in others {
            let refused = read(&other, BOUNDS, json!({"cursor": cursor})).expect_err("a refusal");
            assert!(refused.is(Kind::BadRequest), "{other:?}");
        }
    }

    #[test]
    fn a_cursor_that_was_changed_is_refused() {
        let listed = of_client(None);
        let cursor = listed.cursor(&signer(), Some(7)).expect("a cursor");
        let next = format!("{:016x}{}", 8, &cursor[PLACE..]);
        let other = UrlSigner::new("another secret".into());
        let foreign = listed.cursor(&other, Some(7)).expect("a cursor");
        for wrong in [&next, &foreign, &cursor[..40], &format!("{cursor}x"), "x", "äöüäöüäöü", "7"] {
            let refused = read(&listed, BOUNDS, json!({"cursor": wrong})).expect_err("a refusal");
            assert!(refused.is(Kind::BadRequest), "{wrong}");
        }
    }

    #[test]
    fn a_cursor_and_an_offset_contradict_each_other() {
        let listed = of_client(None);
        let cursor = listed.cursor(&signer(), Some(7)).expect("a cursor");
        read(&listed, BOUNDS, json!({"cursor": cursor, "offset": 1})).expect_err("a refusal");
        read(&listed, BOUNDS, json!({"cursor": cursor, "offset": 0})).expect("a page");
        assert_eq!(read(&listed, BOUNDS, json!({"cursor": ""})).expect("a page").after, None);
    }

    #[test]
    fn bounds_are_forgiven_and_a_whole_list_may_be_paged() {
        for (limit, bounded, whole) in [
            (json!(null), 25, 0),
            (json!(0), 1, 0),
            (json!(-3), 1, 0),
            (json!("12abc"), 12, 12),
            (json!("abc"), 25, 0),
            (json!(5000), 100, 5000),
            (json!(i64::MAX), 100, u32::MAX),
        ] {
            let query = json!({"limit": limit, "offset": -1});
            let page = |bounds| read(&of_client(None), bounds, query.clone()).expect("a page");
            assert_eq!((page(BOUNDS).limit, page(BOUNDS).offset), (bounded, 0), "{limit}");
            assert_eq!(page(Bounds::WHOLE).limit, whole, "{limit}");
        }
        let refused = read(&of_client(None), BOUNDS, json!({"limit": []})).expect_err("a refusal");
        assert!(refused.is(Kind::ValidationFailed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_text_is_a_cursor_unless_we_made_it(cursor in ".{0,80}") {
            prop_assert_eq!(of_client(None).place(&signer(), &cursor), None);
        }

        #[test]
        fn filters_never_run_into_each_other(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}", d in ".{0,6}") {
            let listed = |a: &str, b: &str| Listed::new("x", &[("p", Some(a)), ("q", Some(b))]);
            let cursor = listed(&a, &b).cursor(&signer(), Some(7)).expect("a cursor");
            prop_assert_eq!(listed(&c, &d).place(&signer(), &cursor).is_some(), (a, b) == (c, d));
        }
    }
}
