//! A process that lacks what makes it safe, or what it needs to do its work at all, does not start; it says what is missing.

use std::{collections::BTreeMap, path::Path};

use crate::world::run_service;

/// What ends a process whose settings are wrong.
const USAGE: i32 = 64;
/// Nobody listens there: settings are looked at before anything is reached for.
const NOBODY: &str = "127.0.0.1:1";

/// What lets every service start as in production.
fn whole(scratch: &Path) -> BTreeMap<&'static str, String> {
    let secret = "a link secret that is long enough for all";
    BTreeMap::from([
        ("LISTEN", "0.0.0.0:0".to_owned()),
        ("API_AUTH_KEY", "a key of a caller".to_owned()),
        ("LINK_SECRET", secret.to_owned()),
        ("PUBLIC_BASE_URL", "https://film.example.org".to_owned()),
        ("DATABASE_URL", format!("postgres://film:strip@{NOBODY}/film")),
        ("NATS_URL", format!("nats://{NOBODY}")),
        ("BLOB_URL", "s3://film".to_owned()),
        ("S3_ENDPOINT", format!("http://{NOBODY}")),
        ("S3_ACCESS_KEY_ID", "film".to_owned()),
        ("S3_SECRET_ACCESS_KEY", "strip".to_owned()),
        ("XAI_API_KEY", "a key of the planner".to_owned()),
        ("REPLICATE_API_KEY", "a key of the provider".to_owned()),
        ("SCRATCH_DIR", scratch.display().to_string()),
        ("START_PATIENCE", "1s".to_owned()),
    ])
}

/// Exit code and standard error of a service that is started with nothing but these variables.
async fn started(service: &str, variables: &BTreeMap<&str, String>) -> (Option<i32>, String) {
    let told = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let ended = run_service(service, "serve", told).await;
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_key_or_secret_that_it_needs_refuses_to_start_and_says_which() {
    let missing: [(&str, &[(&str, &str)]); 6] = [
        ("gateway", &[("API_AUTH_KEY", "api_auth_key"), ("LINK_SECRET", "link_secret")]),
        ("asset", &[("DATABASE_URL", "database_url")]),
        ("job", &[("DATABASE_URL", "database_url"), ("XAI_API_KEY", "xai.api_key")]),
        ("render", &[("REPLICATE_API_KEY", "replicate.api_key"), ("LINK_SECRET", "link_secret")]),
        ("stitch", &[("DATABASE_URL", "database_url"), ("S3_SECRET_ACCESS_KEY", "s3.")]),
        ("audio", &[("REPLICATE_API_KEY", "replicate.api_key"), ("LINK_SECRET", "link_secret")]),
    ];
    let scratch = tempfile::tempdir().unwrap();
    let whole = whole(scratch.path());
    for (service, needs) in missing {
        let (code, told) = started(service, &whole).await;
        assert_eq!(code, Some(1), "{service} has all it needs, and nobody answers: {told}");
        for (variable, key) in needs {
            for none in [None, Some(String::new())] {
                let mut without = whole.clone();
                without.remove(variable);
                without.extend(none.map(|empty| (*variable, empty)));
                let (code, told) = started(service, &without).await;
                assert_eq!(code, Some(USAGE), "{service} without {variable}: {told}");
                let named = told.lines().any(|line| line.trim_start().starts_with(&format!("- {key}")));
                assert!(named, "{service} without {variable}: {told}");
            }
        }
    }
}
