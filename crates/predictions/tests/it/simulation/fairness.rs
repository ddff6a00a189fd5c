//! Fairness: a small campaign behind a huge one starts within one slot's time (the engine, some hundreds of seeds), and
//! nobody is kept waiting for ever, however orders come (the rule alone, thousands).

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use eventlog::testing::{Dice, each_seed};
use jiff::{SignedDuration, Timestamp};
use predictions::fair::{HEAD_START, Waiting, pick};

use super::world::{Event, Scene, World, simulate};

async fn a_small_one_behind_a_huge_one(mut world: World) {
    let limit = world.scene.limit as usize;
    for n in 0..(5 * limit) {
        world.at(Duration::ZERO, Event::Place { key: format!("huge-{n:03}"), campaign: "huge".into() });
    }
    // When all slots are in use.
    let placed = world.dice.millis(2_000, 4_000);
    let small = world.dice.inclusive(1, 3);
    for n in 0..small {
        world.at(placed, Event::Place { key: format!("small-{n}"), campaign: "small".into() });
    }
    // That it is over is noticed at the next look after the provider tells so; the look and the call that starts the
    // next are each as slow as the weather, there and back.
    let weather = world.scene.weather;
    let slot = weather.lasts.1
        + weather.lag
        + world.scene.policy.poll_most
        + weather.slow * 4
        + Duration::from_secs(2);
    world.run_until(placed + slot).await;
    let books = world.account.books.lock();
    // Which of them arrives first the line decides.
    let started = books.creates.iter().find(|(_, order)| order.starts_with("small"));
    let (started, _) = started.expect("it starts within one slot's time");
    let between = |order: &str, at: &Duration| order.starts_with("huge") && *at > placed && at < started;
    let before = books.creates.iter().filter(|(at, order)| between(order, at)).count();
    // Those that had their turn already and were about to start.
    assert!(before <= limit, "{before} of the huge one went first, slots are {limit}");
    assert_eq!(books.most_in_flight, limit, "the slots were in use");
}

#[test]
fn a_small_campaign_behind_a_huge_one_starts_within_one_slots_time() {
    each_seed(200, |seed| {
        let scene =
            Scene { limit: 2 + (seed % 4) as u32, replicas: 1 + (seed % 2) as usize, ..Scene::new(seed) };
        simulate(scene, a_small_one_behind_a_huge_one);
    });
}

/// One wish after another for slots that become free at any time, and what the rule makes of them.
struct Queue {
    now: Timestamp,
    dice: Dice,
    waiting: Vec<Waiting>,
    served: HashMap<String, Timestamp>,
    /// For each campaign that waits: before when it must be served, unless as many others are still before it.
    promised: BTreeMap<String, (Timestamp, Option<usize>)>,
    made: usize,
}

impl Queue {
    fn campaigns(&self) -> usize {
        let mut campaigns: Vec<&str> = self.waiting.iter().map(|order| order.campaign_id.as_str()).collect();
        campaigns.sort_unstable();
        campaigns.dedup();
        campaigns.len()
    }

    fn come(&mut self, campaign: String) {
        let key = format!("o{:05}", self.made);
        self.made += 1;
        self.promised.entry(campaign.clone()).or_insert((self.now, None));
        self.waiting.push(Waiting { key, campaign_id: campaign, placed_at: self.now });
    }

    /// A slot becomes free.
    fn serve(&mut self) {
        let picked = pick(self.waiting.clone(), &self.served, 1);
        let Some(key) = picked.first() else { return assert!(self.waiting.is_empty(), "a slot stays free") };
        let at = self.waiting.iter().position(|order| order.key == *key).unwrap();
        let order = self.waiting.remove(at);
        let older = self.waiting.iter().any(|other| {
            other.campaign_id == order.campaign_id
                && (other.placed_at, &other.key) < (order.placed_at, &order.key)
        });
        assert!(!older, "within a campaign the oldest goes first");
        self.served.insert(order.campaign_id.clone(), self.now);
        self.promised.remove(&order.campaign_id);
        if self.waiting.iter().any(|other| other.campaign_id == order.campaign_id) {
            self.promised.insert(order.campaign_id, (self.now, None));
        }
        self.keep_promises();
    }

    /// Once the head start of those that come is used up, everybody who waits at that time goes before a campaign at
    /// most once.
    fn keep_promises(&mut self) {
        let head_start = SignedDuration::try_from(HEAD_START).unwrap();
        let (now, campaigns) = (self.now, self.campaigns());
        for (campaign, (since, left)) in &mut self.promised {
            if now.duration_since(*since) <= head_start {
                continue;
            }
            let left = left.get_or_insert(campaigns + 1);
            *left =
                left.checked_sub(1).unwrap_or_else(|| panic!("{campaign} waits since {since}, it is {now}"));
        }
    }
}

#[test]
fn nobody_is_kept_waiting_for_ever_however_orders_come() {
    each_seed(2000, |seed| {
        let mut dice = Dice::new(seed);
        // How often somebody comes who never came before: also all the time.
        let (newcomers, comes) = (dice.below(101) as u32, dice.inclusive(20, 70) as u32);
        let mut queue = Queue {
            now: Timestamp::from_second(1_000_000).unwrap(),
            dice,
            waiting: Vec::new(),
            served: HashMap::new(),
            promised: BTreeMap::new(),
            made: 0,
        };
        for n in 0..40 {
            queue.come(format!("c{}", n % 3));
        }
        for step in 0..220 {
            queue.now += SignedDuration::from_secs(queue.dice.inclusive(1, 60) as i64);
            if queue.dice.chance(comes) {
                let new = queue.dice.chance(newcomers);
                let campaign = if new { format!("new-{step}") } else { format!("c{}", queue.dice.below(5)) };
                queue.come(campaign);
            } else {
                queue.serve();
            }
        }
    });
}
