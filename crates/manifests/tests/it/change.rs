//! Spoiling a document on purpose.

use serde_json::Value;

/// What is done at a place.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It is taken away.
    Remove,
    /// It becomes this.
    Set(Value),
    /// This is added to the list.
    Push(Value),
}

/// Makes the change; false when there is no such place.
pub(crate) fn make(document: &mut Value, pointer: &str, change: &Change) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    let Some(parent) = document.pointer_mut(parent) else { return false };
    match change {
        Change::Remove => match parent {
            Value::Object(map) => map.remove(&key).is_some(),
            Value::Array(list) => {
                let at = key.parse::<usize>().ok().filter(|at| *at < list.len());
                at.map(|at| list.remove(at)).is_some()
            }
            _ => false,
        },
        Change::Set(value) => match parent {
            Value::Object(map) => {
                map.insert(key, value.clone());
                true
            }
            Value::Array(list) => {
                let slot = key.parse::<usize>().ok().and_then(|at| list.get_mut(at));
                slot.map(|slot| *slot = value.clone()).is_some()
            }
            _ => false,
        },
        Change::Push(value) => {
            let list = parent.get_mut(&key).and_then(Value::as_array_mut);
            list.map(|list| list.push(value.clone())).is_some()
        }
    }
}
