//! Whether a failure only says that the database is away.

use std::{error::Error, sync::Arc};

use crate::{AppendError, LogError, postgres};

type Shared = Arc<dyn Error + Send + Sync>;

/// Whether a cause of this error is that the database cannot be reached or that its connection was lost, so that the
/// same may work later. A write may be stored all the same; repeated under its ids it is stored once.
#[must_use]
pub fn is_away(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shared = error.downcast_ref::<Shared>().is_some_and(|error| postgres::is_lost(error.as_ref()));
        if shared || postgres::is_lost(error) || is_closed(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The log is closed when its process is about to end; another replica has it open.
fn is_closed(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(LogError::Closed))
        || matches!(error.downcast_ref(), Some(AppendError::Log(LogError::Closed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error(transparent)]
        Log(#[from] LogError),
        #[error("appending")]
        Append(#[source] AppendError),
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_reached_is_away_however_its_error_is_wrapped() {
        let scratch = tempfile::tempdir().unwrap();
        let socket = scratch.path().display().to_string().replace('/', "%2F");
        let migrations = crate::testing::NO_TABLES;
        let opened = crate::open_checked(&format!("postgres://a@{socket}/a"), &migrations).await;
        let error = opened.unwrap_err();
        assert!(is_away(&error), "{error:?}");
        assert!(is_away(&Outer::Log(error.clone())));
        assert!(is_away(&Outer::Append(AppendError::Log(error))));
    }

    #[test]
    fn what_is_wrong_with_the_request_or_the_tables_is_not_away() {
        let column = LogError::column("name", "is no text");
        assert!(!is_away(&column) && !is_away(&Outer::Append(AppendError::Log(column))));
        assert!(!is_away(&LogError::database("running `SELECT 1`", "no such table")));
        assert!(!is_away(&AppendError::Reused));
    }

    #[test]
    fn a_closed_log_is_another_replicas_to_answer_for() {
        assert!(is_away(&LogError::Closed) && is_away(&AppendError::Log(LogError::Closed)));
    }
}
