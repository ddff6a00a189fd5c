//! An event's data: JSON text, parsed only where it is used, straight into what is wanted.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::Error as _};
use serde_json::{Value, value::RawValue};

use crate::variant::Variant;

/// The facts of an event, as the JSON text that is stored. A clone shares the text.
///
/// Text that comes from a database is not looked at before it is read, so what is broken there is only found then. As
/// a part of other JSON it is the value itself, not a string that holds it. Equal are two whose texts are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Data(Arc<str>);

impl Data {
    /// What serde makes of `facts`.
    ///
    /// # Errors
    /// When they have no JSON form.
    pub fn of(facts: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        serde_json::to_string(facts).map(|text| Self(text.into()))
    }

    /// Text that is JSON already, as a database holds it.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The facts as a `T`.
    ///
    /// # Errors
    /// When the text is no JSON or not that of a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// The facts as the members of the variant `kind` of `T`, an enum whose JSON form is `{"<kind>": <data>}`.
    ///
    /// # Errors
    /// When `T` has no such variant, or the text is no JSON or not that of the variant.
    pub fn read_variant<T: DeserializeOwned>(&self, kind: &str) -> Result<T, serde_json::Error> {
        let mut members = serde_json::Deserializer::from_str(&self.0);
        let read = T::deserialize(Variant { kind, members: &mut members })?;
        members.end()?;
        Ok(read)
    }

    /// The facts as a JSON value.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub fn value(&self) -> Result<Value, serde_json::Error> {
        self.read()
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl From<&Value> for Data {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into())
    }
}

impl PartialEq<Value> for Data {
    /// Whether the text means this value.
    fn eq(&self, other: &Value) -> bool {
        self.value().is_ok_and(|value| value == *other)
    }
}

impl PartialEq<Data> for Value {
    fn eq(&self, other: &Data) -> bool {
        other == self
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Step {
        Taken { number: i64, of: Option<String> },
        Named(String),
        Over,
        Both(i64, i64),
    }

    #[test]
    fn data_within_json_is_the_value_itself_both_ways() {
        let data = Data::from(json!({ "b": [1, null], "a": "\"" }));
        let whole = serde_json::to_string(&[&data]).unwrap();
        assert_eq!(whole, r#"[{"b":[1,null],"a":"\""}]"#);
        let read: Vec<Data> = serde_json::from_str(&whole).unwrap();
        assert_eq!(read, std::slice::from_ref(&data));
        assert_eq!(serde_json::to_value(&data).unwrap(), json!({ "b": [1, null], "a": "\"" }));
        assert_eq!(serde_json::from_value::<Data>(json!({ "b": [1, null], "a": "\"" })).unwrap(), data);
    }

    #[test]
    fn a_variant_is_read_from_its_kind_and_its_members() {
        let members = |step: &Step| serde_json::to_value(step).unwrap();
        for (kind, step) in [
            ("Taken", Step::Taken { number: 7, of: Some("a".to_owned()) }),
            ("Named", Step::Named("b".to_owned())),
            ("Both", Step::Both(1, 2)),
        ] {
            let data = Data::from(&members(&step)[kind]);
            assert_eq!(data.read_variant::<Step>(kind).unwrap(), step);
        }
        assert_eq!(Data::from(Value::Null).read_variant::<Step>("Over").unwrap(), Step::Over);
    }

    #[test]
    fn what_does_not_fit_is_refused_when_it_is_read() {
        let data = Data::from(json!({ "number": "seven" }));
        assert!(data.read_variant::<Step>("Taken").is_err());
        let error = data.read_variant::<Step>("Melted").unwrap_err().to_string();
        assert!(error.contains("Melted"), "{error}");
        let broken = Data::stored(r#"{"number":7,"of":null} and more"#);
        assert!(broken.read_variant::<Step>("Taken").is_err() && broken.value().is_err());
        assert!(serde_json::to_string(&broken).is_err());
    }
}
