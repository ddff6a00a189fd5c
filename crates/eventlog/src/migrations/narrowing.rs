//! What in the text of a migration would break a build that is one version older, which runs beside the new one during a
//! rollout and after a rollout that was taken back.
//!
//! A list of what is known to only add; everything else counts as taking away, because a text does not tell. A migration
//! that is not on the list but harmless has its reason beside the test that applies this rule to all of them.

use std::{collections::HashSet, fmt};

use super::text::{parts, statements};

/// A statement that an older build may not survive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowing {
    /// The statement's words.
    pub statement: String,
    /// What may become of the older build.
    pub why: &'static str,
}

impl fmt::Display for Narrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.statement, self.why)
    }
}

const GONE: &str = "an older build names what is gone";
const EMPTIED: &str = "an older build reads the rows that are gone";
const CHANGED: &str = "an older build reads what was changed under it";
const RENAMED: &str = "an older build knows it under its old name only: add the new one, and write both";
const REFUSES: &str = "what an older build writes may be refused";
const RETYPED: &str = "an older build writes and reads another type";
const NO_VALUE: &str = "an older build does not name the column, so it needs a default or may be empty";
const DEFAULTS: &str = "an older build that leaves the column out stores something else";
const KEY: &str = "an older build may name the key in ON CONFLICT";
const REPLACED: &str = "an older build calls what was there before";
const UNKNOWN: &str = "it is not known to only add";

/// The statements of a migration that do more than add; none when it only expands.
#[must_use]
pub fn narrowing(sql: &str) -> Vec<Narrowing> {
    let statements = statements(sql);
    let mut file = File::of(&statements);
    let mut found = Vec::new();
    for statement in &statements {
        let words: Vec<&str> = statement.iter().map(String::as_str).collect();
        if let Err(why) = file.judge(&words, statement) {
            found.push(Narrowing { statement: words.join(" "), why });
        }
    }
    found
}

/// What a migration itself has made, which no older build knows.
struct File {
    /// Tables; also those that its own ones are put in the place of, as SQLite has to when a constraint is loosened.
    tables: HashSet<String>,
    /// Tables that its own ones are put in the place of.
    replaced: HashSet<String>,
    /// Columns that it added to others.
    columns: HashSet<(String, String)>,
}

type Judgement = Result<(), &'static str>;

