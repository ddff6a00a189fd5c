//! Rules of checkpoints and leases.

use std::time::Duration;

use super::{Backend, one, open, versions};
use crate::{AppendError, Expected, checkpoint, lease};

const LONG: Duration = Duration::from_secs(3600);

/// The last one saved; 0 before the first.
pub async fn a_checkpoint_is_kept(backend: &dyn Backend) {
    let log = open(backend).await;
    assert_eq!(checkpoint::load(&log, "reader").await.unwrap(), 0);
    checkpoint::save(&log, "reader", 7).await.unwrap();
    checkpoint::save(&log, "other", 1).await.unwrap();
    checkpoint::save(&log, "reader", 9).await.unwrap();
    drop(log);
    let log = open(backend).await;
    assert_eq!(checkpoint::load(&log, "reader").await.unwrap(), 9);
}

/// And not without it.
pub async fn a_checkpoint_is_stored_with_its_append(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").statement(checkpoint::statement("reader", 5))).await.unwrap();
    let stale = one("a").expecting(Expected::NoStream).statement(checkpoint::statement("reader", 6));
    log.append(stale).await.unwrap_err();
    assert_eq!(checkpoint::load(&log, "reader").await.unwrap(), 5);
}

/// Of many that claim at once, one gets it.
pub async fn a_lease_is_held_by_one_owner(backend: &dyn Backend) {
    let log = open(backend).await;
    let owners: Vec<_> = (0..8).map(|number| format!("owner-{number}")).collect();
    let claims = owners.iter().map(|owner| lease::claim(&log, "work", owner, LONG));
    let claims: Vec<_> = futures::future::join_all(claims).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(claims.iter().flatten().count(), 1);
    assert_eq!(claims.iter().flatten().next().unwrap().fence, 1);
    assert!(lease::claim(&log, "other work", "owner-0", LONG).await.unwrap().is_some());
}

/// By the database's clock.
pub async fn a_lease_expires_and_its_fence_grows(backend: &dyn Backend) {
    let log = open(backend).await;
    let first = lease::claim(&log, "work", "a", Duration::ZERO).await.unwrap().unwrap();
    let second = lease::claim(&log, "work", "b", LONG).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(lease::claim(&log, "work", "a", LONG).await.unwrap(), None);
    assert!(!lease::renew(&log, &first, LONG).await.unwrap());
    assert!(!lease::release(&log, &first).await.unwrap());
    assert!(lease::renew(&log, &second, LONG).await.unwrap());
}

/// After a restart it need not wait for itself, but what it did before is over.
pub async fn an_owner_may_claim_again(backend: &dyn Backend) {
    let log = open(backend).await;
    let before = lease::claim(&log, "work", "a", LONG).await.unwrap().unwrap();
    let after = lease::claim(&log, "work", "a", LONG).await.unwrap().unwrap();
    assert!(after.fence > before.fence);
    assert!(!lease::renew(&log, &before, LONG).await.unwrap());
}

/// Nothing of it is stored.
pub async fn a_stale_fence_refuses_the_write(backend: &dyn Backend) {
    let log = open(backend).await;
    let old = lease::claim(&log, "work", "a", Duration::ZERO).await.unwrap().unwrap();
    // Its time is up, but nobody else has claimed it: its writes still count.
    log.append(one("s").statement(old.guard())).await.unwrap();
    let new = lease::claim(&log, "work", "b", LONG).await.unwrap().unwrap();
    let error = log.append(one("s").statement(old.guard())).await.unwrap_err();
    assert!(matches!(error, AppendError::Constraint(_)), "{error}");
    log.append(one("s").statement(new.guard())).await.unwrap();
    assert_eq!(versions(&log, "s").await, [1, 2]);
}

/// And its former owner cannot write under it any more.
pub async fn a_released_lease_is_free_at_once(backend: &dyn Backend) {
    let log = open(backend).await;
    let first = lease::claim(&log, "work", "a", LONG).await.unwrap().unwrap();
    assert!(lease::release(&log, &first).await.unwrap());
    log.append(one("s").statement(first.guard())).await.unwrap_err();
    assert!(!lease::renew(&log, &first, LONG).await.unwrap());
    let second = lease::claim(&log, "work", "b", LONG).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
}

/// Or neither is stored: somebody else holds it, or the last claim was another one.
pub async fn a_lease_may_be_claimed_within_an_append(backend: &dyn Backend) {
    let log = open(backend).await;
    let (first, claim) = lease::claiming(&log, "work", "a", LONG, 0);
    log.append(one("s").statement(claim.clone())).await.unwrap();
    log.append(one("s").statement(first.guard())).await.unwrap();
    let again = lease::claiming(&log, "work", "a", LONG, 0).1;
    let others = lease::claiming(&log, "work", "b", LONG, first.fence).1;
    for refused in [again, others] {
        let error = log.append(one("s").statement(refused)).await.unwrap_err();
        assert!(matches!(error, AppendError::Constraint(_)), "{error}");
    }
    assert!(lease::renew(&log, &first, LONG).await.unwrap());
    assert!(lease::release(&log, &first).await.unwrap());
    let (second, claim) = lease::claiming(&log, "work", "b", LONG, first.fence);
    log.append(one("s").statement(claim)).await.unwrap();
    assert_eq!(second.fence, first.fence + 1);
    log.append(one("s").statement(first.guard())).await.unwrap_err();
    log.append(one("s").statement(second.guard())).await.unwrap();
    assert_eq!(versions(&log, "s").await, [1, 2, 3, 4]);
}

/// What is under way under it goes on.
pub async fn a_renewed_lease_keeps_its_fence(backend: &dyn Backend) {
    let log = open(backend).await;
    let held = lease::claim(&log, "work", "a", Duration::ZERO).await.unwrap().unwrap();
    assert!(lease::renew(&log, &held, LONG).await.unwrap());
    assert_eq!(lease::claim(&log, "work", "b", LONG).await.unwrap(), None);
    log.append(one("s").statement(held.guard())).await.unwrap();
}

/// Those whose time is up and those that were given back are not.
pub async fn held_leases_are_counted_by_their_kind(backend: &dyn Backend) {
    let log = open(backend).await;
    assert_eq!(lease::held(&log).await.unwrap(), []);
    for name in ["runner/job-1", "runner/job-2", "relay/job", "buying"] {
        lease::claim(&log, name, "a", LONG).await.unwrap().unwrap();
    }
    lease::claim(&log, "runner/job-3", "a", Duration::ZERO).await.unwrap().unwrap();
    let back = lease::claim(&log, "cut/1", "a", LONG).await.unwrap().unwrap();
    assert!(lease::release(&log, &back).await.unwrap());
    let counted = [("buying", 1), ("relay", 1), ("runner", 2)].map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(lease::held(&log).await.unwrap(), counted);
}
