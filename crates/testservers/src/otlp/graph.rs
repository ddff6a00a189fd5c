//! What hangs together: spans by their parents and links.

use std::collections::{BTreeMap, BTreeSet};

use super::SpanSeen;

/// Spans, and which of them hang together.
#[derive(Debug)]
pub struct Graph<'a> {
    spans: &'a [SpanSeen],
    /// Which part each span belongs to: the smallest number of a span of the part.
    parts: Vec<usize>,
    places: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Graph<'a> {
    /// Joins each span with its parent and with what it is linked to, as far as those are there.
    #[must_use]
    pub fn of(spans: &'a [SpanSeen]) -> Self {
        let places: BTreeMap<_, _> = spans
            .iter()
            .enumerate()
            .map(|(at, span)| ((span.trace.as_str(), span.span.as_str()), at))
            .collect();
        let mut parts: Vec<usize> = (0..spans.len()).collect();
        for (at, span) in spans.iter().enumerate() {
            let parent = span.parent.as_deref().map(|parent| (span.trace.as_str(), parent));
            let links = span.links.iter().map(|(trace, span)| (trace.as_str(), span.as_str()));
            for other in parent.into_iter().chain(links).filter_map(|key| places.get(&key)) {
                let (one, two) = (root(&mut parts, at), root(&mut parts, *other));
                parts[one.max(two)] = one.min(two);
            }
        }
        for at in 0..parts.len() {
            root(&mut parts, at);
        }
        Self { spans, parts, places }
    }

    /// Spans whose parent was never sent, but for parents that `outside` knows of: those of callers that send nothing here.
    #[must_use]
    pub fn orphans(&self, outside: impl Fn(&str) -> bool) -> Vec<&'a SpanSeen> {
        let orphan = |span: &&SpanSeen| {
            let parent = span.parent.as_deref();
            parent.is_some_and(|parent| !self.places.contains_key(&(&span.trace, parent)) && !outside(parent))
        };
        self.spans.iter().filter(orphan).collect()
    }

    /// Links to spans that were never sent.
    #[must_use]
    pub fn loose_links(&self) -> Vec<&'a SpanSeen> {
        let loose = |span: &&SpanSeen| {
            span.links.iter().any(|(trace, span)| !self.places.contains_key(&(trace.as_str(), span.as_str())))
        };
        self.spans.iter().filter(loose).collect()
    }

    /// Everything that hangs together with the span at `place`.
    #[must_use]
    pub fn part_of(&self, place: usize) -> Vec<&'a SpanSeen> {
        let of = |(at, _): &(usize, &SpanSeen)| self.parts[*at] == self.parts[place];
        self.spans.iter().enumerate().filter(of).map(|(_, span)| span).collect()
    }

    /// The parts that have a span which fulfils `wanted`, whole.
    #[must_use]
    pub fn parts_with(&self, wanted: impl Fn(&SpanSeen) -> bool) -> Vec<Vec<&'a SpanSeen>> {
        let of = self.spans.iter().zip(&self.parts);
        let wanted: BTreeSet<_> = of.clone().filter(|(span, _)| wanted(span)).map(|(_, part)| part).collect();
        let whole = |part| of.clone().filter(|(_, own)| *own == part).map(|(span, _)| span).collect();
        wanted.into_iter().map(whole).collect()
    }
}

/// The number of the part that a span belongs to; the way there is shortened.
fn root(parts: &mut [usize], at: usize) -> usize {
    let mut root = at;
    while parts[root] != root {
        root = parts[root];
    }
    let mut next = at;
    while parts[next] != root {
        next = std::mem::replace(&mut parts[next], root);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(trace: &str, span: &str, parent: Option<&str>, link: Option<(&str, &str)>) -> SpanSeen {
        SpanSeen {
            service: "filmstrip-job".to_owned(),
            trace: trace.to_owned(),
            span: span.to_owned(),
            parent: parent.map(str::to_owned),
            links: link.into_iter().map(|(trace, span)| (trace.to_owned(), span.to_owned())).collect(),
            name: "work".to_owned(),
            kind: 1,
            attributes: BTreeMap::new(),
            time: (0, 0),
            error: None,
        }
    }

    #[test]
    fn parents_and_links_join_and_what_has_neither_stands_apart() {
        let spans = [
            span("a", "1", None, None),
            span("a", "2", Some("1"), None),
            span("b", "1", None, Some(("a", "2"))),
            span("c", "1", None, None),
        ];
        let graph = Graph::of(&spans);
        assert_eq!((graph.part_of(0).len(), graph.part_of(3).len()), (3, 1));
        assert_eq!(graph.parts_with(|_| true).iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
        assert!(graph.orphans(|_| false).is_empty());
    }

    #[test]
    fn a_span_whose_parent_was_never_sent_is_an_orphan() {
        let spans = [span("a", "2", Some("1"), None), span("b", "2", None, Some(("b", "9")))];
        let graph = Graph::of(&spans);
        assert_eq!(graph.orphans(|_| false).len(), 1);
        assert!(graph.orphans(|parent| parent == "1").is_empty());
        assert_eq!(graph.loose_links().len(), 1);
    }
}
