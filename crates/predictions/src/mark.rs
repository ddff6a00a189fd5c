//! The input of one attempt, with the mark that finds it again in the provider's list.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A member of the input whose value no other attempt has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Name of the input member.
    pub field: String,
    /// Its value.
    pub value: Value,
}

impl Mark {
    /// Whether a listed prediction's input carries this mark.
    #[must_use]
    pub fn is_on(&self, input: &Value) -> bool {
        !self.value.is_null() && input.get(&self.field) == Some(&self.value)
    }
}

/// A number that stands for the attempt: 31 bits, because models take seeds of that size.
#[must_use]
pub fn seed(attempt: Uuid) -> u32 {
    // The last bytes of a UUIDv7 are its random ones.
    let bytes = attempt.as_bytes();
    u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_is_found_by_its_value_alone() {
        let mark = Mark { field: "image".into(), value: json!("https://files/1") };
        assert!(mark.is_on(&json!({"prompt": "a kitchen", "image": "https://files/1"})));
        assert!(!mark.is_on(&json!({"prompt": "a kitchen", "image": "https://files/2"})));
        assert!(!mark.is_on(&Value::Null));
    }

    #[test]
    fn two_attempts_have_two_seeds() {
        assert_ne!(seed(Uuid::now_v7()), seed(Uuid::now_v7()));
    }
}
