//! Whose turn it is when slots are free: campaigns take turns, within one the oldest order goes first.

use std::collections::HashMap;

use jiff::Timestamp;

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

/// The keys that get the `free` slots. `served` says when each campaign was last given one: the campaign that
/// has waited longest comes first, one that never had a slot before all others.
#[must_use]
pub fn pick(mut waiting: Vec<Waiting>, served: &HashMap<String, Timestamp>, free: usize) -> Vec<String> {
    waiting.sort_by(|a, b| (a.placed_at, &a.key).cmp(&(b.placed_at, &b.key)));
    let mut queues: Vec<(Option<Timestamp>, String, std::collections::VecDeque<Waiting>)> = Vec::new();
    for order in waiting {
        match queues.iter_mut().find(|(_, campaign, _)| *campaign == order.campaign_id) {
            Some((_, _, queue)) => queue.push_back(order),
            None => {
                let last = served.get(&order.campaign_id).copied();
                queues.push((last, order.campaign_id.clone(), [order].into()));
            }
        }
    }
    // Stable: campaigns that were served at the same time stay in the order of their oldest wish.
    queues.sort_by_key(|(last, _, _)| *last);
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
    fn no_slot_no_pick() {
        assert!(pick(vec![waiting("a", "a", 1)], &HashMap::new(), 0).is_empty());
    }
}
