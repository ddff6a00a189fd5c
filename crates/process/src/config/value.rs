//! A configured value before anybody has asked for its type.

use toml::de::DeValue;

/// What a file or the environment says. The environment knows only texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; every variable is one.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Bool(bool),
    /// Several texts.
    List(Vec<String>),
}

impl Value {
    /// The value of a TOML document; the error names what it is instead.
    pub(super) fn from_toml(value: &DeValue<'_>) -> Result<Self, String> {
        match value {
            DeValue::String(text) => Ok(Self::Text(text.clone().into_owned())),
            DeValue::Boolean(yes) => Ok(Self::Bool(*yes)),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                parsed.map(Self::Integer).map_err(|_| format!("the number {} is too large", number.as_str()))
            }
            DeValue::Array(items) => {
                let text = |item: &toml::Spanned<DeValue<'_>>| match item.get_ref() {
                    DeValue::String(text) => Ok(text.clone().into_owned()),
                    other => Err(format!("its list holds a {}, and may hold only texts", other.type_str())),
                };
                items.iter().map(text).collect::<Result<_, _>>().map(Self::List)
            }
            other => Err(format!("a {} cannot be used here", other.type_str())),
        }
    }

    /// The value as TOML.
    pub(super) fn to_toml(&self) -> String {
        match self {
            Self::Text(text) => toml::Value::String(text.clone()).to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::List(items) => {
                let items: Vec<_> =
                    items.iter().map(|item| toml::Value::String(item.clone()).to_string()).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// The value as a person would write it into a variable.
    pub(super) fn as_written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::List(items) => items.join(","),
        }
    }
}
