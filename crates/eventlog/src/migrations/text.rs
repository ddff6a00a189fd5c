//! The text of a migration as words, statement by statement: as much of SQL as it takes to tell what a statement does.

/// Each statement's words: names and keywords in capitals, a string as one word that begins with `'`, a quoted body of a
/// function as `$$`, everything else sign by sign. Comments are left out.
pub(super) fn statements(sql: &str) -> Vec<Vec<String>> {
    let mut statements = vec![Vec::new()];
    for word in Words(sql) {
        let current: &mut Vec<String> = match statements.last_mut() {
            Some(current) => current,
            None => return statements,
        };
        if word == ";" && !is_in_a_trigger(current) {
            statements.push(Vec::new());
        } else {
            current.push(word);
        }
    }
    statements.retain(|words| !words.is_empty());
    statements
}

/// SQLite's triggers hold statements of their own between BEGIN and END.
fn is_in_a_trigger(words: &[String]) -> bool {
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found == word);
    let trigger = is(0, "CREATE") && (is(1, "TRIGGER") || is(2, "TRIGGER"));
    trigger && words.iter().any(|word| word == "BEGIN") && words.last().is_none_or(|word| word != "END")
}

/// Parts between commas that stand in no brackets.
pub(super) fn parts(words: &[String]) -> Vec<&[String]> {
    let mut depth = 0usize;
    words
        .split(|word| {
            match word.as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            word == "," && depth == 0
        })
        .collect()
}

/// What is left of a text, read word by word.
struct Words<'a>(&'a str);

impl Words<'_> {
    fn skip_blanks_and_comments(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            if self.0.starts_with("--") {
                self.0 = self.0.find('\n').map_or("", |end| &self.0[end..]);
            } else if self.0.starts_with("/*") {
                self.0 = self.0.find("*/").map_or("", |end| &self.0[end + 2..]);
            } else {
                return;
            }
        }
    }

    /// Takes the first `length` bytes.
    fn take(&mut self, length: usize) -> String {
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        word.to_owned()
    }

    /// What a quote encloses, itself included; a doubled quote is a part of it.
    fn quoted(&mut self, quote: char) -> String {
        let mut end = 1;
        while let Some(found) = self.0[end..].find(quote) {
            end += found + 1;
            if !self.0[end..].starts_with(quote) {
                return self.take(end);
            }
            end += 1;
        }
        self.take(self.0.len())
    }

    /// The body of a function in dollar quotes, if one begins here.
    fn body(&mut self) -> Option<String> {
        let tag_end = self.0[1..].find('$')? + 2;
        let tag = &self.0[..tag_end];
        let is_tag = tag[1..tag_end - 1].chars().all(|sign| sign.is_alphanumeric() || sign == '_');
        let end = tag_end + self.0[tag_end..].find(tag).filter(|_| is_tag)? + tag_end;
        self.take(end);
        Some("$$".to_owned())
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.skip_blanks_and_comments();
        let first = self.0.chars().next()?;
        let is_of_a_name = |sign: char| sign.is_alphanumeric() || sign == '_';
        if first == '$'
            && let Some(body) = self.body()
        {
            return Some(body);
        }
        Some(match first {
            '\'' => self.quoted('\''),
            '"' => self.quoted('"').trim_matches('"').to_uppercase(),
            first if is_of_a_name(first) => {
                let length = self.0.find(|sign| !is_of_a_name(sign)).unwrap_or(self.0.len());
                self.take(length).to_uppercase()
            }
            other => self.take(other.len_utf8()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_bodies_hide_what_is_in_them() {
        let sql = "-- DROP TABLE a;\ninsert into \"b\" values ('it''s; -- x'); /* ; */ CREATE FUNCTION f() AS $x$ BEGIN; $x$;";
        assert_eq!(
            statements(sql),
            [
                ["INSERT", "INTO", "B", "VALUES", "(", "'it''s; -- x'", ")"].as_slice(),
                &["CREATE", "FUNCTION", "F", "(", ")", "AS", "$$"],
            ]
        );
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let sql = "CREATE TRIGGER t BEFORE DELETE ON e BEGIN SELECT RAISE(ABORT, 'no'); END; DROP TABLE e";
        let statements = statements(sql);
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert_eq!(statements[1], ["DROP", "TABLE", "E"]);
    }

    #[test]
    fn commas_in_brackets_part_nothing() {
        let words = &statements("a (b, c) d, e")[0];
        assert_eq!(parts(words).len(), 2);
    }
}
