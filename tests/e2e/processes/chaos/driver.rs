//! Carries a plan out on the processes, and brings back whatever ends.

use std::{
    collections::BTreeMap, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration,
};

use stack::{Arrival, Arrived, Service, Stack};
use testservers::{Balancer, Probe};
use tokio::{task::JoinSet, time::Instant};

use super::{
    boundaries::{Boundaries, Place},
    holders::Holders,
    losses::Mortal,
    plan::{Disturbance, Step},
    report::Tally,
};

/// Replicas of each kind of process that are wanted.
pub(super) const REPLICAS: usize = 2;
/// Places of each kind: one more, for a new replica beside the old ones.
pub(super) const PLACES: usize = REPLICAS + 1;
/// Between two looks at the processes.
const TICK: Duration = Duration::from_millis(50);
/// How often the balancer asks the gateways whether they are ready.
const ASKED: Duration = Duration::from_millis(250);
/// Between two killed runs of ffmpeg.
const FFMPEG: Duration = Duration::from_secs(20);
/// Between two handovers that are there for a boundary.
const HANDOVERS: Duration = Duration::from_secs(4);
/// How long a process that ended itself at a boundary stays away.
const AWAY: Duration = Duration::from_millis(200);
/// How long a process may take to stop: its own limit and some more.
const STOPPING: Duration = Duration::from_secs(40);
/// Its number is the same on every Unix.
const SIGKILL: i32 = 9;
/// How much of a log is quoted, bytes.
const QUOTED: usize = 3000;

/// What goes on in a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing, until a new replica is to work beside the old ones.
    Spare,
    /// Nothing, for a while.
    Down { until: Instant },
    /// A replica starts.
    Starting,
    /// A replica works.
    Running,
    /// A replica stands still.
    Paused { until: Instant },
    /// A replica was told to stop.
    Stopping { since: Instant },
}

/// A new replica beside the old ones.
struct Replacement {
    new: Place,
    which: usize,
    overlap: Duration,
    /// When an old one is told to stop; none until the new one works.
    due: Option<Instant>,
}

/// The hand that disturbs and mends.
pub(super) struct Driver {
    pub(super) stack: Stack,
    pub(super) boundaries: Boundaries,
    pub(super) tally: Tally,
    /// What must not have happened.
    pub(super) wrong: Vec<String>,
    places: BTreeMap<Place, State>,
    /// Where providers reach us, through all gateways.
    front: Balancer,
    /// Whether the last one that buys was told so.
    public: bool,
    mortal: Mortal,
    holders: Holders,
    starting: JoinSet<Arrival>,
    replacements: Vec<Replacement>,
    handed_over: Instant,
    ffmpeg_killed: Option<Instant>,
    /// Whether processes that are started may end themselves at a boundary.
    arming: bool,
}

impl Driver {
    /// On a stack in which nothing runs yet.
    pub(super) async fn new(stack: Stack, boundaries: Boundaries, mortal: Mortal) -> Self {
        let gateways = stack.replicas().filter(|(service, ..)| *service == Service::Gateway);
        let gateways: Vec<_> = gateways.map(|(_, _, address)| address).collect();
        let front = Balancer::start(&gateways, Probe { path: "/readyz", every: ASKED }).await.unwrap();
        let first = |(service, index, _)| {
            let state = if index < REPLICAS { State::Down { until: Instant::now() } } else { State::Spare };
            ((service, index), state)
        };
        let places = stack.replicas().map(first).collect();
        Self {
            holders: Holders::new(&stack),
            stack,
            front,
            public: false,
            mortal,
            boundaries,
            tally: Tally::default(),
            wrong: Vec::new(),
            places,
            starting: JoinSet::new(),
            replacements: Vec::new(),
            handed_over: Instant::now(),
            ffmpeg_killed: None,
            arming: true,
        }
    }

    /// Waits a moment, then notices what ended and starts what is due.
    pub(super) async fn tick(&mut self) {
        tokio::time::sleep(TICK).await;
        self.mend().await;
    }

