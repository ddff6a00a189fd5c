//! The six programs as whoever deploys them sees them, all in the same way.

use std::{path::PathBuf, process::Output, time::Duration};

use stack::Service;
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_mins(1);

/// A program of the project, where this test's own ones are.
fn program(service: Service) -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_filmstrip-up")).with_file_name(service.program())
}

/// Runs it with nothing but these variables.
async fn run(
    service: Service,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let mut command = Command::new(program(service));
    command.env_clear().envs(variables.iter().copied()).args(arguments).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends");
    let Output { status, stdout, stderr } = ended.unwrap_or_else(|error| panic!("{service}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

#[tokio::test]
async fn what_cannot_be_used_is_told_all_at_once_with_exit_code_64() {
    let wrong = [("LISTEN", "here"), ("STOP_GRACE", "soon"), ("LOG_FORMAT", "verse")];
    for service in Service::ALL {
        let (code, said, told) = run(service, &wrong, &["serve"]).await;
        assert_eq!((code, said.as_str()), (Some(64), ""), "{service}: {told}");
        for key in ["listen", "stop.grace", "log.format"] {
            assert!(told.contains(&format!("- {key} (")), "{service}, {key}: {told}");
        }
        let needed = if service == Service::Gateway { "link_secret" } else { "database_url" };
        assert!(told.contains(&format!("- {needed} (")), "{service}: {told}");
        for usage in [&[][..], &["dance"], &["config"]] {
            assert_eq!(run(service, &[], usage).await.0, Some(64), "{service} {usage:?}");
        }
    }
}

#[tokio::test]
async fn what_is_in_force_is_shown_without_its_secrets() {
    let secrets = [
        ("DATABASE_URL", "postgres://a:hunter2@b/c"),
        ("NATS_URL", "nats://n:hunter2@h"),
        ("LINK_SECRET", "hunter2-hunter2-hunter2-hunter2-hunter2"),
        ("API_AUTH_KEY", "hunter2"),
        ("REPLICATE_API_KEY", "hunter2"),
        ("S3_SECRET_ACCESS_KEY", "hunter2"),
        ("S3_ACCESS_KEY_ID", "films"),
        ("BLOB_URL", "s3://films"),
        ("XAI_API_KEY", "hunter2"),
    ];
    for service in Service::ALL {
        let (code, shown, told) = run(service, &secrets, &["config", "--dump"]).await;
        assert_eq!((code, told.as_str()), (Some(0), ""), "{service}");
        let secret = if service == Service::Gateway { "link_secret" } else { "database_url" };
        assert!(shown.contains(&format!("{secret} = \"***\"")), "{service}: {shown}");
        assert!(!shown.contains("hunter2"), "{service}: {shown}");
        let defaults: toml::Table = shown.parse().unwrap_or_else(|error| panic!("{service}: {error}"));
        assert!(defaults.contains_key("listen") && defaults.contains_key("stop"), "{service}: {shown}");
    }
}

#[tokio::test]
async fn where_nothing_answers_nobody_is_well() {
    for service in Service::ALL {
        let (code, _, told) = run(service, &[("LISTEN", "127.0.0.1:1")], &["healthcheck"]).await;
        assert!(code == Some(1) && told.contains("nothing answers at 127.0.0.1:1"), "{service}: {told}");
    }
}
