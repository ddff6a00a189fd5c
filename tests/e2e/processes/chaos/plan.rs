//! What is disturbed when: a sequence drawn from a seed, without a clock or a process.

use std::time::Duration;

use stack::{Ending, Server, Service};

use crate::world::Moments;

/// Something that a cluster does to those who live in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disturbance {
    /// SIGKILL of one of the replicas that run; another one takes its place after `down`.
    Kill { service: Service, which: usize, down: Duration },
    /// One of the replicas stands still (SIGSTOP) for `time` and does not know it.
    Pause { service: Service, which: usize, time: Duration },
    /// A new replica is started beside the old ones; after `overlap` one of the old ones is told to stop.
    Replace { service: Service, which: usize, overlap: Duration },
    /// The next ffmpeg that makes a cut or a mix is killed.
    KillFfmpeg,
    /// A server that all work on is away for `away`.
    Restart { server: Server, how: Ending, away: Duration },
}

/// A disturbance and how long after the one before it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) after: Duration,
    pub(super) what: Disturbance,
}

/// An endless plan, in rounds: each round holds every sort of disturbance of everything, in an order of its own.
pub(super) struct Plan {
    moments: Moments,
    round: Vec<Disturbance>,
}

/// Kills of each kind of process in a round.
const KILLS: usize = 2;
/// Kinds of process that hold something by a lease: the ones worth pausing.
const HOLDERS: [Service; 4] = [Service::Job, Service::Render, Service::Stitch, Service::Audio];

impl Plan {
    /// How many disturbances are in a round.
    pub(super) const ROUND: usize = Service::ALL.len() * (KILLS + 1) + 1 + 1 + 5;

    pub(super) fn new(seed: u64) -> Self {
        Self { moments: Moments::seeded(seed), round: Vec::new() }
    }

    fn fill(&mut self) {
        let m = &mut self.moments;
        let mut round = Vec::new();
        for service in Service::ALL {
            for _ in 0..KILLS {
                let (which, down) = (m.number(16), m.next(seconds(1.5)));
                round.push(Disturbance::Kill { service, which, down });
            }
            let (which, overlap) = (m.number(16), m.next(seconds(1.5)));
            round.push(Disturbance::Replace { service, which, overlap });
        }
        // One pause a round: longer than the leases of jobs and products.
        let service = HOLDERS[m.number(HOLDERS.len())];
        let (which, time) = (m.number(16), m.between(seconds(1.0), seconds(6.0)));
        round.push(Disturbance::Pause { service, which, time });
        // More would leave a product no try.
        round.push(Disturbance::KillFfmpeg);
        for (server, how) in [
            (Server::Postgres, Ending::Crash),
            (Server::Postgres, Ending::Orderly),
            (Server::Nats, Ending::Crash),
            (Server::Nats, Ending::Orderly),
            (Server::S3, Ending::Crash),
        ] {
            round.push(Disturbance::Restart { server, how, away: m.next(seconds(2.0)) });
        }
        m.shuffle(&mut round);
        self.round = round;
    }
}

impl Iterator for Plan {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.round.is_empty() {
            self.fill();
        }
        let what = self.round.pop()?;
        Some(Step { after: self.moments.between(seconds(0.5), seconds(3.0)), what })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn a_seed_always_gives_the_same_plan_and_another_seed_another_one() {
    let plan = |seed| Plan::new(seed).take(3 * Plan::ROUND).collect::<Vec<_>>();
    assert_eq!(plan(7), plan(7));
    assert_ne!(plan(7), plan(8));
    assert_ne!(plan(0), plan(1));
}

#[test]
fn each_round_kills_and_replaces_every_kind_of_process_and_restarts_every_server() {
    for seed in 0..200 {
        let mut plan = Plan::new(seed);
        for _ in 0..2 {
            let round: Vec<Disturbance> = plan.by_ref().take(Plan::ROUND).map(|step| step.what).collect();
            let count = |wanted: &dyn Fn(&Disturbance) -> bool| round.iter().filter(|d| wanted(d)).count();
            for kind in Service::ALL {
                let killed =
                    |d: &Disturbance| matches!(d, Disturbance::Kill { service, .. } if *service == kind);
                let replaced =
                    |d: &Disturbance| matches!(d, Disturbance::Replace { service, .. } if *service == kind);
                assert_eq!((count(&killed), count(&replaced)), (KILLS, 1), "seed {seed}, {kind}");
            }
            for wanted in [Server::Postgres, Server::Nats, Server::S3] {
                let restarted =
                    |d: &Disturbance| matches!(d, Disturbance::Restart { server, .. } if *server == wanted);
                assert!(count(&restarted) >= 1, "seed {seed}, {wanted}");
            }
            assert_eq!(count(&|d| matches!(d, Disturbance::Pause { .. })), 1, "seed {seed}");
            assert_eq!(count(&|d| *d == Disturbance::KillFfmpeg), 1, "seed {seed}");
        }
    }
}

#[test]
fn something_happens_every_few_seconds_and_nothing_is_away_for_long() {
    for step in Plan::new(3).take(1000) {
        assert!(step.after >= seconds(0.5) && step.after <= seconds(3.0), "{step:?}");
        let lasts = match step.what {
            Disturbance::Kill { down: time, .. }
            | Disturbance::Pause { time, .. }
            | Disturbance::Replace { overlap: time, .. }
            | Disturbance::Restart { away: time, .. } => time,
            Disturbance::KillFfmpeg => Duration::ZERO,
        };
        assert!(lasts <= seconds(6.0), "{step:?}");
    }
}
