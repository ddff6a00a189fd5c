//! Amounts as Kubernetes writes them.

/// Bytes of an amount of memory or disk, such as `512Mi` or `2G`; none when it is not one.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|at: char| !at.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Seconds of a duration as our settings and compose files write it, such as `25s` or `2m`; none when it is not one.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let digits = text.find(|at: char| !at.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<u64>().ok()?;
    match unit {
        "ms" => Some(number.div_ceil(1000)),
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_unit() {
        assert_eq!(bytes("512Mi"), Some(512 << 20));
        assert_eq!(bytes("2G"), Some(2_000_000_000));
        assert_eq!(bytes("7"), Some(7));
        assert_eq!(bytes("much"), None);
        assert_eq!(bytes("1.5Gi"), None);
    }

    #[test]
    fn durations_are_rounded_up_to_seconds() {
        assert_eq!(seconds("25s"), Some(25));
        assert_eq!(seconds("2m"), Some(120));
        assert_eq!(seconds("1500ms"), Some(2));
        assert_eq!(seconds("40"), None);
    }
}
