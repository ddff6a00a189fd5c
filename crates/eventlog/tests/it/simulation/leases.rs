//! Leases under owners that claim, renew, release, write, die, come back and are paused, with words that arrive late, in
//! any order or never, and a database clock that is set now and then. The rules are the SQL that services run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use eventlog::{
    Append, Lease, Log, NewEvent, lease,
    testing::{Dice, NO_TABLES, each_seed, simulated_log},
};
use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

const NAME: &str = "work";
const TTL: Duration = Duration::from_secs(10);
const STEPS: usize = 70;

/// What an owner asks of the database.
#[derive(Clone, Debug)]
enum Word {
    Claim,
    Renew(Lease),
    Release(Lease),
    Write(Lease),
}

struct Owner {
    name: String,
    held: Option<Lease>,
}

/// A word under way.
struct Sent {
    owner: usize,
    /// The owner as it was called then; one that came back does not hear the answer.
    name: String,
    word: Word,
}

/// What is known of the latest grant, by what the database itself said.
struct Granted {
    owner: String,
    fence: i64,
    /// When it runs out unless it is renewed.
    until: i64,
    released: bool,
}

struct World {
    log: Log,
    now: Arc<AtomicI64>,
    dice: Dice,
    owners: Vec<Owner>,
    sent: Vec<Sent>,
    granted: Option<Granted>,
    lives: usize,
}

