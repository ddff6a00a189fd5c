//! The boundaries that processes cross, and which of them were the place where one was killed.
//!
//! `boundaries.txt` lists every boundary that something a run does comes to. These are in the code and not in the list:
//!
//! | boundaries | why not |
//! | --- | --- |
//! | `append.…/SceneEdited`, `SceneRemoved`, `SceneReordered` | nobody in a run edits a storyboard |
//! | `append.…/SceneTakeCharged`, `SoundtrackCharged` | for a worker that reports a cost after the end; ours know it by then |
//! | `import.…`, `file.batch.…`, `append.…/ClientImported` and the like | nobody in a run brings over an older database; `tests/e2e/imports/kills.rs` ends the command at these |
//! | `file.put.…/video` and `audio` of the asset service, `file.put.…/other` | imports from a URL, which refuse the addresses of a test |

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use stack::Service;

/// A boundary of one kind of process.
pub(super) type Boundary = (Service, String);

/// One kind of process and which of it.
pub(super) type Place = (Service, usize);

/// The file of all boundaries that are known, one a line: the kind of process, a blank, the name.
pub(super) fn list_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/processes/chaos/boundaries.txt")
}

/// One in so many starts ends at a boundary that was a kill point before.
const ONCE_MORE: usize = 4;

/// What processes wrote into their files about the boundaries that they crossed.
pub(super) struct Boundaries {
    /// One file for each place, added to by every process that was started there.
    directory: PathBuf,
    known: BTreeSet<Boundary>,
    kills: BTreeMap<Boundary, usize>,
    crossed: BTreeSet<Boundary>,
    /// Starts of processes whose boundaries were all kill points already.
    again: usize,
    /// How many lines of each file were read.
    read: BTreeMap<Place, usize>,
}

impl Boundaries {
    pub(super) fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        Self {
            directory: directory.to_owned(),
            known: parse(&fs::read_to_string(list_file()).unwrap()),
            kills: BTreeMap::new(),
            crossed: BTreeSet::new(),
            again: 0,
            read: BTreeMap::new(),
        }
    }

    /// The environment of a process that is started in this place. When it is `armed` it ends itself at the first
    /// boundary that was no kill point yet. When there is none left, every fourth start has one of them once more:
    /// not each, or what crosses it would never be done.
    pub(super) fn variables(&mut self, place: Place, armed: bool) -> Vec<(String, String)> {
        let mut variables = vec![("FILMSTRIP_CROSSINGS".to_owned(), self.file(place).display().to_string())];
        let mut at: Vec<String> = self.left(place.0).map(str::to_owned).collect();
        if at.is_empty() {
            self.again += 1;
            let turn = self.again / ONCE_MORE;
            let of_it: Vec<&Boundary> = self.of(place.0).collect();
            let once_more = self.again.is_multiple_of(ONCE_MORE) && !of_it.is_empty();
            at.extend(once_more.then(|| of_it[turn % of_it.len()].1.clone()));
        }
        if armed && !at.is_empty() {
            variables.push(("FILMSTRIP_KILL_AT".to_owned(), at.join(",")));
        }
        variables
    }

    fn of(&self, service: Service) -> impl Iterator<Item = &Boundary> {
        self.known.iter().filter(move |(owner, _)| *owner == service)
    }

    /// Reads what the processes in this place have written since; the boundary at which the last one ended itself.
    pub(super) fn look(&mut self, place: Place) -> Option<String> {
        let text = fs::read_to_string(self.file(place)).unwrap_or_default();
        let read = self.read.entry(place).or_default();
        let mut killed = None;
        for line in text.lines().skip(std::mem::replace(read, text.lines().count())) {
            let Some((what, name)) = line.split_once(' ') else { continue };
            let boundary = (place.0, name.to_owned());
            if what == "killed" {
                *self.kills.entry(boundary.clone()).or_default() += 1;
                killed = Some(name.to_owned());
            }
            self.crossed.insert(boundary);
        }
        killed
    }

    /// Boundaries of a kind of process at which none was killed yet.
    pub(super) fn left(&self, service: Service) -> impl Iterator<Item = &str> {
        self.of(service).filter(|boundary| !self.kills.contains_key(*boundary)).map(|(_, name)| name.as_str())
    }

    /// The kinds of lease of which giving one back is no kill point yet.
    pub(super) fn left_to_release(&self, service: Service) -> Vec<String> {
        let released = |name: &str| Some(name.strip_prefix("lease.release.")?.split_once('/')?.1.to_owned());
        self.left(service).filter_map(released).collect()
    }

    /// All boundaries at which nothing was killed yet.
    pub(super) fn all_left(&self) -> Vec<String> {
        let left = |service| self.left(service).map(move |name| format!("{service} {name}"));
        Service::ALL.into_iter().flat_map(left).collect()
    }

    /// Boundaries that were crossed and that nobody knows.
    pub(super) fn unknown(&self) -> Vec<String> {
        self.crossed.difference(&self.known).map(|(service, name)| format!("{service} {name}")).collect()
    }

    /// All that are known, with how often a process was killed there.
    pub(super) fn kills(&self) -> impl Iterator<Item = (&Boundary, usize)> {
        self.known.iter().map(|boundary| (boundary, self.kills.get(boundary).copied().unwrap_or_default()))
    }

    /// Those that were crossed, as the list of the known ones is written.
    pub(super) fn list(&self) -> String {
        self.crossed.iter().map(|(service, name)| format!("{service} {name}\n")).collect()
    }

    fn file(&self, (service, index): Place) -> PathBuf {
        self.directory.join(format!("{service}-{index}"))
    }
}

