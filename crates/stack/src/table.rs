//! Where everything listens, for a person.

use crate::Stack;

/// A line for each process and server, then where the logs are.
#[must_use]
pub fn listing(stack: &Stack) -> String {
    let blobs = stack.blobs();
    let mut rows: Vec<(String, String)> = stack
        .replicas()
        .map(|(service, index, address)| {
            let scheme = if service == crate::Service::Gateway { "http, " } else { "gRPC, " };
            let log = stack.log_file(service, index);
            (format!("{service} {index}"), format!("{address:<18} {scheme:<6}log {}", log.display()))
        })
        .collect();
    rows.push(("PostgreSQL".to_owned(), format!("{} (a schema for each service)", stack.superuser_url())));
    rows.push(("NATS".to_owned(), stack.nats_url()));
    rows.push((
        "S3".to_owned(),
        format!(
            "{} bucket {}, key {}, secret {}",
            blobs.endpoint, blobs.bucket, blobs.access_key_id, blobs.secret_access_key
        ),
    ));
    rows.push(("soundstage".to_owned(), format!("{} (stand-in providers)", stack.soundstage_url())));
    rows.push(("directory".to_owned(), stack.directory().display().to_string()));
    rows.iter().map(|(name, place)| format!("{name:<11} {place}")).collect::<Vec<_>>().join("\n")
}

/// How to try it, and how to end it.
#[must_use]
pub fn advice(stack: &Stack) -> String {
    let gateway = stack.gateways().into_iter().next().unwrap_or_default();
    let (header, flag) = match stack.api_key() {
        Some(key) => (format!(" -H 'x-api-key: {key}'"), format!(" --api-key {key}")),
        None => (String::new(), String::new()),
    };
    format!(
        "Try it:\n  curl -sS{header} {gateway}/api/v3/generated-videos\n  cargo xtask demo --base-url {gateway}{flag}\n\
         Kill any one of the processes in the middle: it is started again, and nothing is lost.\n\
         Ctrl-C stops everything."
    )
}
