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

    /// The commands that install ffmpeg, without any prefix for rights.
    fn install_ffmpeg(self) -> Vec<Vec<&'static str>> {
        // The package with both `ffmpeg` and `ffprobe`. On Fedora it is RPM Fusion's: the distribution's own
        // `ffmpeg-free` lacks the H.264 encoder.
        let package = "ffmpeg";
        match self {
            Manager::Apt => vec![
                vec!["apt-get", "update"],
                vec!["apt-get", "install", "--yes", "--no-install-recommends", package],
            ],
            Manager::Dnf => vec![vec!["dnf", "install", "--assumeyes", package]],
            Manager::Brew => vec![vec!["brew", "install", package]],
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

/// How to install ffmpeg with this manager and these rights.
pub(crate) fn plan_ffmpeg(manager: Manager, rights: Rights) -> Plan {
    let commands = manager.install_ffmpeg();
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
        let Plan::Run(commands) = plan_ffmpeg(Manager::Apt, Rights::Root) else { panic!("root may install") };
        assert_eq!(commands[0], ["apt-get", "update"]);
        assert_eq!(commands[1], ["apt-get", "install", "--yes", "--no-install-recommends", "ffmpeg"]);
    }

    #[test]
    fn sudo_never_asks_for_a_password() {
        let Plan::Run(commands) = plan_ffmpeg(Manager::Dnf, Rights::Sudo) else { panic!("sudo may install") };
        assert_eq!(commands, [["sudo", "-n", "dnf", "install", "--assumeyes", "ffmpeg"]]);
    }

    #[test]
    fn without_rights_the_one_line_to_type_is_given() {
        let line = "sudo apt-get update && sudo apt-get install --yes --no-install-recommends ffmpeg";
        assert_eq!(plan_ffmpeg(Manager::Apt, Rights::None), Plan::Ask(line.into()));
    }

    #[test]
    fn homebrew_needs_no_rights() {
        assert!(matches!(plan_ffmpeg(Manager::Brew, Rights::None), Plan::Run(_)));
    }
}
