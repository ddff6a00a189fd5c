//! What a service's database is made of: it only grows, whoever migrates it and however often, and nobody else reads it.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Output, Stdio},
};

use eventlog::{
    COMMON_POSTGRES, COMMON_SQLITE, Log, Migrations,
    migrations::{
        contract::{Version, since},
        narrowing::narrowing,
    },
    open_checked, params,
};
use testservers::{PostgresServer, ServiceUrls};
use tokio::process::Command;

use crate::{
    schemas::SERVICES,
    world::{PATIENCE, run_service},
};

/// What looks as if it took something away and does not: which migration, how the statement begins, and why. A text
/// that was applied is never changed, so it cannot say so itself.
const HARMLESS: [(&str, &str, &str); 3] = [
    (
        "asset/0006_imported",
        "ALTER TABLE ASSET ALTER COLUMN SHA256 DROP NOT NULL",
        "one check lets more types in; the other one holds for every row that an older build writes: all of it is there",
    ),
    ("stitch/0003_overlay", "ALTER TABLE PRODUCT DROP CONSTRAINT PRODUCT_KIND_CHECK", "it is put back wider"),
    ("stitch/0003_overlay", "ALTER TABLE PRODUCT ADD CONSTRAINT PRODUCT_KIND_CHECK", "wider than it was"),
];

type Texts = &'static [(&'static str, &'static str)];

/// Every text that is ever applied, under the name that databases record.
fn texts() -> Vec<(String, &'static str)> {
    let of = |owner: &str, texts: Texts| {
        texts.iter().map(|(name, sql)| (format!("{owner}/{name}"), *sql)).collect::<Vec<_>>()
    };
    let mut all = of("common", COMMON_SQLITE);
    all.extend(of("common", COMMON_POSTGRES));
    for service in SERVICES {
        all.extend(of(service.service, service.sqlite));
        all.extend(of(service.service, service.postgres));
    }
    all
}

#[test]
fn a_migration_only_adds_unless_it_says_since_when_nobody_needs_what_it_takes_away() {
    let mut excused = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, sql) in texts() {
        match since(sql).unwrap_or_else(|error| panic!("{name}: {error}")) {
            // Builds of the version before run beside this one: they must be able to do without it.
            Some(version) if version < Version::own().unwrap() => continue,
            Some(version) => wrong.push(format!("{name}: builds since {version} are not the version before")),
            None => {}
        }
        for found in narrowing(sql) {
            let harmless =
                |(of, begins, _): &&(&str, &str, &str)| *of == name && found.statement.starts_with(begins);
            match HARMLESS.iter().find(harmless) {
                Some(known) => drop(excused.insert(known)),
                None => wrong.push(format!("{name}: {found}")),
            }
        }
    }
    assert!(wrong.is_empty(), "add first, and take away a release later:\n{}", wrong.join("\n"));
    let unused: Vec<_> = HARMLESS.iter().filter(|known| !excused.contains(known)).collect();
    assert!(unused.is_empty(), "excuses without a statement: {unused:?}");
}

#[test]
fn every_file_of_migrations_is_one_that_its_service_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    for Migrations { service, sqlite, postgres } in SERVICES.iter().copied().copied() {
        for (engine, texts) in [("sqlite", sqlite), ("postgres", postgres)] {
            for file in std::fs::read_dir(root.join(service).join(engine)).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let applied = texts.iter().find(|(known, _)| *known == name).map(|(_, sql)| *sql);
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(applied, Some(text.as_str()), "{}", path.display());
            }
        }
    }
}

/// Runs `filmstrip-<service> migrate`; what it printed, when it ended well.
async fn migrate(service: &str, url: &str) -> String {
    let Output { status, stdout, stderr } = run_service(service, "migrate", [("DATABASE_URL", url)]).await;
    let told = String::from_utf8_lossy(&stderr);
    assert_eq!((status.code(), &*told), (Some(0), ""), "{service}");
    String::from_utf8_lossy(&stdout).into_owned()
}

