//! What an expression of Prometheus asks for: its series and its labels. `promtool` says whether it is an expression at all.

use std::collections::BTreeSet;

use crate::metrics::Metric;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Each series, with the labels that it is chosen by.
    pub series: Vec<(String, Vec<String>)>,
    /// The labels that results are grouped or matched by.
    pub groups: BTreeSet<String>,
}

/// Words of the language, and those before a list of labels.
const WORDS: [&str; 8] = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"];
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Series that Prometheus itself makes, and those of the exporter about resources: nobody's metric.
const OTHERS: [&str; 2] = ["ALERTS", "target_info"];

/// Reads an expression.
#[must_use]
pub fn asked(expression: &str) -> Asked {
    let mut asked = Asked::default();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            rest = after(rest, ']');
        } else if first == '"' || first == '\'' {
            rest = after(&rest[1..], first);
        } else if is_name(first) || first == '$' {
            let end = rest.find(|at: char| !is_name(at) && at != '$').unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            rest = named(name, behind, &mut asked);
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    asked
}

/// Takes in a name, and gives what comes behind it and its own.
fn named<'a>(name: &str, behind: &'a str, asked: &mut Asked) -> &'a str {
    let next = behind.trim_start();
    if BEFORE_LABELS.contains(&name) {
        if let Some(list) = next.strip_prefix('(') {
            let labels = list.split(')').next().unwrap_or_default();
            asked
                .groups
                .extend(labels.split(',').map(str::trim).filter(|label| !label.is_empty()).map(String::from));
            return after(list, ')');
        }
        return behind;
    }
    let is_number = name.starts_with(|at: char| at.is_ascii_digit());
    let is_function = next.starts_with('(') || ["by", "without"].iter().any(|word| begins(next, word));
    if is_number || is_function || name.contains('$') || WORDS.contains(&name) {
        return behind;
    }
    let (labels, behind) = match next.strip_prefix('{') {
        Some(matchers) => (matched(matchers), after(matchers, '}')),
        None => (Vec::new(), behind),
    };
    asked.series.push((name.to_owned(), labels));
    behind
}

/// Whether a text begins with this word and a list.
fn begins(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('('))
}

/// The labels of `{a="b", c=~"d"}`, without its first brace.
fn matched(matchers: &str) -> Vec<String> {
    let inner = matchers.split('}').next().unwrap_or_default();
    // Texts come between quotation marks, so every other piece is one.
    let outside = inner.split('"').step_by(2);
    let names = outside.map(|piece| piece.trim_matches(|at: char| !is_name(at)).to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

fn is_name(at: char) -> bool {
    at.is_ascii_alphanumeric() || at == '_' || at == ':'
}

/// What is wrong with an expression, a sentence each: series that nobody has, and labels that the series do not have. `recorded` are
/// the names of rules, whose labels are not looked at.
#[must_use]
pub fn unknown(expression: &str, metrics: &[Metric], recorded: &BTreeSet<String>) -> Vec<String> {
    let asked = asked(expression);
    let mut wrong = Vec::new();
    if asked.series.is_empty() {
        wrong.push(format!("{expression:?} asks for nothing"));
    }
    let mut of_series: Vec<&Metric> = Vec::new();
    let mut others = false;
    for (series, labels) in &asked.series {
        if recorded.contains(series) || OTHERS.contains(&series.as_str()) {
            others = true;
            continue;
        }
        let Some(metric) = metrics.iter().find(|metric| metric.series().contains(series)) else {
            wrong.push(format!("{series} is no metric of docs/METRICS.md"));
            continue;
        };
        for label in labels.iter().filter(|label| !metric.has(label)) {
            wrong.push(format!("{series} has no label {label}"));
        }
        of_series.push(metric);
    }
    for group in &asked.groups {
        if !others && !of_series.iter().any(|metric| metric.has(group)) {
            wrong.push(format!("nothing in {expression:?} has a label {group}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Kind;

    #[test]
    fn series_are_told_from_functions_words_and_labels() {
        let found = asked(
            "histogram_quantile(0.95, sum by (le, rpc_method) (rate(a_bucket{job=\"x, y\", b!~\"z\"}[$__rate_interval])))
             > on () group_left () f:t:x and max(c) offset 5m",
        );
        let series: Vec<_> = found.series.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(series, ["a_bucket", "f:t:x", "c"]);
        assert_eq!(found.series[0].1, ["job", "b"]);
        assert_eq!(found.groups, BTreeSet::from(["le".to_owned(), "rpc_method".to_owned()]));
    }

    #[test]
    fn a_series_that_nobody_has_and_a_label_that_it_does_not_have_are_found() {
        let metrics = [Metric { name: "a".into(), kind: Kind::Histogram, labels: vec!["b".into()] }];
        let none = BTreeSet::new();
        assert!(unknown("sum by (b) (rate(a_count{job=\"x\"}[5m]))", &metrics, &none).is_empty());
        assert_eq!(unknown("rate(a[5m])", &metrics, &none).len(), 1);
        assert_eq!(unknown("a_count{c=\"x\"}", &metrics, &none).len(), 1);
        assert_eq!(unknown("sum by (c) (a_count)", &metrics, &none).len(), 1);
        assert_eq!(unknown("1 + 1", &metrics, &none).len(), 1);
        assert!(unknown("r:x > 1", &metrics, &BTreeSet::from(["r:x".to_owned()])).is_empty());
    }
}
