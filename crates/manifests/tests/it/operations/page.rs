//! A page of Markdown as its parts: code blocks, code within lines, headings, links.

use std::collections::BTreeMap;

/// A block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What stands behind its fence, such as `sh`.
    pub(super) language: String,
    pub(super) text: String,
}

/// The blocks of code, and the lines between them.
pub(super) fn split(page: &str) -> (Vec<Block>, Vec<&str>) {
    let (mut blocks, mut prose, mut open): (Vec<Block>, _, Option<Block>) = (Vec::new(), Vec::new(), None);
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => prose.push(line),
        }
    }
    assert!(open.is_none(), "a block of code has no end");
    (blocks, prose)
}

/// The code within a line.
pub(super) fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The line without the code in it.
pub(super) fn plain(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The targets of the links of a line.
pub(super) fn links(line: &str) -> Vec<String> {
    let plain = plain(line);
    let behind = plain.split("](").skip(1);
    behind.filter_map(|rest| Some(rest.split_once(')')?.0.trim().to_owned())).collect()
}

/// The anchors that a page has, as those who show Markdown make them: lower case, blanks as dashes, no other signs; a
/// number behind what was there before.
pub(super) fn anchors(prose: &[&str]) -> Vec<String> {
    let mut met = BTreeMap::<String, usize>::new();
    let titles = prose.iter().filter_map(|line| line.strip_prefix('#'));
    let titles = titles.filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let anchored = titles.map(|title| {
        let shown = title.split("](").next().unwrap_or_default().to_lowercase();
        let kept = shown.trim().chars().filter(|at| at.is_alphanumeric() || matches!(at, ' ' | '-' | '_'));
        let anchor: String = kept.map(|at| if at == ' ' { '-' } else { at }).collect();
        let count = met.entry(anchor.clone()).or_default();
        *count += 1;
        if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
    });
    anchored.collect()
}

/// What stands below a heading, up to the next one of its level or above.
pub(super) fn section(page: &str, heading: &str) -> String {
    let level = |line: &str| line.chars().take_while(|at| *at == '#').count();
    let is_heading = |line: &str| line[level(line)..].starts_with(' ') && level(line) > 0;
    let (mut within, mut in_code, mut body) = (false, false, String::new());
    for line in page.lines() {
        in_code ^= line.trim_start().starts_with("```");
        // A comment in code looks like a heading.
        if !in_code && is_heading(line) && level(line) <= level(heading) {
            if within {
                break;
            }
            within = line == heading;
        } else if within {
            body.push_str(line);
            body.push('\n');
        }
    }
    assert!(within, "there is no {heading:?}");
    body
}

/// Words made of what `is` takes, in a text.
pub(super) fn words(text: &str, is: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = &str> {
    text.split(move |at: char| !is(at)).filter(|word| !word.is_empty())
}

#[test]
fn a_page_falls_into_its_parts() {
    let (blocks, prose) =
        split("# One `a` thing\n[x](y.md#z) `[no](no)`\n  ```sh\n  echo '# no'\n  ```\n# One a thing\n");
    assert_eq!(blocks, [Block { language: "sh".to_owned(), text: "  echo '# no'\n".to_owned() }]);
    assert_eq!(anchors(&prose), ["one-a-thing", "one-a-thing-1"]);
    assert_eq!(links(prose[1]), ["y.md#z"]);
    assert_eq!(spans(prose[0]).collect::<Vec<_>>(), ["a"]);
    let code = "```sh\n# f\n```\n";
    assert_eq!(section(&format!("## A\nb\n### C\n{code}## E\n"), "## A"), format!("b\n### C\n{code}"));
}
