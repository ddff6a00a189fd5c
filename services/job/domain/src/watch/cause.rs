//! Why a job stands still, in words that a person can act on.

use super::owed::Begun;
use super::{Owed, Owner};

/// Most characters that are quoted of what somebody else said.
const QUOTED: usize = 300;

/// What came of asking for something that is owed once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There is nobody to be asked, or the answer was that it is being made.
    Nothing,
    /// There was no answer, for this reason.
    Silence(String),
    /// It is refused, for this reason.
    Refusal(String),
}

/// Why a job stands still that has not moved for so many milliseconds: `owed` did not come, and `more` besides.
#[must_use]
pub fn cause(owed: &Owed, more: usize, heard: &Heard, still_ms: i64) -> String {
    let (owner, what, still) = (owed.owner.as_str(), &owed.what, spelled(still_ms));
    let mut cause = match heard {
        Heard::Silence(why) => format!(
            "{owner} does not answer when it is asked for {what}, and the job has not moved for {still}: {}",
            quoted(why)
        ),
        Heard::Refusal(why) => {
            format!("{owner} refuses {what}, and the job has not moved for {still}: {}", quoted(why))
        }
        Heard::Nothing => unheard(owed, &still),
    };
    if more > 0 {
        let requests = if more == 1 { "request is" } else { "requests are" };
        cause = format!("{cause} ({more} more {requests} outstanding)");
    }
    cause
}

fn unheard(owed: &Owed, still: &str) -> String {
    let (owner, what) = (owed.owner.as_str(), &owed.what);
    let Some(request) = &owed.request else {
        return match owed.owner {
            Owner::Person => {
                format!("nobody has approved the storyboard for {still}: approve the job or cancel it")
            }
            _ => format!("{what} has not been made for {still}: the job service does not get to it"),
        };
    };
    match &request.begun {
        _ if !request.wanted => {
            format!("{owner} has not ended {what} for {still}, though it is not wanted any more")
        }
        Begun::No => format!(
            "{owner} knows of {what} and has not begun it for {still}: it waits for its turn, or the provider takes \
             nothing up"
        ),
        Begun::Unknown => format!("{owner} has worked on {what} for {still} without an end"),
        Begun::Attempt { number, prediction } => {
            let prediction = prediction.as_ref().map_or_else(String::new, |id| format!(", prediction {id}"));
            format!("{owner} has worked on {what} (attempt {number}{prediction}) for {still} without an end")
        }
    }
}

fn quoted(why: &str) -> String {
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    match why.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &why[..end]),
        None => why,
    }
}

/// A length of time in the largest unit of which there are at least two.
fn spelled(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(length, _)| seconds >= 2 * length);
    match (unit, seconds) {
        (Some((length, name)), _) => format!("{} {name}", seconds / length),
        (None, 1) => "1 second".to_owned(),
        (None, seconds) => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::owed::Request;
    use super::*;

    fn owed(owner: Owner, what: &str, begun: Begun) -> Owed {
        let request = Request { key: "job-43/scene-2/take-1".to_owned(), wanted: true, begun };
        Owed { owner, what: what.to_owned(), request: Some(request) }
    }

    #[test]
    fn a_length_of_time_is_said_in_the_unit_that_says_most() {
        let said: Vec<String> =
            [0, 1_000, 119_999, 120_000, 7_199_000, 7_200_000, 7 * 86_400_000].map(spelled).to_vec();
        assert_eq!(
            said,
            ["0 seconds", "1 second", "119 seconds", "2 minutes", "119 minutes", "2 hours", "7 days"]
        );
    }

    #[test]
    fn a_cause_names_who_what_and_since_when() {
        let begun = Begun::Attempt { number: 2, prediction: Some("p-1".to_owned()) };
        let take = |begun| owed(Owner::Render, "take 1 of scene 2", begun);
        let minutes = 1_200_000;
        assert_eq!(
            cause(&take(begun), 0, &Heard::Nothing, minutes),
            "render has worked on take 1 of scene 2 (attempt 2, prediction p-1) for 20 minutes without an end"
        );
        assert!(
            cause(&take(Begun::No), 0, &Heard::Nothing, minutes).contains("has not begun it for 20 minutes")
        );
        let silence = Heard::Silence("the line\nis dead".to_owned());
        assert_eq!(
            cause(&take(Begun::No), 3, &silence, minutes),
            "render does not answer when it is asked for take 1 of scene 2, and the job has not moved for 20 \
             minutes: the line is dead (3 more requests are outstanding)"
        );
        let refusal = Heard::Refusal("no".to_owned());
        assert!(
            cause(&take(Begun::No), 0, &refusal, minutes).starts_with("render refuses take 1 of scene 2")
        );
        let mut unwanted = owed(Owner::Stitch, "cut 1", Begun::Unknown);
        assert_eq!(
            cause(&unwanted, 1, &Heard::Nothing, minutes),
            "stitch has worked on cut 1 for 20 minutes without an end (1 more request is outstanding)"
        );
        unwanted.request.as_mut().expect("it is a request").wanted = false;
        assert!(cause(&unwanted, 0, &Heard::Nothing, minutes).contains("not wanted any more"));
    }

    #[test]
    fn what_others_say_is_quoted_in_part() {
        let silence = Heard::Silence("ä".repeat(5_000));
        let told = cause(&owed(Owner::Audio, "soundtrack 1", Begun::Unknown), 0, &silence, 0);
        assert!(told.ends_with('…') && told.chars().count() < QUOTED + 200, "{told}");
    }
}
