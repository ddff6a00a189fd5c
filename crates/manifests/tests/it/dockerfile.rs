//! The Dockerfile holds to its rules, and each of them catches what it is there for.

use std::fs;

use manifests::dockerfile::{Dockerfile, check};

use crate::{facts, root};

fn text() -> String {
    fs::read_to_string(root().join("Dockerfile")).unwrap()
}

fn found(text: &str) -> Vec<String> {
    check(&Dockerfile::parse(text), &root(), &facts()).iter().map(ToString::to_string).collect()
}

#[test]
fn the_dockerfile_holds() {
    let found = found(&text());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_mutation_is_caught() {
    let mutations = [
        ("image-targets", "FROM media AS stitch", "FROM media AS stich"),
        ("image-bases", "FROM debian:12.13-slim", "FROM debian:stable-slim"),
        ("image-bases", "COPY proto proto", "ADD https://example.org/x /x"),
        ("image-bases", "ca-certificates \\", "ca-certificates && curl -s https://example.org/x \\"),
        ("image-sources", "COPY proto proto", "COPY protos proto"),
        ("image-sources", "COPY proto proto", "COPY demo proto"),
        ("image-user", "USER 65532:65532", "USER nobody"),
        ("image-user", "USER 65532:65532", "USER 0:0"),
        (
            "image-entry",
            "ENTRYPOINT [\"/usr/local/bin/filmstrip-job\"]",
            "ENTRYPOINT /usr/local/bin/filmstrip-job",
        ),
        ("image-entry", "CMD [\"serve\"]", "CMD serve"),
        (
            "image-health",
            "CMD [\"/usr/local/bin/filmstrip-audio\", \"healthcheck\"]",
            "CMD filmstrip-audio healthcheck",
        ),
        ("image-health", "CMD [\"/usr/local/bin/filmstrip-audio\", \"healthcheck\"]", "NONE"),
        ("image-labels", "org.opencontainers.image.revision=", "revision="),
        ("image-labels", "org.opencontainers.image.title=\"filmstrip-job\"", "title=\"filmstrip-job\""),
        ("image-media", "FROM media AS render", "FROM plain AS render"),
        ("image-media", "FROM plain AS gateway", "FROM media AS gateway"),
    ];
    for (rule, from, to) in mutations {
        let whole = text();
        assert!(whole.contains(from), "there is no {from:?}");
        let found = found(&whole.replace(from, to));
        let caught = found.iter().any(|finding| finding.ends_with(&format!("[{rule}]")));
        assert!(caught, "{rule}: {from:?} became {to:?} and nobody noticed: {found:#?}");
    }
}
