//! A process and all that descend from it, as the kernel lists them.

use std::{collections::HashMap, fs, time::Duration};

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    pub(crate) id: u32,
    started: u64,
}

/// Everything that descends from `parent`, itself excluded.
pub(crate) fn descendants(parent: u32) -> Vec<Member> {
    let mut children: HashMap<u32, Vec<Member>> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some((parent, member)) = look(id) {
            children.entry(parent).or_default().push(member);
        }
    }
    let mut found: Vec<Member> = children.remove(&parent).unwrap_or_default();
    let mut next = 0;
    while let Some(member) = found.get(next) {
        found.extend(children.remove(&member.id).unwrap_or_default());
        next += 1;
    }
    found
}

/// Waits until none of them is there.
pub(crate) async fn gone(members: &[Member]) {
    let waiting = async {
        while members.iter().any(|member| look(member.id).is_some_and(|(_, now)| now == *member)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(Duration::from_mins(1), waiting).await.is_err() {
        let left: Vec<String> = members
            .iter()
            .filter(|member| look(member.id).is_some_and(|(_, now)| now == **member))
            .map(|member| fs::read_to_string(format!("/proc/{}/cmdline", member.id)).unwrap_or_default())
            .collect();
        panic!("left behind: {left:?}");
    }
}

/// The program that a member runs, such as "filmstrip-render".
pub(crate) fn program(member: Member) -> String {
    let line = fs::read_to_string(format!("/proc/{}/cmdline", member.id)).unwrap_or_default();
    let first = line.split('\0').next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Its parent and itself; none when it is not there, or dead and only not yet waited for.
fn look(id: u32) -> Option<(u32, Member)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything; what follows it are numbers (proc(5)).
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if fields[0] == "Z" || fields[0] == "X" {
        return None;
    }
    Some((fields[1].parse().ok()?, Member { id, started: fields[19].parse().ok()? }))
}
