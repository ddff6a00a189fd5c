//! What a person should know of how a row was read, when it is not all as the row says it.

use super::{json, rows::Record};

/// That none of a row's columns says when it was.
const NO_TIME: &str = "its row says no time at all: the beginning of 1970 stands for it";

/// What is to be noted of a row that was read. `columns`: those that hold JSON. `times`: those that a time is read of.
pub(crate) fn of(row: &Record, columns: &[&'static str], times: &[&'static str]) -> Vec<String> {
    // A column that cannot be read at all makes the row a broken one.
    let is_mended =
        |column: &'static str| row.filled(column).ok().flatten().and_then(json::with_null).is_some();
    let mended = columns.iter().copied().filter(|&column| is_mended(column)).map(|column| {
        format!("{column} held numbers that JSON does not have (NaN or Infinity): they were read as null")
    });
    let mut notes: Vec<String> = mended.collect();
    if times.iter().all(|column| matches!(row.filled(column), Ok(None))) {
        notes.push(NO_TIME.to_owned());
    }
    notes
}

/// The same of the row of a scene, each note with the scene's number.
pub(crate) fn of_scene(
    number: u32,
    row: &Record,
    columns: &[&'static str],
    times: &[&'static str],
) -> impl Iterator<Item = String> {
    of(row, columns, times).into_iter().map(move |note| format!("scene {number}: {note}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::source::rows::Cell;

    fn row(cells: &[(&str, &str)]) -> Record {
        let cells =
            cells.iter().map(|(name, text)| ((*name).to_owned(), Cell::Text(text.as_bytes().to_vec())));
        Record::new("clients", 1, "1".to_owned(), cells.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn numbers_that_became_null_and_a_time_that_is_nowhere_are_noted() {
        let times = ["created_at", "updated_at"];
        let sound = row(&[("metadata", r#"{"a": "NaN"}"#), ("name", "NaN"), ("updated_at", "2025-11-01")]);
        assert_eq!(of(&sound, &["metadata"], &times), [""; 0]);
        let odd = row(&[("metadata", r#"{"a": NaN}"#), ("created_at", " ")]);
        let notes = of(&odd, &["metadata", "progress"], &times);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].starts_with("metadata held numbers"), "{notes:?}");
        assert!(notes[1].contains("1970"), "{notes:?}");
        let of_scene: Vec<_> = of_scene(3, &odd, &[], &times).collect();
        assert_eq!(of_scene, [format!("scene 3: {}", notes[1])]);
    }
}
