//! The memory of some processes, looked at again and again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::process;

/// Between two looks at the children; the kernel itself keeps the most of each process.
const LOOK: Duration = Duration::from_millis(250);

/// What one process holds, megabytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// All pages, those shared with other processes included.
    pub(crate) resident: f64,
    /// Pages of its own, and its share of those that it shares (`Pss`).
    pub(crate) own: f64,
    /// All pages of its children together.
    pub(crate) children: f64,
}

/// Processes below this one.
pub(crate) struct Watch(Vec<(String, u32)>);

impl Watch {
    /// The processes that run these programs.
    pub(crate) fn new(programs: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let family = process::with_descendants(std::process::id());
        let find = |program: String| {
            let found = family.iter().copied().find(|&id| process::program(id) == program);
            let id = found.with_context(|| format!("{program} does not run"))?;
            anyhow::Ok((program, id))
        };
        Ok(Self(programs.into_iter().map(find).collect::<Result<_, _>>()?))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// What they hold now, in order.
    pub(crate) fn look(&self) -> Vec<Memory> {
        let family = process::family();
        let of = |&(_, id): &(String, u32)| Memory {
            resident: process::megabytes(id, "smaps_rollup", "Rss"),
            own: process::megabytes(id, "smaps_rollup", "Pss"),
            children: children(id, &family),
        };
        self.0.iter().map(of).collect()
    }

    /// From here on the most that each holds is counted anew, where the kernel lets us.
    pub(crate) fn forget_peaks(&self) {
        for (name, id) in &self.0 {
            if let Err(error) = process::forget_peak(*id) {
                eprintln!("the peak of {name} is that since its start: {error}");
            }
        }
    }

    /// The most that each holds until `work` is done, and how long that takes.
    pub(crate) async fn during(
        &self,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<(Vec<Memory>, Duration)> {
        let (started, mut most) = (Instant::now(), vec![Memory::default(); self.0.len()]);
        let mut looks = tokio::time::interval(LOOK);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => break done?,
                _ = looks.tick() => {
                    let family = process::family();
                    for (most, (_, id)) in most.iter_mut().zip(&self.0) {
                        most.children = most.children.max(children(*id, &family));
                    }
                }
            }
        }
        for (most, (name, id)) in most.iter_mut().zip(&self.0) {
            most.resident = process::megabytes(*id, "status", "VmHWM");
            ensure!(most.resident > 0.0, "{name} has ended");
        }
        Ok((most, started.elapsed()))
    }
}

fn children(of: u32, family: &HashMap<u32, Vec<u32>>) -> f64 {
    let below = process::below(of, family);
    below.into_iter().skip(1).map(|id| process::megabytes(id, "status", "VmRSS")).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_is_watched_while_work_is_done() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let watch = Watch::new(["sleep".to_owned()]).unwrap();
        let looked = watch.look()[0];
        assert!(looked.resident >= looked.own && looked.own > 0.0, "{looked:?}");
        let (most, _) = watch.during(async { Ok(()) }).await.unwrap();
        assert!(most[0].resident > 0.0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(watch.during(async { Ok(()) }).await.is_err(), "it is gone");
        assert!(Watch::new(["no-such-program".to_owned()]).is_err());
    }
}
