//! A name for this replica.

use std::fs;

/// The host's name and four random bytes: unique among all replicas that ever ran, readable in a log or a lease.
#[must_use]
pub fn made_up() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", plain(&host), random.get(..8).unwrap_or(&random))
}

/// Letters, digits and dashes of a host's name, at most 40.
fn plain(host: &str) -> String {
    let kept = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let plain: String = host.trim().chars().filter(kept).take(40).collect();
    if plain.is_empty() { "host".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_new() {
        assert_ne!(made_up(), made_up());
    }

    #[test]
    fn a_host_without_a_usable_name_gets_one() {
        assert_eq!(plain("  \n"), "host");
        assert_eq!(plain("asset-7c9f.local\n"), "asset-7c9flocal");
    }
}
