//! Whose turn it is when slots are free: campaigns take turns, within one the oldest order goes first.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// How much longer than it has a campaign that comes (back) with a wish counts as having waited: it goes before those
/// that were served meanwhile, and cannot keep them waiting for longer, however many such campaigns come.
pub const HEAD_START: Duration = Duration::from_secs(10 * 60);

/// An order that wants a slot now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its key.
    pub key: String,
    /// Its campaign.
    pub campaign_id: String,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// The keys that get the `free` slots: the campaign that has waited longest comes first. It waits since it was last
/// given a slot, which `served` says, or since [`HEAD_START`] before its oldest wish, whichever is later.
#[must_use]
pub fn pick(mut waiting: Vec<Waiting>, served: &HashMap<String, Timestamp>, free: usize) -> Vec<String> {
    waiting.sort_by(|a, b| (a.placed_at, &a.key).cmp(&(b.placed_at, &b.key)));
    let head_start = SignedDuration::try_from(HEAD_START).unwrap_or(SignedDuration::ZERO);
    let mut queues: Vec<(Timestamp, String, std::collections::VecDeque<Waiting>)> = Vec::new();
    for order in waiting {
        match queues.iter_mut().find(|(_, campaign, _)| *campaign == order.campaign_id) {
            Some((_, _, queue)) => queue.push_back(order),
            None => {
                let came = order.placed_at.checked_sub(head_start).unwrap_or(Timestamp::MIN);
                let since = served.get(&order.campaign_id).map_or(came, |served| came.max(*served));
                queues.push((since, order.campaign_id.clone(), [order].into()));
            }
        }
    }
    // Stable: campaigns that wait since the same time stay in the order of their oldest wish.
    queues.sort_by_key(|(since, _, _)| *since);
    let mut picked = Vec::new();
    while picked.len() < free && !queues.is_empty() {
        for (_, _, queue) in &mut queues {
            if picked.len() == free {
                break;
            }
            picked.extend(queue.pop_front().map(|order| order.key));
        }
        queues.retain(|(_, _, queue)| !queue.is_empty());
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn waiting(key: &str, campaign: &str, second: i64) -> Waiting {
        Waiting { key: key.into(), campaign_id: campaign.into(), placed_at: at(second) }
    }

    #[test]
    fn a_small_campaign_behind_a_huge_one_gets_the_next_slot() {
        let mut orders: Vec<_> = (0..500).map(|n| waiting(&format!("big-{n:03}"), "big", n)).collect();
        orders.push(waiting("small", "small", 1000));
        let served = HashMap::from([("big".to_owned(), at(2000))]);
        assert_eq!(pick(orders, &served, 1), ["small"]);
    }

    #[test]
    fn campaigns_take_turns_and_the_oldest_goes_first_within_one() {
        let orders = vec![
            waiting("a2", "a", 2),
            waiting("a1", "a", 1),
            waiting("a3", "a", 3),
            waiting("b1", "b", 4),
            waiting("b2", "b", 5),
        ];
        let served = HashMap::from([("b".to_owned(), at(9)), ("a".to_owned(), at(8))]);
        assert_eq!(pick(orders, &served, 4), ["a1", "b1", "a2", "b2"]);
    }

    #[test]
    fn newcomers_go_first_for_as_long_as_their_head_start_and_then_it_is_the_old_ones_turn() {
        let served = HashMap::from([("old".to_owned(), at(1000))]);
        let head_start = i64::try_from(HEAD_START.as_secs()).unwrap();
        let at_once = vec![waiting("old", "old", 900), waiting("new", "new", 1000 + head_start - 1)];
        assert_eq!(pick(at_once, &served, 1), ["new"]);
        let later = vec![waiting("old", "old", 900), waiting("new", "new", 1000 + head_start + 1)];
        assert_eq!(pick(later, &served, 1), ["old"], "new ones could come for ever");
    }

    #[test]
    fn no_slot_no_pick() {
        assert!(pick(vec![waiting("a", "a", 1)], &HashMap::new(), 0).is_empty());
    }
}
