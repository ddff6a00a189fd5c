//! Reading a Dockerfile: enough of its grammar for what ours uses.

/// A line of it, continuations joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// `COPY`, `RUN` and so on.
    pub word: String,
    /// What stands behind it.
    pub rest: String,
}

impl Instruction {
    /// The words behind it that are no flags.
    #[must_use]
    pub fn arguments(&self) -> Vec<&str> {
        self.rest.split_whitespace().filter(|word| !word.starts_with("--")).collect()
    }

    /// The value of a flag such as `--from=build`.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&str> {
        let prefix = format!("--{name}=");
        self.rest.split_whitespace().find_map(|word| word.strip_prefix(&prefix))
    }
}

/// What lies between one `FROM` and the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name behind `AS`; empty when there is none.
    pub name: String,
    /// An image, or another stage.
    pub from: String,
    /// The instructions after `FROM`.
    pub instructions: Vec<Instruction>,
}

impl Stage {
    /// The instructions of that word.
    pub fn of<'a>(&'a self, word: &str) -> impl DoubleEndedIterator<Item = &'a Instruction> {
        self.instructions.iter().filter(move |one| one.word == word)
    }
}

pub(super) fn stages(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for Instruction { word, rest } in instructions(text) {
        if word == "FROM" {
            let words: Vec<_> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
            let from = words.first().copied().unwrap_or_default().to_owned();
            let named = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
            let name = if named { words.get(2).copied().unwrap_or_default() } else { "" };
            stages.push(Stage { name: name.to_owned(), from, instructions: Vec::new() });
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.push(Instruction { word, rest });
        }
    }
    stages
}

fn instructions(text: &str) -> Vec<Instruction> {
    let mut all = Vec::new();
    let mut whole = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(more) = line.strip_suffix('\\') {
            whole.push_str(more);
            continue;
        }
        whole.push_str(line);
        let (word, rest) = whole.split_once(char::is_whitespace).unwrap_or((&whole, ""));
        all.push(Instruction { word: word.to_uppercase(), rest: rest.trim().to_owned() });
        whole.clear();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_one_instruction_and_comments_none() {
        let found =
            stages("# syntax\nFROM --platform=x a:1 AS b\nRUN one \\\n    # why\n    && two\ncopy x y\n");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].from.as_str()), ("b", "a:1"));
        assert_eq!(found[0].instructions[0].rest, "one && two");
        assert_eq!(found[0].instructions[1].word, "COPY");
    }
}
