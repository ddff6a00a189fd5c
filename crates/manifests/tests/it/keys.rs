//! `deploy/keys.sh` makes every secret that a stack with stand-in providers needs, once.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use manifests::{compose, render::kept};
use serde_json::Value;

use crate::root;

/// Only the real providers' keys are brought by whoever has them.
const BROUGHT: [&str; 2] = ["xai", "replicate"];

/// Whether it went well, and what it said against it.
fn try_keys(into: &Path) -> (bool, String) {
    let done = Command::new("sh").arg(root().join("deploy/keys.sh")).arg(into).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

fn make_keys(into: &Path) {
    let (went_well, words) = try_keys(into);
    assert!(went_well, "{words}");
}

/// Every text in a document.
fn texts<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(all) => all.iter().for_each(|one| texts(one, into)),
        Value::Object(all) => all.values().for_each(|one| texts(one, into)),
        _ => {}
    }
}

#[test]
fn the_files_that_manifests_and_compose_name_are_made() {
    let scratch = tempfile::tempdir().unwrap();
    make_keys(scratch.path());
    let overlay = kept(&root(), "dev").unwrap();
    let mut needed = BTreeSet::new();
    for workload in overlay.workloads() {
        let volumes = workload.pod()["volumes"].as_array().unwrap();
        let mounts = workload.containers()[0]["volumeMounts"].as_array().unwrap();
        let mut named = Vec::new();
        texts(&workload.containers()[0], &mut named);
        for volume in volumes.iter().filter(|volume| !volume["secret"].is_null()) {
            let secret = volume["secret"]["secretName"].as_str().unwrap();
            let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).unwrap();
            let below = format!("{}/", mount["mountPath"].as_str().unwrap());
            let keys = named.iter().filter_map(|text| text.strip_prefix(&below));
            needed.extend(keys.map(|key| format!("{secret}/{key}")));
            assert!(scratch.path().join(secret).is_dir(), "{secret}");
        }
    }
    assert!(needed.len() > 12, "{needed:?}");
    for file in needed {
        assert!(scratch.path().join(&file).is_file(), "{file} is not made");
    }
    let stack = compose::read(&root()).unwrap();
    for service in compose::services(&stack) {
        for (source, ..) in service.binds() {
            let Some(secret) = source.strip_prefix(compose::SECRETS) else { continue };
            assert!(
                BROUGHT.contains(&secret) || scratch.path().join(secret).is_dir(),
                "{secret} is not made"
            );
        }
    }
    assert!(scratch.path().join("s3.env").is_file());
}

#[test]
fn what_is_there_is_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    make_keys(scratch.path());
    let key = scratch.path().join("gateway-api/api_auth_key");
    let first = fs::read_to_string(&key).unwrap();
    assert_eq!(first.len(), 64);
    make_keys(scratch.path());
    assert_eq!(fs::read_to_string(&key).unwrap(), first);
}

#[test]
fn urls_hold_the_passwords_of_their_roles() {
    let scratch = tempfile::tempdir().unwrap();
    make_keys(scratch.path());
    let read = |file: &str| fs::read_to_string(scratch.path().join(file)).unwrap();
    let owner = read("job-database-owner/database_url");
    assert!(owner.contains(&read("postgres-roles/job_owner")) && owner.ends_with("grant_to=job_service"));
    let service = read("job-database/database_url");
    assert!(service.contains(&read("postgres-roles/job_service")) && service.ends_with("schema=job"));
    let nats = read("nats-client/nats_url");
    let password = nats.strip_prefix("nats://filmstrip:").unwrap().split('@').next().unwrap();
    assert!(read("nats-server/auth.conf").contains(password));
}

#[test]
fn nobody_else_gets_into_a_directory_that_was_open() {
    let scratch = tempfile::tempdir().unwrap();
    let open = scratch.path().join("secrets");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    make_keys(&open);
    assert_eq!(fs::metadata(&open).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_password_that_one_of_two_files_has_is_never_drawn_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |file: &str| scratch.path().join(file);
    let read = |file: &str| fs::read_to_string(at(file)).unwrap();
    make_keys(scratch.path());
    let server = read("nats-server/auth.conf");
    // The server's file is made from the clients' again.
    fs::remove_file(at("nats-server/auth.conf")).unwrap();
    make_keys(scratch.path());
    assert_eq!(read("nats-server/auth.conf"), server);
    // What was made stays when that which it was made from has gone, and nothing is drawn.
    for (made, from) in [
        ("nats-server/auth.conf", "nats-client/nats_url"),
        ("job-database/database_url", "postgres-roles/job_service"),
        ("job-database-owner/database_url", "postgres-roles/job_owner"),
        ("s3.env", "object-store/secret_access_key"),
    ] {
        let (before, source) = (read(made), read(from));
        fs::remove_file(at(from)).unwrap();
        let (went_well, words) = try_keys(scratch.path());
        assert!(!went_well && words.contains(from), "{words}");
        assert!(!at(from).exists());
        assert_eq!(read(made), before);
        fs::write(at(from), source).unwrap();
    }
}
