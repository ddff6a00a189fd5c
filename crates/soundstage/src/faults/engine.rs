//! Matches requests against the rules. Counting is per rule and starts anew with each rule set.

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::rules::{Fault, FaultRules, Kind, Rule};

/// The faults that apply to one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(pub(crate) Vec<Fault>);

impl Script {
    /// Whether a fault that `pick` accepts applies.
    pub(crate) fn has(&self, pick: impl Fn(&Fault) -> bool) -> bool {
        self.0.iter().any(pick)
    }

    /// The first thing that `pick` finds.
    pub(crate) fn find<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(pick)
    }
}

struct Armed {
    rule: Rule,
    matched: u64,
    applied: u64,
    dice: StdRng,
}

/// The rules in force.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
}

impl Faults {
    /// Puts `rules` in force in place of all others.
    pub(crate) fn replace(&self, rules: FaultRules) {
        *self.armed.lock() = rules
            .rules
            .into_iter()
            .map(|rule| Armed {
                dice: StdRng::seed_from_u64(rule.when.seed.unwrap_or(0)),
                rule,
                matched: 0,
                applied: 0,
            })
            .collect();
    }

    /// What goes wrong with this request. `text` is the prompt, if the request has one.
    pub(crate) fn script(&self, kind: Kind, text: &str) -> Script {
        Script(self.armed.lock().iter_mut().filter_map(|armed| armed.apply(kind, text)).collect())
    }
}

impl Armed {
    fn apply(&mut self, kind: Kind, text: &str) -> Option<Fault> {
        let when = &self.rule.when;
        if when.kind.is_some_and(|wanted| wanted != kind) {
            return None;
        }
        if when.prompt_contains.as_deref().is_some_and(|part| !text.contains(part)) {
            return None;
        }
        self.matched += 1;
        if when.nth.is_some_and(|nth| nth != self.matched) {
            return None;
        }
        if when.times.is_some_and(|times| self.applied >= times) {
            return None;
        }
        if let Some(probability) = when.probability
            && !self.dice.random_bool(probability.clamp(0.0, 1.0))
        {
            return None;
        }
        self.applied += 1;
        Some(self.rule.then.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: serde_json::Value) -> Faults {
        let faults = Faults::default();
        faults.replace(serde_json::from_value(json).expect("rules"));
        faults
    }

    #[test]
    fn nth_picks_one_matching_request() {
        let faults = faults(serde_json::json!({"rules": [
            {"when": {"kind": "video", "nth": 2}, "then": {"fault": "abort"}}]}));
        let hits: Vec<bool> = [Kind::Video, Kind::Chat, Kind::Video, Kind::Video]
            .into_iter()
            .map(|kind| faults.script(kind, "").has(|f| *f == Fault::Abort))
            .collect();
        assert_eq!(hits, [false, false, true, false]);
    }

    #[test]
    fn times_bounds_and_prompts_select() {
        let faults = faults(serde_json::json!({"rules": [
            {"when": {"prompt_contains": "kitchen", "times": 1}, "then": {"fault": "cancel"}}]}));
        assert!(faults.script(Kind::Video, "a garden").0.is_empty());
        assert_eq!(faults.script(Kind::Video, "a kitchen").0, [Fault::Cancel]);
        assert!(faults.script(Kind::Video, "a kitchen").0.is_empty());
    }

    #[test]
    fn a_seeded_probability_repeats() {
        let rules = serde_json::json!({"rules": [
            {"when": {"probability": 0.5, "seed": 7}, "then": {"fault": "cancel"}}]});
        let draw = || {
            let faults = faults(rules.clone());
            (0..64).map(|_| faults.script(Kind::Get, "").0.len()).collect::<Vec<_>>()
        };
        let first = draw();
        assert_eq!(first, draw());
        let hits: usize = first.iter().sum();
        assert!((10..54).contains(&hits), "{hits}");
    }

    #[test]
    fn an_unknown_fault_or_member_is_refused() {
        for json in [
            r#"{"rules":[{"then":{"fault":"explode"}}]}"#,
            r#"{"rules":[{"when":{"kinds":"video"},"then":{"fault":"cancel"}}]}"#,
            r#"{"rules":[{"then":{"fault":"latency","secs":3}}]}"#,
        ] {
            assert!(serde_json::from_str::<FaultRules>(json).is_err(), "{json}");
        }
    }
}
