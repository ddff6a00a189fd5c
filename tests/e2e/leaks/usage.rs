//! What a process uses, as the kernel tells it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// One look at a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Memory of its own, without what it maps from files, kB.
    pub(crate) memory_kb: u64,
    pub(crate) threads: u64,
    /// Programs that it has started and that have not ended.
    pub(crate) children: u64,
    /// Open handles by what they are.
    pub(crate) handles: BTreeMap<&'static str, u64>,
}

impl Usage {
    pub(crate) fn of(process: u32) -> Self {
        let root = PathBuf::from(format!("/proc/{process}"));
        let status = fs::read_to_string(root.join("status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            memory_kb: number("RssAnon:"),
            threads: number("Threads:"),
            children: children(&root),
            handles: handles(&root),
        }
    }

    pub(crate) fn all_handles(&self) -> u64 {
        self.handles.values().sum()
    }
}

fn children(root: &Path) -> u64 {
    let threads = entries(&root.join("task"));
    let told = threads.iter().filter_map(|thread| fs::read_to_string(thread.join("children")).ok());
    told.map(|children| children.split_whitespace().count() as u64).sum()
}

fn handles(root: &Path) -> BTreeMap<&'static str, u64> {
    let mut handles = BTreeMap::new();
    for handle in entries(&root.join("fd")) {
        // One that was closed since the directory was read is none.
        let Ok(target) = fs::read_link(handle) else { continue };
        *handles.entry(kind(&target.to_string_lossy())).or_default() += 1;
    }
    handles
}

fn kind(target: &str) -> &'static str {
    if target.starts_with("socket:") {
        "sockets"
    } else if target.starts_with("pipe:") {
        "pipes"
    } else if target.starts_with("anon_inode:") {
        "events"
    } else if target.contains(".sqlite") {
        "databases"
    } else {
        "files"
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Files and directories below these directories.
pub(crate) fn files_below(directories: &[PathBuf]) -> u64 {
    let mut found = 0;
    let mut left = directories.to_vec();
    while let Some(directory) = left.pop() {
        for entry in entries(&directory) {
            found += 1;
            if entry.is_dir() {
                left.push(entry);
            }
        }
    }
    found
}