/// Everything that there is in a database, and when each migration was applied.
async fn everything(url: &str, migrations: &Migrations) -> Vec<String> {
    let log = open_checked(url, migrations).await.unwrap();
    let postgres = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line \
         FROM information_schema.columns WHERE table_schema = current_schema() \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() \
         UNION ALL SELECT name || ' ' || checksum || ' ' || applied_at FROM migration ORDER BY 1";
    let sqlite = "SELECT coalesce(sql, name) AS line FROM sqlite_master \
         UNION ALL SELECT name || ' ' || checksum || ' ' || applied_at FROM migration ORDER BY 1";
    let sql = if url.starts_with("sqlite:") { sqlite } else { postgres };
    let rows = log.query(sql, params![]).await.unwrap();
    rows.iter().map(|row| row.get("line").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_may_be_run_again_and_several_times_at_once_and_does_it_once() {
    let server = PostgresServer::start().await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for migrations in SERVICES {
        let service = migrations.service;
        let file = format!("sqlite:{}", scratch.path().join(service).display());
        for url in [server.role_and_schema(service).await.unwrap().owner, file] {
            let (one, two, three) =
                tokio::join!(migrate(service, &url), migrate(service, &url), migrate(service, &url));
            let (did, rest): (Vec<String>, Vec<String>) =
                [one, two, three].into_iter().partition(|said| said.starts_with("applied common/0001_event"));
            assert_eq!((did.len(), rest.len()), (1, 2), "{service}: {did:?} {rest:?}");
            assert!(rest.iter().all(|said| said.starts_with("nothing to apply")), "{service}: {rest:?}");
            let before = everything(&url, migrations).await;
            assert!(before.len() > 20, "{service}: {before:?}");
            assert!(migrate(service, &url).await.starts_with("nothing to apply"), "{service}");
            assert_eq!(everything(&url, migrations).await, before, "{service}");
        }
    }
}

/// A service's database and who it is opened as.
struct Place {
    migrations: &'static Migrations,
    urls: ServiceUrls,
}

/// Each service's tables, made by the role that owns them.
async fn migrated(places: &[Place]) {
    for Place { migrations, urls } in places {
        eventlog::migrate(&urls.owner, migrations).await.unwrap();
    }
}

/// The tables of a service, as its own role sees them; reading each of them works.
async fn tables(log: &Log) -> Vec<String> {
    let sql = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()";
    let rows = log.query(sql, params![]).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get("name").unwrap()).collect();
    for name in &names {
        log.query(&format!("SELECT count(*) AS n FROM {name}"), params![]).await.unwrap();
    }
    names
}

/// Neither role of a service reads a table of another one.
async fn nobody_reads_what_is_another_ones(places: &[Place]) {
    let mut known = Vec::new();
    for Place { migrations, urls } in places {
        let log = open_checked(&urls.service, migrations).await.unwrap();
        known.push((migrations.service, tables(&log).await));
    }
    for Place { migrations, urls } in places {
        for url in [&urls.service, &urls.owner] {
            let log = open_checked(url, migrations).await.unwrap();
            for (other, tables) in known.iter().filter(|(other, _)| *other != migrations.service) {
                assert!(tables.len() >= 6, "{other}: {tables:?}");
                for table in tables {
                    let sql = format!("SELECT count(*) AS n FROM {other}.{table}");
                    let error = anyhow::Error::from(log.query(&sql, params![]).await.unwrap_err());
                    let told = format!("{error:#}");
                    assert!(told.contains("permission denied"), "{url}: {sql}: {told}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_reads_the_tables_of_another_one() {
    let server = PostgresServer::start().await.unwrap();
    let mut places = Vec::new();
    for migrations in SERVICES {
        let urls = server.role_and_schema(migrations.service).await.unwrap();
        places.push(Place { migrations, urls });
    }
    migrated(&places).await;
    nobody_reads_what_is_another_ones(&places).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_reads_the_tables_of_another_one_with_the_roles_that_are_deployed() {
    let server = PostgresServer::start().await.unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scratch = tempfile::tempdir().unwrap();
    let secrets = scratch.path().join("secrets");
    ran(Command::new("sh").arg(root.join("deploy/keys.sh")).arg(&secrets)).await;
    // The server reads the passwords itself, as the user that it runs as.
    ran(Command::new("chmod").args(["-R", "a+rX"]).arg(scratch.path())).await;
    let text = std::fs::read_to_string(root.join("k8s/components/postgres/roles.sql")).unwrap();
    let (there, here) =
        ("/run/secrets/postgres-roles/", secrets.join("postgres-roles").display().to_string());
    assert!(text.contains(there));
    let file = scratch.path().join("roles.sql");
    std::fs::write(&file, text.replace(there, &format!("{here}/"))).unwrap();
    let psql = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file"];
    ran(Command::new("psql").arg(server.superuser_url()).args(psql).arg(&file)).await;

    let places = SERVICES.map(|migrations| {
        let url = |role: &str| server.url(&format!("{}_{role}", migrations.service), "postgres");
        let (service, schema) = (migrations.service, format!("?schema={}", migrations.service));
        let owner = format!("{}{schema}&grant_to={service}_service", url("owner"));
        Place { migrations, urls: ServiceUrls { owner, service: format!("{}{schema}", url("service")) } }
    });
    migrated(&places).await;
    nobody_reads_what_is_another_ones(&places).await;
    let all = eventlog::open_log(&server.superuser_url(), &eventlog::testing::NO_TABLES).await.unwrap();
    let sql = "SELECT count(*) AS n FROM pg_authid WHERE rolcanlogin AND rolpassword LIKE 'SCRAM-SHA-256$%'";
    let rows = all.query(sql, params![]).await.unwrap();
    assert_eq!(rows[0].get::<i64>("n").unwrap(), 10, "each of them has a password");
}

async fn ran(command: &mut Command) {
    let ended = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
