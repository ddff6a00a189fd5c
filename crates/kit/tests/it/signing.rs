//! Signed URLs.

use jiff::Timestamp;
use kit::signing::{BadSignature, UrlSigner};

const NOON: i64 = 1_772_366_400;

fn signer(secret: &str) -> UrlSigner {
    UrlSigner::new(secret.to_owned().into())
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn signature(query: &str) -> &str {
    query.split("signature=").nth(1).unwrap()
}

#[test]
fn a_link_opens_its_path_until_it_expires() {
    let query = signer("s").query("/a", moment(NOON + 60));
    assert!(query.starts_with(&format!("expires={}&", NOON + 60)));
    let check = |path: &str, expires: i64, now: i64| {
        signer("s").verify(path, expires, signature(&query), moment(now))
    };
    assert_eq!(check("/a", NOON + 60, NOON), Ok(()));
    assert_eq!(check("/a", NOON + 60, NOON + 61), Err(BadSignature::Expired));
    assert_eq!(check("/b", NOON + 60, NOON), Err(BadSignature::Wrong));
    assert_eq!(check("/a", NOON + 600, NOON), Err(BadSignature::Wrong), "the expiry is signed too");
}

#[test]
fn another_secret_opens_nothing() {
    let query = signer("one").query("/a", moment(NOON));
    assert_eq!(signer("two").verify("/a", NOON, signature(&query), moment(NOON)), Err(BadSignature::Wrong));
}

#[test]
fn while_a_secret_is_replaced_links_of_both_open_whoever_signed_and_whoever_checks() {
    let of = |list: &str| UrlSigner::of_list(&list.to_owned().into());
    // Step by step over the replicas: both known, the new one signs, the old one gone.
    let (before, known, turned, after) = (of("old"), of("old, new"), of("new,old"), of("new,"));
    let opens = |signing: &UrlSigner, checking: &UrlSigner| {
        let query = signing.query("/a", moment(NOON + 60));
        checking.verify("/a", NOON + 60, signature(&query), moment(NOON)).is_ok()
    };
    for (step, next) in [(&before, &known), (&known, &turned)] {
        for (signing, checking) in [(step, step), (step, next), (next, step), (next, next)] {
            assert!(opens(signing, checking));
        }
    }
    // Links of the step before the last are as old as links become.
    assert!(opens(&turned, &after) && opens(&after, &turned) && opens(&after, &after));
    assert!(!opens(&before, &after) && !opens(&after, &before));
    assert_eq!(format!("{known:?}"), "UrlSigner");
}

#[test]
fn the_secret_is_not_shown_when_a_signer_is_printed() {
    assert_eq!(format!("{:?}", signer("hush")), "UrlSigner");
}

#[test]
fn a_token_stands_for_its_bytes_until_it_expires() {
    let sha256 = "ab".repeat(32);
    let token = signer("s").token(&sha256, moment(NOON + 60));
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{token}");
    let open = |token: &str, now: i64| signer("s").open_token(token, moment(now)).map(str::to_owned);
    assert_eq!(open(&token, NOON), Ok(sha256.clone()));
    assert_eq!(open(&token, NOON + 61), Err(BadSignature::Expired));
    for forged in [token.replace("ab", "cd"), token.replace(".1", ".2"), String::new(), format!("{sha256}.1")]
    {
        assert_eq!(open(&forged, NOON), Err(BadSignature::Wrong), "{forged}");
    }
    assert_eq!(signer("other").open_token(&token, moment(NOON)), Err(BadSignature::Wrong));
}
