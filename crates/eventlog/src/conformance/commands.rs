//! Rules of idempotency keys.

use futures::future::join_all;

use super::{Backend, one, open, versions};
use crate::{AppendError, CommandRecord, Expected, command_reply};

fn command(digest: &str, reply: &[u8]) -> CommandRecord {
    CommandRecord { id: "key-1".into(), digest: digest.into(), reply: reply.to_vec() }
}

/// Not the reply that the repetition would have given.
pub async fn a_repeated_command_gets_its_first_reply(backend: &dyn Backend) {
    let log = open(backend).await;
    assert_eq!(command_reply(&log, "key-1").await.unwrap(), None);
    let first = command("digest", &[0, 1, 255]);
    log.append(one("a").expecting(Expected::NoStream).command(first.clone())).await.unwrap();
    assert_eq!(command_reply(&log, "key-1").await.unwrap(), Some(first));
    // The command is looked at first: its repetition usually conflicts as well.
    let again = one("a").expecting(Expected::NoStream).command(command("digest", b"other"));
    let error = log.append(again).await.unwrap_err();
    assert!(matches!(&error, AppendError::Repeated(reply) if reply == &[0, 1, 255]), "{error}");
    assert_eq!(versions(&log, "a").await, [1]);
}

/// It is another command.
pub async fn a_command_id_with_another_digest_is_refused(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").command(command("digest", b"reply"))).await.unwrap();
    let error = log.append(one("b").command(command("another", b"reply"))).await.unwrap_err();
    assert!(matches!(error, AppendError::Reused), "{error}");
    assert!(versions(&log, "b").await.is_empty());
}

/// Even inside one commit.
pub async fn a_command_sent_twice_at_once_is_carried_out_once(backend: &dyn Backend) {
    let log = open(backend).await;
    let sent = (0..8_u8).map(|number| log.append(one("a").command(command("digest", &[number]))));
    let outcomes = join_all(sent).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let kept = command_reply(&log, "key-1").await.unwrap().unwrap().reply;
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert!(matches!(&error, AppendError::Repeated(reply) if *reply == kept), "{error}");
    }
    assert_eq!(versions(&log, "a").await, [1]);
}

/// So that the command can be decided again.
pub async fn a_refused_append_records_no_command(backend: &dyn Backend) {
    let log = open(backend).await;
    let stale = one("a").expecting(Expected::Version(3)).command(command("digest", b"reply"));
    log.append(stale).await.unwrap_err();
    assert_eq!(command_reply(&log, "key-1").await.unwrap(), None);
}
