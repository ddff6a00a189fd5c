//! The system's package manager: which one there is, whether it may be used, and the commands to install with.

use std::process::Command;

use crate::process::succeeds;

/// A package manager that this command knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora and its kin, with RPM Fusion enabled.
    Dnf,
    /// Homebrew, on macOS.
    Brew,
}

/// What the commands need from the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// ffmpeg and ffprobe.
    Ffmpeg,
    /// The PostgreSQL server's programs.
    Postgres,
    /// pip, to fetch from PyPI.
    Pip,
    /// npm, to fetch from its registry.
    Npm,
    /// nginx, a peer in a bench.
    Nginx,
}

/// What the current user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// User id 0.
    Root,
    /// `sudo` asks no password.
    Sudo,
    /// Neither.
    None,
}

impl Manager {
    /// The first manager found on this machine.
    pub(crate) fn find() -> Option<Manager> {
        [Manager::Apt, Manager::Dnf, Manager::Brew]
            .into_iter()
            .find(|manager| succeeds(with_args(manager.program(), &["--version"])))
    }

    fn program(self) -> &'static str {
        match self {
            Manager::Apt => "apt-get",
            Manager::Dnf => "dnf",
            Manager::Brew => "brew",
        }
    }

    /// The commands that install it, without any prefix for rights.
    fn install(self, wanted: Package) -> Vec<Vec<&'static str>> {
        let package = self.name(wanted);
        match self {
            Manager::Apt => vec![
                vec!["apt-get", "update"],
                vec!["apt-get", "install", "--yes", "--no-install-recommends", package],
            ],
            Manager::Dnf => vec![vec!["dnf", "install", "--assumeyes", package]],
            Manager::Brew => vec![vec!["brew", "install", package]],
        }
    }

    fn name(self, wanted: Package) -> &'static str {
        match (self, wanted) {
            // The package with both `ffmpeg` and `ffprobe`. On Fedora it is RPM Fusion's: the distribution's own
            // `ffmpeg-free` lacks the H.264 encoder.
            (_, Package::Ffmpeg) => "ffmpeg",
            (_, Package::Nginx) => "nginx",
            (Manager::Apt, Package::Postgres) => "postgresql",
            (Manager::Dnf, Package::Postgres) => "postgresql-server",
            (Manager::Brew, Package::Postgres) => "postgresql",
            (Manager::Apt | Manager::Dnf, Package::Pip) => "python3-pip",
            (Manager::Brew, Package::Pip) => "python",
            (Manager::Apt | Manager::Dnf, Package::Npm) => "npm",
            (Manager::Brew, Package::Npm) => "node",
        }
    }

    /// Whether installing changes the whole system and so needs root.
    fn needs_root(self) -> bool {
        self != Manager::Brew
    }
}

/// What to do about missing programs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Run these, in order.
    Run(Vec<Vec<String>>),
    /// This process may not; a person can type this line.
    Ask(String),
}

/// How to install a package with this manager and these rights.
pub(crate) fn plan(manager: Manager, rights: Rights, wanted: Package) -> Plan {
    let commands = manager.install(wanted);
    let prefix: &[&str] = match (manager.needs_root(), rights) {
        (true, Rights::None) => {
            let lines: Vec<String> =
                commands.iter().map(|words| format!("sudo {}", words.join(" "))).collect();
            return Plan::Ask(lines.join(" && "));
        }
        (true, Rights::Sudo) => &["sudo", "-n"],
        (true, Rights::Root) | (false, _) => &[],
    };
    let owned = |words: Vec<&str>| prefix.iter().copied().chain(words).map(String::from).collect();
    Plan::Run(commands.into_iter().map(owned).collect())
}

/// What this user may do on this machine.
pub(crate) fn rights() -> Rights {
    let id = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
    if id.trim_ascii() == b"0" {
        Rights::Root
    } else if succeeds(with_args("sudo", &["-n", "true"])) {
        Rights::Sudo
    } else {
        Rights::None
    }
}

fn with_args(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_installs_without_sudo() {
        let Plan::Run(commands) = plan(Manager::Apt, Rights::Root, Package::Ffmpeg) else {
            panic!("root may install")
        };
        assert_eq!(commands[0], ["apt-get", "update"]);
        assert_eq!(commands[1], ["apt-get", "install", "--yes", "--no-install-recommends", "ffmpeg"]);
    }

    #[test]
    fn sudo_never_asks_for_a_password() {
        let Plan::Run(commands) = plan(Manager::Dnf, Rights::Sudo, Package::Ffmpeg) else {
            panic!("sudo may install")
        };
        assert_eq!(commands, [["sudo", "-n", "dnf", "install", "--assumeyes", "ffmpeg"]]);
    }

    #[test]
    fn without_rights_the_one_line_to_type_is_given() {
        let line = "sudo apt-get update && sudo apt-get install --yes --no-install-recommends ffmpeg";
        assert_eq!(plan(Manager::Apt, Rights::None, Package::Ffmpeg), Plan::Ask(line.into()));
    }

    #[test]
    fn homebrew_needs_no_rights() {
        assert!(matches!(plan(Manager::Brew, Rights::None, Package::Ffmpeg), Plan::Run(_)));
    }
}
