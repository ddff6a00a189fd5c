//! Taking a secret out of what somebody else says: some answer a wrong key with the key.

use secrecy::{ExposeSecret as _, SecretString};

/// Shorter texts are no keys, but words that somebody may well use.
const SHORTEST: usize = 12;
/// As much of a key as gives it away.
const PART: usize = 8;

/// `text` without `secret`, and without the beginning or the end of it that others are told it by.
#[must_use]
pub fn redact(text: &str, secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    if secret.chars().count() < SHORTEST {
        return text.to_owned();
    }
    let whole = text.replace(secret, "***");
    let at = |index: usize| secret.char_indices().nth(index).map_or(secret.len(), |(at, _)| at);
    let (head, tail) = (&secret[..at(PART)], &secret[at(secret.chars().count() - PART)..]);
    whole.replace(head, "***").replace(tail, "***")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_repeated_is_taken_out_whole_or_in_parts() {
        let key = SecretString::from("r8_0123456789abcdefghij");
        let said = |text: &str| redact(text, &key);
        assert_eq!(said("bad token r8_0123456789abcdefghij!"), "bad token ***!");
        assert_eq!(said("bad token r8_01234********cdefghij"), format!("bad token {}", "*".repeat(14)));
        assert_eq!(said("no such model"), "no such model");
    }

    #[test]
    fn a_word_is_no_key() {
        assert_eq!(redact("soundstage is away", &"soundstage".into()), "soundstage is away");
        assert_eq!(redact("é", &"éééééééééééé".into()), "é");
    }
}
