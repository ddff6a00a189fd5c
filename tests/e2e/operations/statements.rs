//! The SQL of the guide, on the tables that each service has, as the role that the service runs under.

use std::fmt::Write as _;

use testservers::PostgresServer;

use super::{guide, shell, spans, typed};
use crate::schemas::SERVICES;

/// Each `sql SERVICE "STATEMENT"`, as it is typed; for every service where the service is left open.
fn statements(guide: &str) -> Vec<String> {
    let mut found = Vec::new();
    for code in typed(guide).into_iter().chain(spans(guide)) {
        for call in code.split("sql ").skip(1) {
            let Some((service, rest)) = call.split_once(" \"") else { continue };
            let Some(end) = closing(rest) else { continue };
            let named = SERVICES.iter().map(|known| known.service);
            let services: Vec<&str> = match service {
                "\"$1\"" => named.collect(),
                _ => named.filter(|known| *known == service).collect(),
            };
            found.extend(services.iter().map(|service| format!("sql {service} \"{}\"", &rest[..end])));
        }
    }
    found
}

/// Where a text between quotation marks ends.
fn closing(text: &str) -> Option<usize> {
    text.match_indices('"').map(|(at, _)| at).find(|at| !text[..*at].ends_with('\\'))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_guide_runs_as_the_role_of_its_service_and_only_reads() {
    let server = PostgresServer::start().await.unwrap();
    for migrations in SERVICES {
        let urls = server.role_and_schema(migrations.service).await.unwrap();
        eventlog::migrate(&urls.owner, migrations).await.unwrap();
    }
    let service = server.url("SERVICE", "postgres");
    let mut script = format!(
        "sql() {{ u='{service}'; PGOPTIONS=\"-c search_path=$1 -c default_transaction_read_only=on\" \
         psql --no-psqlrc --set=ON_ERROR_STOP=1 \"$(echo \"$u\" | sed \"s/SERVICE/$1_service/\")\" -c \"$2\"; }}\n\
         JOB=43\n"
    );
    let guide = guide();
    let statements = statements(&guide);
    assert!(statements.len() > 20, "{statements:#?}");
    for of in SERVICES {
        assert!(
            statements.iter().any(|one| one.starts_with(&format!("sql {} ", of.service))),
            "{}",
            of.service
        );
    }
    for statement in &statements {
        writeln!(script, "{statement}").unwrap();
    }
    if let Err(words) = shell(&script).await {
        panic!("{words}");
    }
    let changing = format!("{script}sql job \"DELETE FROM command\"\n");
    assert!(shell(&changing).await.unwrap_err().contains("read-only"));
}

#[test]
fn a_statement_is_taken_from_where_it_is_typed() {
    let guide = "`x`\n```sh\nsql job \"SELECT 1\n  AS \\\"a\\\"\" | cat\nsql \"$1\" \"SELECT 2\"\n```\n";
    let found = statements(guide);
    assert_eq!(found[0], "sql job \"SELECT 1\n  AS \\\"a\\\"\"");
    assert_eq!(found.len(), 1 + SERVICES.len());
}