impl File {
    fn of(statements: &[Vec<String>]) -> Self {
        let (mut tables, mut replaced) = (HashSet::new(), HashSet::new());
        for statement in statements {
            let words: Vec<&str> = statement.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["CREATE", "TABLE", rest @ ..] => {
                    tables.insert(name(after_if(rest)).0.to_owned());
                }
                ["ALTER", "TABLE", from, "RENAME", "TO", to] if tables.contains(*from) => {
                    replaced.insert((*to).to_owned());
                }
                _ => {}
            }
        }
        tables.extend(replaced.iter().cloned());
        Self { tables, replaced, columns: HashSet::new() }
    }

    fn judge(&mut self, words: &[&str], statement: &[String]) -> Judgement {
        match words {
            ["CREATE", "TABLE" | "INDEX" | "VIEW" | "SEQUENCE" | "TYPE" | "FUNCTION", ..] => Ok(()),
            ["CREATE", "UNIQUE", "INDEX", rest @ ..] => self.is_own(on(rest), REFUSES),
            ["CREATE", "TRIGGER", rest @ ..] => self.is_own(on(rest), REFUSES),
            ["CREATE", "OR", "REPLACE", ..] => Err(REPLACED),
            ["COMMENT" | "GRANT", ..] => Ok(()),
            ["INSERT", "INTO", rest @ ..] => self.is_own(name(rest).0, CHANGED),
            ["UPDATE", rest @ ..] => self.update(rest, statement),
            ["DELETE", "FROM", rest @ ..] => self.is_own(name(rest).0, EMPTIED),
            ["TRUNCATE", ..] => Err(EMPTIED),
            ["DROP", "TABLE", rest @ ..] => match name(after_if(rest)) {
                (table, []) if self.replaced.contains(table) => Ok(()),
                _ => Err(GONE),
            },
            ["DROP", "INDEX", ..] => Err(KEY),
            ["DROP", ..] => Err(GONE),
            ["ALTER", "TABLE", rest @ ..] => self.alter(after_if(rest), statement),
            _ => Err(UNKNOWN),
        }
    }

    fn is_own(&self, table: &str, otherwise: &'static str) -> Judgement {
        if self.tables.contains(table) { Ok(()) } else { Err(otherwise) }
    }

    /// Rows may be filled where only this migration knows the columns.
    fn update(&self, words: &[&str], statement: &[String]) -> Judgement {
        let (table, rest) = name(words);
        if self.tables.contains(table) {
            return Ok(());
        }
        let [set, ..] = rest else { return Err(UNKNOWN) };
        let begin = statement.len() - rest.len() + 1;
        let end = statement.iter().position(|word| matches!(word.as_str(), "WHERE" | "FROM" | "RETURNING"));
        let assigned = statement.get(begin..end.unwrap_or(statement.len())).unwrap_or_default();
        let own = |part: &[String]| {
            let column = part.first().cloned().unwrap_or_default();
            self.columns.contains(&(table.to_owned(), column))
        };
        if *set == "SET" && parts(assigned).into_iter().all(own) { Ok(()) } else { Err(CHANGED) }
    }

    fn alter(&mut self, words: &[&str], statement: &[String]) -> Judgement {
        let (table, rest) = name(words.strip_prefix(&["ONLY"]).unwrap_or(words));
        if self.tables.contains(table) {
            return Ok(());
        }
        let actions = statement.get(statement.len() - rest.len()..).unwrap_or_default();
        parts(actions).into_iter().try_for_each(|action| {
            let action: Vec<&str> = action.iter().map(String::as_str).collect();
            self.action(table, &action)
        })
    }

    fn action(&mut self, table: &str, action: &[&str]) -> Judgement {
        match action {
            ["ADD", "CONSTRAINT" | "CHECK" | "UNIQUE" | "PRIMARY" | "FOREIGN" | "EXCLUDE", ..] => {
                Err(REFUSES)
            }
            ["ADD", "COLUMN", rest @ ..] | ["ADD", rest @ ..] => {
                let [column, definition @ ..] = after_if(rest) else { return Err(UNKNOWN) };
                can_be_left_out(definition)?;
                self.columns.insert((table.to_owned(), (*column).to_owned()));
                Ok(())
            }
            ["ALTER", "COLUMN", _, rest @ ..] | ["ALTER", _, rest @ ..] => match rest {
                ["DROP", "NOT", "NULL"] => Ok(()),
                ["SET", "NOT", "NULL"] => Err(REFUSES),
                ["SET" | "DROP", "DEFAULT", ..] => Err(DEFAULTS),
                ["TYPE", ..] | ["SET", "DATA", ..] => Err(RETYPED),
                _ => Err(UNKNOWN),
            },
            ["RENAME", ..] => Err(RENAMED),
            ["DROP", "CONSTRAINT", ..] => Err(KEY),
            ["DROP", ..] => Err(GONE),
            _ => Err(UNKNOWN),
        }
    }
}

/// Whether rows can be stored without a column of this definition.
fn can_be_left_out(definition: &[&str]) -> Judgement {
    if definition
        .iter()
        .any(|word| matches!(*word, "UNIQUE" | "PRIMARY" | "CHECK" | "REFERENCES" | "GENERATED" | "EXCLUDE"))
    {
        return Err(REFUSES);
    }
    let has = |pair: [&str; 2]| definition.windows(2).any(|words| words == pair);
    let default = definition.contains(&"DEFAULT") && !has(["DEFAULT", "NULL"]);
    if has(["NOT", "NULL"]) && !default { Err(NO_VALUE) } else { Ok(()) }
}

/// What follows `IF EXISTS` or `IF NOT EXISTS`, if that is there.
fn after_if<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    match words {
        ["IF", "NOT", "EXISTS", rest @ ..] | ["IF", "EXISTS", rest @ ..] => rest,
        all => all,
    }
}