    async fn mend(&mut self) {
        for (service, index, status) in self.stack.ended() {
            self.ended((service, index), status);
        }
        while let Some(arrival) = self.starting.try_join_next() {
            self.arrived(arrival.unwrap());
        }
        let now = Instant::now();
        for (place, state) in self.places.clone() {
            match state {
                State::Down { until } if until <= now => self.start(place),
                State::Paused { until } if until <= now => {
                    // It may have been ended meanwhile; that is noticed the next time.
                    let _ = self.stack.resume(place.0, place.1);
                    self.places.insert(place, State::Running);
                }
                State::Stopping { since } if since + STOPPING < now => {
                    self.wrong(place, "did not stop when it was told to");
                    let _ = self.stack.resume(place.0, place.1);
                    self.places.insert(place, State::Stopping { since: now });
                }
                _ => {}
            }
        }
        self.retire(now).await;
    }

    fn start(&mut self, place: Place) {
        let mut variables = self.boundaries.variables(place, self.arming);
        if matches!(place.0, Service::Render | Service::Audio) {
            // Every other start: who buys without a public address uploads its media, and polls instead of being told.
            self.public = !self.public;
            variables.extend(self.public.then(|| ("PUBLIC_BASE_URL".to_owned(), self.front.url())));
        }
        match self.stack.starting(place.0, place.1, variables) {
            Ok(starting) => {
                self.starting.spawn(starting);
                self.places.insert(place, State::Starting);
            }
            Err(error) => self.wrong.push(format!("{error:#}")),
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        let place = (arrival.service, arrival.index);
        match self.stack.arrived(arrival) {
            Ok(Arrived::Listens) => {
                self.places.insert(place, State::Running);
                self.tally.add("started", place.0);
                for replacement in self.replacements.iter_mut().filter(|replacement| replacement.new == place)
                {
                    replacement.due = Some(Instant::now() + replacement.overlap);
                }
            }
            Ok(Arrived::Ended(status)) => self.ended(place, status),
            Err(error) => {
                self.wrong.push(format!("{error:#}"));
                self.places.insert(place, State::Down { until: Instant::now() + AWAY });
            }
        }
    }

    /// A process ended that was not waited for.
    fn ended(&mut self, place: Place, status: ExitStatus) {
        let stopping = matches!(self.places.get(&place), Some(State::Stopping { .. }));
        if self.boundaries.look(place).is_some() && status.signal() == Some(SIGKILL) {
            self.tally.add("killed at a boundary", place.0);
        } else if !(stopping && status.success()) {
            self.wrong(place, &format!("ended by itself ({status})"));
        }
        let next = if stopping { State::Spare } else { State::Down { until: Instant::now() + AWAY } };
        self.places.insert(place, next);
    }

    fn wrong(&mut self, (service, index): Place, what: &str) {
        let log = self.stack.log(service, index);
        let from = log.len().saturating_sub(QUOTED);
        let tail = log.get(from..).unwrap_or(&log);
        self.wrong.push(format!("{service} {index} {what}; it logged:\n{tail}"));
    }

    /// Tells the old replicas to stop whose successors have worked beside them for long enough.
    async fn retire(&mut self, now: Instant) {
        let due = |replacement: &mut Replacement| replacement.due.is_some_and(|due| due <= now);
        for Replacement { new, which, .. } in self.replacements.extract_if(.., due).collect::<Vec<_>>() {
            let old: Vec<Place> = self.running(new.0).into_iter().filter(|place| *place != new).collect();
            let holder = self.giving_back(new.0, &old).await;
            // None works just now: then there are not too many either, once the dead come back.
            let stopped = holder.or_else(|| pick(&old, which)).filter(|old| {
                let stopped = self.stack.tell_to_stop(old.0, old.1).is_ok();
                if stopped {
                    self.places.insert(*old, State::Stopping { since: now });
                    self.tally.add("replaced", old.0);
                }
                stopped
            });
            if stopped.is_none() {
                let due = Some(now + AWAY);
                self.replacements.push(Replacement { new, which, overlap: Duration::ZERO, due });
            }
        }
    }

    /// The one of these that, told to stop, gives a lease back where that is no kill point yet.
    async fn giving_back(&mut self, service: Service, among: &[Place]) -> Option<Place> {
        let kinds = self.boundaries.left_to_release(service);
        if kinds.is_empty() {
            return None;
        }
        let holders = self.holders.of(service, &kinds).await;
        holders.into_iter().find(|holder| among.contains(holder))
    }

    /// Replaces who holds a lease that is given back nowhere else than at the end of a process: for as long as that
    /// is no kill point.
    pub(super) fn hand_over(&mut self) {
        if self.handed_over.elapsed() < HANDOVERS {
            return;
        }
        for service in Service::WITH_DATABASE {
            let under_way = self.replacements.iter().any(|replacement| replacement.new.0 == service);
            if !under_way && !self.boundaries.left_to_release(service).is_empty() {
                self.replace(service, 0, AWAY);
            }
        }
        self.handed_over = Instant::now();
    }

    fn running(&self, service: Service) -> Vec<Place> {
        let running = |(place, state): (&Place, &State)| {
            (place.0 == service && *state == State::Running).then_some(*place)
        };
        self.places.iter().filter_map(running).collect()
    }

    /// Does what the plan says, where that is possible just now.
    pub(super) async fn disturb(&mut self, step: Step) {
        let done = match step.what {
            Disturbance::Kill { service, which, down } => self.kill(service, which, down).await,
            Disturbance::Pause { service, which, time } => self.pause(service, which, time),
            Disturbance::Replace { service, which, overlap } => self.replace(service, which, overlap),
            Disturbance::KillFfmpeg => self.kill_ffmpeg(),
            Disturbance::Restart { server, how, away } => {
                self.stack.stop_server(server, how);
                tokio::time::sleep(away).await;
                if let Err(error) = self.stack.run_server(server).await {
                    self.wrong.push(format!("{error:#}"));
                }
                self.tally.server(server, how);
                true
            }
        };
        if !done {
            self.tally.skipped += 1;
        }
    }

    async fn kill(&mut self, service: Service, which: usize, down: Duration) -> bool {
        let Some(place) = pick(&self.running(service), which) else { return false };
        if let Err(error) = self.stack.kill(service, place.1).await {
            self.wrong.push(format!("{error:#}"));
        }
        // In the same moment it may have come to a boundary.
        self.boundaries.look(place);
        self.tally.add("killed at random", service);
        self.places.insert(place, State::Down { until: Instant::now() + down });
        true
    }

    /// Never so often that one product could lose all of its tries.
    fn kill_ffmpeg(&mut self) -> bool {
        let soon = self.ffmpeg_killed.is_some_and(|last| last.elapsed() < FFMPEG);
        if soon || !self.mortal.kill_next() {
            return false;
        }
        self.ffmpeg_killed = Some(Instant::now());
        self.tally.ffmpeg += 1;
        true
    }

    fn pause(&mut self, service: Service, which: usize, time: Duration) -> bool {
        let Some(place) = pick(&self.running(service), which) else { return false };
        if self.stack.pause(service, place.1).is_err() {
            return false;
        }
        self.tally.add("paused", service);
        self.places.insert(place, State::Paused { until: Instant::now() + time });
        true
    }

    fn replace(&mut self, service: Service, which: usize, overlap: Duration) -> bool {
        let mut spare =
            self.places.iter().filter(|(place, state)| place.0 == service && **state == State::Spare);
        let Some((&new, _)) = spare.next() else { return false };
        self.start(new);
        self.replacements.push(Replacement { new, which, overlap, due: None });
        true
    }

    /// Processes that are started from now on end themselves nowhere, and all are started anew.
    pub(super) async fn disarm(&mut self) {
        self.arming = false;
        self.mortal.spare();
        self.settle().await;
        for place in Service::ALL.into_iter().flat_map(|service| self.running(service)).collect::<Vec<_>>() {
            if let Err(error) = self.stack.kill(place.0, place.1).await {
                self.wrong.push(format!("{error:#}"));
            }
            self.boundaries.look(place);
            self.places.insert(place, State::Down { until: Instant::now() });
        }
        self.settle().await;
    }

    /// Waits until every kind of process has its replicas again, and no more.
    async fn settle(&mut self) {
        let settled = |driver: &Self| {
            let at_rest = |state: &State| matches!(state, State::Running | State::Spare);
            driver.replacements.is_empty() && driver.places.values().all(at_rest)
        };
        let until = Instant::now() + super::PATIENCE;
        while !settled(self) {
            assert!(Instant::now() < until, "the processes do not come to rest: {:?}", self.places);
            self.tick().await;
        }
    }

    /// Whatever was written about boundaries up to now.
    pub(super) fn look_at_all(&mut self) {
        for place in self.places.keys().copied().collect::<Vec<_>>() {
            self.boundaries.look(place);
        }
    }
}

fn pick(places: &[Place], which: usize) -> Option<Place> {
    places.get(which.checked_rem(places.len())?).copied()
}
