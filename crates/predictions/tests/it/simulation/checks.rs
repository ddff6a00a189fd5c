//! What must hold when everything is over.

use std::collections::{HashMap, HashSet};

use predictions::{FailureClass, OrderState, Outcome};

use super::world::World;

impl World {
    /// Every order has ended for a reason that the provider's books bear out; each was charged at most once; nothing
    /// that was made is unknown to us, no slot is taken.
    pub(super) async fn check_the_books(&self) {
        let sql = "SELECT order_key FROM prediction_attempt WHERE over_at IS NULL";
        let open = self.log.query(sql, eventlog::params![]).await.unwrap();
        assert!(open.is_empty(), "{} slots leaked", open.len());
        let states = self.states_by_key().await;
        let known = self.known_predictions().await;
        let books = self.account.books.lock();
        assert!(books.violations.is_empty(), "{:?}", books.violations);
        for made in &books.made {
            let state = &states[&made.order];
            let unknown = matches!(&state.outcome, Some(Outcome::Failed(failure)) if failure.class == FailureClass::Unknown);
            assert!(
                unknown || known.contains(&made.id),
                "{} of {} is forgotten: {state:#?}",
                made.id,
                made.order
            );
        }
        for (key, state) in &states {
            let of_it = || books.made.iter().filter(|made| made.order == *key);
            let charged: Vec<&str> =
                of_it().filter(|made| made.is_charged()).map(|made| made.id.as_str()).collect();
            assert!(charged.len() <= 1, "{key} is charged for {charged:?}: {state:#?}");
            match state.outcome.as_ref().unwrap() {
                Outcome::Delivered { prediction_id, .. } => assert_eq!(charged, [prediction_id], "{key}"),
                Outcome::Canceled { .. } => assert!(state.cancel.is_some(), "{key}: {state:#?}"),
                Outcome::Failed(failure) => match failure.class {
                    FailureClass::Unavailable => {
                        let lost = books.losses.get(key).copied().unwrap_or_default();
                        let most = self.scene.policy.max_lost as usize;
                        assert!(lost >= most, "{key} gives up after {lost} losses: {state:#?}");
                    }
                    FailureClass::Provider => {
                        let failed = of_it().filter(|made| made.has_failed()).count();
                        let most = self.scene.policy.max_attempts as usize;
                        assert!(failed >= most, "{key} gives up after {failed} failures: {state:#?}");
                    }
                    FailureClass::Unknown if self.scene.forgetful => {}
                    _ => panic!("{key} fails: {state:#?}"),
                },
            }
        }
    }

    async fn states_by_key(&self) -> HashMap<String, OrderState> {
        let rows =
            self.log.query("SELECT key, state FROM prediction_order", eventlog::params![]).await.unwrap();
        let state = |text: String| serde_json::from_str::<OrderState>(&text).unwrap();
        rows.iter().map(|row| (row.get("key").unwrap(), state(row.get("state").unwrap()))).collect()
    }

    async fn known_predictions(&self) -> HashSet<String> {
        let sql = "SELECT prediction_id FROM prediction_attempt WHERE prediction_id IS NOT NULL";
        let rows = self.log.query(sql, eventlog::params![]).await.unwrap();
        rows.iter().map(|row| row.get("prediction_id").unwrap()).collect()
    }
}