/// The name that comes first, without its schema, and what follows it.
fn name<'a, 'b>(words: &'a [&'b str]) -> (&'b str, &'a [&'b str]) {
    match words {
        [_, ".", name, rest @ ..] | [name, rest @ ..] => (name, rest),
        [] => ("", &[]),
    }
}

/// The table behind `ON`.
fn on<'b>(words: &[&'b str]) -> &'b str {
    let at = words.iter().position(|word| *word == "ON");
    at.map_or("", |at| name(&words[at + 1..]).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A migration of today, which only adds.
    const GOOD: &str = "
        -- Scenes get a place.
        CREATE TABLE place (id TEXT NOT NULL PRIMARY KEY, scene TEXT NOT NULL UNIQUE REFERENCES scene (id));
        CREATE UNIQUE INDEX place_by_scene ON place (scene);
        CREATE INDEX scene_by_job ON scene (job_id) WHERE status = 'a; DROP TABLE scene';
        ALTER TABLE scene ADD COLUMN place BIGINT NOT NULL DEFAULT 0, ADD note TEXT;
        ALTER TABLE job.scene ALTER COLUMN status DROP NOT NULL;
        UPDATE scene SET place = length(id), note = 'x' WHERE id > 'a';
        INSERT INTO place SELECT id, id FROM scene;
        DELETE FROM place;
        GRANT SELECT ON place TO reader;
        COMMENT ON TABLE place IS 'where';";

    #[test]
    fn what_only_adds_is_no_matter() {
        assert_eq!(narrowing(GOOD), []);
    }

    #[test]
    fn a_table_that_is_made_again_and_put_in_its_own_place_is_no_matter() {
        let again = "CREATE TABLE film_2 (id TEXT PRIMARY KEY, kind TEXT CHECK (kind IN ('a', 'b')));
            INSERT INTO film_2 SELECT id, kind FROM film;
            DROP TABLE film;
            ALTER TABLE film_2 RENAME TO film;
            CREATE UNIQUE INDEX film_by_kind ON film (kind);";
        assert_eq!(narrowing(again), []);
        let lost = again.replace("RENAME TO film", "RENAME TO movie");
        let told: Vec<&str> = narrowing(&lost).iter().map(|found| found.why).collect();
        assert_eq!(told, [GONE, REFUSES]);
    }

    #[test]
    fn each_kind_of_taking_away_is_found_wherever_it_stands_in_a_migration() {
        for (statement, why) in [
            ("DROP TABLE scene", GONE),
            ("DROP TABLE IF EXISTS scene", GONE),
            ("DROP TABLE place, scene", GONE),
            ("DROP VIEW seen", GONE),
            ("DROP TRIGGER never_changed ON event", GONE),
            ("DROP FUNCTION f()", GONE),
            ("DROP INDEX scene_by_job", KEY),
            ("TRUNCATE scene", EMPTIED),
            ("DELETE FROM scene WHERE status = 'old'", EMPTIED),
            ("UPDATE scene SET status = 'new'", CHANGED),
            ("UPDATE scene SET place = 1, status = 'new' WHERE id = 'a'", CHANGED),
            ("UPDATE event SET data = '{}'", CHANGED),
            ("INSERT INTO scene (id) VALUES ('x')", CHANGED),
            ("ALTER TABLE scene DROP COLUMN status", GONE),
            ("ALTER TABLE scene DROP status", GONE),
            ("ALTER TABLE scene RENAME TO act", RENAMED),
            ("ALTER TABLE scene RENAME COLUMN status TO state", RENAMED),
            ("ALTER TABLE scene ADD COLUMN mood TEXT NOT NULL", NO_VALUE),
            ("ALTER TABLE scene ADD mood TEXT NOT NULL DEFAULT NULL", NO_VALUE),
            ("ALTER TABLE scene ADD COLUMN mood TEXT UNIQUE", REFUSES),
            ("ALTER TABLE scene ADD COLUMN mood TEXT CHECK (mood IS NOT NULL)", REFUSES),
            ("ALTER TABLE scene ADD COLUMN mood TEXT REFERENCES mood (id)", REFUSES),
            ("ALTER TABLE scene ADD COLUMN IF NOT EXISTS ok TEXT, ADD COLUMN mood TEXT NOT NULL", NO_VALUE),
            ("ALTER TABLE ONLY scene ADD CONSTRAINT one UNIQUE (status)", REFUSES),
            ("ALTER TABLE scene ADD CHECK (id <> '')", REFUSES),
            ("ALTER TABLE scene ADD FOREIGN KEY (job_id) REFERENCES job (id)", REFUSES),
            ("ALTER TABLE scene DROP CONSTRAINT scene_pkey", KEY),
            ("ALTER TABLE scene ALTER COLUMN status SET NOT NULL", REFUSES),
            ("ALTER TABLE scene ALTER status TYPE BIGINT", RETYPED),
            ("ALTER TABLE scene ALTER COLUMN status SET DATA TYPE BIGINT", RETYPED),
            ("ALTER TABLE scene ALTER COLUMN status DROP DEFAULT", DEFAULTS),
            ("ALTER TABLE scene ALTER COLUMN status SET DEFAULT 'x'", DEFAULTS),
            ("ALTER TABLE scene ENABLE ROW LEVEL SECURITY", UNKNOWN),
            ("CREATE UNIQUE INDEX scene_once ON scene (status)", REFUSES),
            ("CREATE TRIGGER never BEFORE INSERT ON scene FOR EACH ROW EXECUTE FUNCTION f()", REFUSES),
            ("CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $$ $$", REPLACED),
            ("REVOKE SELECT ON scene FROM reader", UNKNOWN),
            ("LOCK TABLE scene", UNKNOWN),
        ] {
            for sql in [format!("{statement};{GOOD}"), format!("{GOOD}\n/* and */ {statement}")] {
                let found = narrowing(&sql);
                let told: Vec<&str> = found.iter().map(|found| found.why).collect();
                assert_eq!(told, [why], "{statement}: {found:?}");
            }
        }
    }
}
