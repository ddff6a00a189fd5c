//! Secrets that must be nowhere, and how they are found however they are spelled.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};

/// As much of a secret's beginning or end as must be nowhere either.
const PART: usize = 12;

/// A secret, what it is, and every way in which it may be written.
pub(super) struct Canary {
    what: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// One of at least 24 characters, of which no part may be seen.
    pub(super) fn new(what: impl Into<String>, secret: &str) -> Self {
        let mut canary = Self::known_by_its_beginning(what, secret);
        canary.forms.push(("the beginning", secret.as_bytes()[..PART].to_vec()));
        canary
    }

    /// One whose beginning is shown, so that people know which it is.
    pub(super) fn known_by_its_beginning(what: impl Into<String>, secret: &str) -> Self {
        let bytes = secret.as_bytes();
        assert!(bytes.len() >= 2 * PART, "{secret:?} is too short to be looked for");
        let mut forms = vec![
            ("all", bytes.to_vec()),
            ("the end", bytes[bytes.len() - PART..].to_vec()),
            ("all, in hexadecimal,", hex::encode(bytes).into_bytes()),
        ];
        // In the middle of something else it may begin at any of three bytes of a group; what is mixed with others is
        // left out.
        for (before, mixed) in [(0, 0), (1, 2), (2, 3)] {
            let encoded = BASE64_STANDARD_NO_PAD.encode([&vec![0; before], bytes].concat());
            let whole = (before + bytes.len()) * 8 / 6;
            forms.push(("all, in Base64,", encoded.as_bytes()[mixed..whole].to_vec()));
        }
        Self { what: what.into(), forms }
    }
}

/// Looks for all of them at once.
pub(super) struct Search<'a> {
    canaries: &'a [Canary],
    /// Whether a form begins with these two bytes.
    begins: Vec<bool>,
}

impl<'a> Search<'a> {
    pub(super) fn of(canaries: &'a [Canary]) -> Self {
        let mut begins = vec![false; 1 << 16];
        for (_, form) in canaries.iter().flat_map(|canary| &canary.forms) {
            begins[two(form)] = true;
        }
        Self { canaries, begins }
    }

    /// What is in a text, each once.
    pub(super) fn found_in(&self, text: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for at in 0..text.len().saturating_sub(1) {
            if !self.begins[two(&text[at..])] {
                continue;
            }
            for Canary { what, forms } in self.canaries {
                let form = forms.iter().find(|(_, form)| text[at..].starts_with(form));
                found.extend(form.map(|(form, _)| format!("{form} of {what}")));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn two(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

#[test]
fn a_planted_secret_is_found_however_it_is_spelled() {
    let secret = "r8_0123456789abcdefghijklmnop";
    let all = [Canary::new("a key", secret), Canary::new("another", "another-secret-that-is-nowhere")];
    let search = Search::of(&all);
    let base64 = |before: &str| BASE64_STANDARD_NO_PAD.encode(format!("{before}{secret}, and more"));
    for (text, form) in [
        (format!("Bearer {secret}!"), "all of a key"),
        ("r8_012345678…".to_owned(), "the beginning of a key"),
        ("********efghijklmnop".to_owned(), "the end of a key"),
        (format!("\\x{}", hex::encode(format!("a{secret}"))), "all, in hexadecimal, of a key"),
        (base64(""), "all, in Base64, of a key"),
        (base64("a"), "all, in Base64, of a key"),
        (base64("ab"), "all, in Base64, of a key"),
        (base64("abc"), "all, in Base64, of a key"),
    ] {
        assert!(search.found_in(text.as_bytes()).iter().any(|found| found == form), "{form}: {text}");
    }
    assert_eq!(search.found_in(b"r8_0123, 0123456789abcdef"), [""; 0]);
    let shown = [Canary::known_by_its_beginning("a key", secret)];
    assert_eq!(Search::of(&shown).found_in(b"r8_012345678"), [""; 0]);
}