fn parse(list: &str) -> BTreeSet<Boundary> {
    let line = |line: &str| {
        let (service, name) = line.split_once(' ')?;
        let service = Service::ALL.into_iter().find(|kind| kind.name() == service)?;
        Some((service, name.to_owned()))
    };
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.map(|text| line(text).unwrap_or_else(|| panic!("boundaries.txt: {text:?}"))).collect()
}

#[test]
fn a_kill_point_is_counted_once_and_not_asked_for_again() {
    let scratch = tempfile::tempdir().unwrap();
    let mut boundaries = Boundaries::new(scratch.path());
    boundaries.known =
        parse("# comment\nrender append.before/A\nrender append.after/A\njob append.before/B\n");
    let armed = |boundaries: &mut Boundaries| boundaries.variables((Service::Render, 1), true).pop().unwrap();
    assert_eq!(armed(&mut boundaries).1, "append.after/A,append.before/A");
    fs::write(scratch.path().join("render-1"), "crossed append.before/A\nkilled append.before/A\n").unwrap();
    assert_eq!(boundaries.look((Service::Render, 1)).as_deref(), Some("append.before/A"));
    assert_eq!(boundaries.look((Service::Render, 1)), None, "nothing new");
    assert_eq!(armed(&mut boundaries).1, "append.after/A");
    assert_eq!(boundaries.variables((Service::Render, 1), false).len(), 1, "it lives on");
    assert_eq!(boundaries.all_left(), ["render append.after/A", "job append.before/B"]);
    boundaries.known.extend(parse("render lease.release.after/relay\n"));
    assert_eq!(boundaries.left_to_release(Service::Render), ["relay"]);
    assert!(boundaries.left_to_release(Service::Job).is_empty());
    assert_eq!(boundaries.kills().map(|(_, kills)| kills).sum::<usize>(), 1);
}

#[test]
fn a_boundary_that_is_not_in_the_list_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let mut boundaries = Boundaries::new(scratch.path());
    boundaries.known = parse("job append.before/B\n");
    fs::write(scratch.path().join("job-0"), "crossed append.before/C\n").unwrap();
    assert_eq!(boundaries.look((Service::Job, 0)), None);
    assert_eq!(boundaries.unknown(), ["job append.before/C"]);
    assert_eq!(boundaries.list(), "job append.before/C\n");
}