fn ttl() -> i64 {
    i64::try_from(TTL.as_millis()).unwrap()
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Arc::new(AtomicI64::new(1_700_000_000_000));
        let clock = now.clone();
        let log = simulated_log(&NO_TABLES, move || clock.load(Ordering::Relaxed));
        let mut dice = Dice::new(seed);
        let owners = (0..dice.inclusive(2, 4)).map(|n| Owner { name: format!("owner-{n}"), held: None });
        let owners = owners.collect();
        Self { log, now, dice, owners, sent: Vec::new(), granted: None, lives: 0 }
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn pass(&mut self, least: i64, most: i64) {
        self.now.fetch_add(self.dice.between(least, most), Ordering::Relaxed);
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=3 => self.pass(0, ttl() / 2),
            // A pause of everybody, about as long as a lease.
            4 => self.pass(ttl() - 1, ttl() + 1),
            // The clock is set.
            5 => self.pass(-ttl(), ttl()),
            6 => self.die(),
            7..=12 => self.say(),
            _ => self.arrive(),
        }
    }

    /// An owner is gone with all that it knew, and is back, under its own name or another.
    fn die(&mut self) {
        let n = self.dice.below(self.owners.len() as u64) as usize;
        self.owners[n].held = None;
        if self.dice.chance(60) {
            self.lives += 1;
            self.owners[n].name = format!("owner-{n}-{}", self.lives);
        }
        // Some of what it had said is lost with it.
        if self.dice.chance(50) {
            self.sent.retain(|sent| sent.owner != n);
        }
    }

    fn say(&mut self) {
        let n = self.dice.below(self.owners.len() as u64) as usize;
        let word = match &self.owners[n].held {
            None => Word::Claim,
            Some(held) => match self.dice.below(8) {
                0 => Word::Claim,
                1 => Word::Release(held.clone()),
                2..=4 => Word::Renew(held.clone()),
                _ => Word::Write(held.clone()),
            },
        };
        self.sent.push(Sent { owner: n, name: self.owners[n].name.clone(), word });
    }

    /// Any word that is under way arrives; some arrive twice, some answers are lost.
    fn arrive(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let n = self.dice.below(self.sent.len() as u64) as usize;
        let Sent { owner, name, word } = self.sent.swap_remove(n);
        let answer = self.carry_out(&name, &word);
        if matches!(word, Word::Renew(_) | Word::Write(_)) && self.dice.chance(10) {
            self.sent.push(Sent { owner, name: name.clone(), word });
        }
        let heard = self.owners[owner].name == name && !self.dice.chance(15);
        if let (true, Some(held)) = (heard, answer) {
            self.owners[owner].held = held;
        }
    }

    /// What the database does, held against what it said before; what the owner holds afterwards, if that changes.
    fn carry_out(&mut self, owner: &str, word: &Word) -> Option<Option<Lease>> {
        let now = self.now();
        match word {
            Word::Claim => {
                let claimed = lease::claim(&self.log, NAME, owner, TTL).now_or_never().unwrap().unwrap();
                self.claimed(owner, now, claimed.as_ref());
                Some(claimed)
            }
            Word::Renew(lease) => {
                let renewed = lease::renew(&self.log, lease, TTL).now_or_never().unwrap().unwrap();
                assert_eq!(renewed, self.is_latest(lease), "renewed: {lease:?}");
                if let (true, Some(granted)) = (renewed, &mut self.granted) {
                    granted.until = now + ttl();
                }
                (!renewed).then_some(None)
            }
            Word::Release(lease) => {
                let released = lease::release(&self.log, lease).now_or_never().unwrap().unwrap();
                assert_eq!(released, self.is_latest(lease), "released: {lease:?}");
                if let (true, Some(granted)) = (released, &mut self.granted) {
                    granted.released = true;
                }
                Some(None)
            }
            Word::Write(lease) => {
                let event = NewEvent::new(Uuid::now_v7(), "Done", json!(lease.fence), Timestamp::UNIX_EPOCH);
                let write = Append::to("s").event(event).statement(lease.guard());
                let written = self.log.append(write).now_or_never().unwrap();
                assert_eq!(written.is_ok(), self.is_latest(lease), "written: {lease:?}, {written:?}");
                written.is_err().then_some(None)
            }
        }
    }

    fn is_latest(&self, lease: &Lease) -> bool {
        self.granted.as_ref().is_some_and(|granted| granted.fence == lease.fence && !granted.released)
    }

    fn claimed(&mut self, owner: &str, now: i64, claimed: Option<&Lease>) {
        let free = self
            .granted
            .as_ref()
            .is_none_or(|granted| granted.released || granted.until <= now || granted.owner == owner);
        assert_eq!(claimed.is_some(), free, "{owner} claims at {now}: {claimed:?}");
        let Some(lease) = claimed else { return };
        let before = self.granted.as_ref().map_or(0, |granted| granted.fence);
        assert!(lease.fence > before, "{} does not follow {before}", lease.fence);
        let (owner, fence) = (owner.to_owned(), lease.fence);
        self.granted = Some(Granted { owner, fence, until: now + ttl(), released: false });
    }

    /// Whoever holds it dies: another has it after its length, and not before.
    fn end(&mut self) {
        self.sent.clear();
        let heir = "heir";
        let runs_out = self.granted.as_ref().filter(|granted| !granted.released).map(|granted| granted.until);
        let left = runs_out.map_or(0, |until| until - self.now());
        if left > 0 {
            self.pass(left - 1, left - 1);
            assert_eq!(self.carry_out(heir, &Word::Claim), Some(None), "taken too early");
            self.pass(1, 1);
        }
        let taken = self.carry_out(heir, &Word::Claim).flatten();
        let lease = taken.expect("a dead owner's lease is taken");
        self.carry_out(heir, &Word::Write(lease));
    }

    /// Who wrote under which fence: the numbers never go back.
    fn check_the_log(&self) {
        let events = self.log.read_all(0, 1000).now_or_never().unwrap().unwrap();
        let fences: Vec<i64> = events.iter().map(|event| event.data.read().unwrap()).collect();
        assert!(fences.is_sorted(), "{fences:?}");
    }
}

#[test]
fn no_two_owners_write_under_one_lease_and_a_dead_owners_lease_is_taken_within_its_length() {
    each_seed(2000, |seed| {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.end();
        world.check_the_log();
    });
}
