//! The replicas of a channel. Names are looked up when the channel is first used, and again every few seconds of use.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    address::{Address, Target},
    balance::{self, Standing},
    replica::Replica,
    resolve::Resolve,
};

/// How long a look-up may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses that were last looked up so many intervals ago are looked up before they are used.
const STALE: u32 = 6;

/// The replicas that there are now.
pub(super) struct Replicas {
    targets: Vec<Target>,
    resolver: Arc<dyn Resolve>,
    every: Duration,
    known: Mutex<Known>,
    looking: Arc<tokio::sync::Mutex<()>>,
    turn: AtomicUsize,
}

#[derive(Clone, Default)]
struct Known {
    replicas: Arc<[Arc<Replica>]>,
    looked_up: Option<Instant>,
}

/// No address is known.
#[derive(Debug, thiserror::Error)]
#[error("no address of the service is known: {0}")]
pub(super) struct NoAddress(String);

impl Replicas {
    /// The replicas at `targets`, looked up `every` so often.
    pub(super) fn new(targets: Vec<Target>, resolver: Arc<dyn Resolve>, every: Duration) -> Self {
        let (known, looking) = (Mutex::default(), Arc::default());
        // Many processes start at once; each begins at another replica.
        let turn = AtomicUsize::new(rand::random::<u16>().into());
        Self { targets, resolver, every, known, looking, turn }
    }

    /// The next replica for a call that asked `tried` before.
    pub(super) async fn pick(self: &Arc<Self>, tried: &[Address]) -> Result<Arc<Replica>, NoAddress> {
        let replicas = self.current().await?;
        let standings: Vec<(Standing, bool)> =
            replicas.iter().map(|replica| (replica.standing(), tried.contains(replica.address()))).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let place = balance::choose(&standings, turn, Instant::now())
            .ok_or_else(|| NoAddress("there is none".to_owned()))?;
        replicas[place].asked();
        Ok(Arc::clone(&replicas[place]))
    }

    /// All of them, as far as they are known.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<[Arc<Replica>]>, NoAddress> {
        let known = self.known.lock().clone();
        let age = known.looked_up.map(|at| at.elapsed());
        match age {
            Some(_) if self.are_fixed() => Ok(known.replicas),
            Some(age) if age < self.every => Ok(known.replicas),
            Some(age) if age < self.every.saturating_mul(STALE) => {
                self.look_up_aside();
                Ok(known.replicas)
            }
            _ => self.look_up_first(known.looked_up).await,
        }
    }

    fn are_fixed(&self) -> bool {
        self.targets.iter().all(|target| matches!(target, Target::One(_)))
    }

    /// Looks up while calls go on, once at a time.
    fn look_up_aside(self: &Arc<Self>) {
        if let Ok(turn) = Arc::clone(&self.looking).try_lock_owned() {
            let replicas = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = replicas.look_up().await {
                    tracing::warn!(
                        error = error.to_string(),
                        "the replicas of a service cannot be looked up"
                    );
                }
                drop(turn);
            });
        }
    }

    /// Looks up before the call goes on, unless another call did so while this one waited.
    async fn look_up_first(&self, before: Option<Instant>) -> Result<Arc<[Arc<Replica>]>, NoAddress> {
        let _turn = self.looking.lock().await;
        let known = self.known.lock().clone();
        if known.looked_up != before {
            return Ok(known.replicas);
        }
        match self.look_up().await {
            // What was there may still be there.
            Err(error) if known.replicas.is_empty() => Err(error),
            _ => Ok(Arc::clone(&self.known.lock().replicas)),
        }
    }

    async fn look_up(&self) -> Result<(), NoAddress> {
        let found = self.addresses().await;
        let mut known = self.known.lock();
        // A look-up that failed is not tried again by every call as long as there is something to go by.
        if found.is_ok() || !known.replicas.is_empty() {
            known.looked_up = Some(Instant::now());
        }
        known.replicas = merged(&known.replicas, found?);
        Ok(())
    }

    async fn addresses(&self) -> Result<Vec<Address>, NoAddress> {
        let mut addresses = Vec::new();
        for target in &self.targets {
            match target {
                Target::One(address) => addresses.push(address.clone()),
                Target::Name { host, port } => {
                    let resolved = tokio::time::timeout(PATIENCE, self.resolver.resolve(host, *port));
                    let found = match resolved.await {
                        Ok(Ok(found)) if found.is_empty() => Err(format!("{host} has no address")),
                        Ok(found) => found.map_err(|error| format!("{host}: {error}")),
                        Err(_) => Err(format!("{host}: no answer within {} s", PATIENCE.as_secs())),
                    };
                    let found = found.map_err(NoAddress)?;
                    addresses.extend(found.iter().map(|found| Address { dial: found.to_string() }));
                }
            }
        }
        Ok(addresses)
    }
}

/// The replicas at the addresses; those that were known keep their connections.
fn merged(known: &[Arc<Replica>], addresses: Vec<Address>) -> Arc<[Arc<Replica>]> {
    let mut known: BTreeMap<&Address, &Arc<Replica>> =
        known.iter().map(|replica| (replica.address(), replica)).collect();
    let mut addresses = addresses;
    addresses.sort_unstable();
    addresses.dedup();
    addresses
        .into_iter()
        .map(|address| match known.remove(&address) {
            Some(replica) => Arc::clone(replica),
            None => Arc::new(Replica::new(address)),
        })
        .collect()
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicas").field("targets", &self.targets).finish_non_exhaustive()
    }
}
