//! The graph as `k8s/network.yaml` declares it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    network::Edge,
    object::{at, texts},
    overlay::Overlay,
};

/// The edges of the base and of the overlay itself.
///
/// # Errors
/// A line is not `from -> to port`, or names somebody who is neither a workload nor one of those outside.
pub fn edges(file: &Value, overlay: &Overlay) -> Result<BTreeSet<Edge>, String> {
    let mut lines = texts(file, "/base");
    if overlay.is_whole() {
        lines.extend(texts(file, &format!("/{}", overlay.name)));
    }
    let workloads: Vec<_> = overlay.workloads().iter().map(|workload| workload.app().to_owned()).collect();
    let mut all = BTreeSet::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let [from, "->", to, port] = words.as_slice() else {
            return Err(format!("{line:?} is not of the form `from -> to port`"));
        };
        let who = |name: &str| {
            if name == "every" {
                return Ok(workloads.clone());
            }
            let outside = at(file, "/outside").get(name).and_then(Value::as_str);
            let known =
                outside.map(str::to_owned).or_else(|| workloads.iter().find(|one| *one == name).cloned());
            known.map(|one| vec![one]).ok_or_else(|| format!("{line:?}: {name} is nobody"))
        };
        for from in who(from)? {
            for to in who(to)? {
                all.insert(Edge { from: from.clone(), to, port: (*port).to_owned() });
            }
        }
    }
    Ok(all)
}
