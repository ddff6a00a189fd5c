//! `filmstrip-repeat`: stands before ffmpeg and ffprobe in a drill, and gives the same answer to the same question again.
//!
//! Both are processes of their own, and starting them takes nearly all of a small job's time. A drill that looks at
//! *our* processes over thousands of jobs needs what they deliver, not that they work it out each time. It goes by the
//! name under which it was started, from `DIR/bin`, and keeps its answers in `DIR/answers`. The question is made of the
//! arguments, with the contents of the files that they name in place of the names. What failed is not kept.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::Hasher as _;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

fn main() -> io::Result<ExitCode> {
    let own = std::env::current_exe()?;
    let name = own.file_name().ok_or_else(|| io::Error::other("started under no name"))?;
    let real = behind(&own, name)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(question) = Question::of(name, &arguments)? else {
        return Err(Command::new(real).args(arguments).exec());
    };
    let answers = own.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("answers");
    let kept = answers.join(format!("{:016x}", question.hash));
    if !kept.exists() && !ask(&real, &arguments, &question, &kept)? {
        return Ok(ExitCode::FAILURE);
    }
    question.repeat(&kept)?;
    Ok(ExitCode::SUCCESS)
}

/// The program of this name behind this one in `PATH`.
fn behind(own: &Path, name: &OsStr) -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // However the directory is spelled there: this program would ask itself for ever.
        .filter(|directory| directory.canonicalize().ok().as_deref() != own.parent())
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .ok_or_else(|| io::Error::other(format!("no {} behind {}", name.display(), own.display())))
}

/// What is asked, and the files that will hold the answer.
struct Question {
    hash: u64,
    made: Vec<PathBuf>,
}

impl Question {
    /// None: it reads what it is sent, or names files in a way that is not understood here.
    fn of(name: &OsStr, arguments: &[String]) -> io::Result<Option<Self>> {
        let mut hash = DefaultHasher::new();
        hash.write(name.as_encoded_bytes());
        let mut made = Vec::new();
        for argument in arguments {
            hash.write_u8(0);
            let named = argument.strip_prefix("file:").unwrap_or(argument);
            if argument.starts_with("pipe:0")
                || argument == "-"
                || (!named.starts_with('/') && named.contains("/tmp/"))
            {
                return Ok(None);
            } else if !named.starts_with('/') {
                hash.write(argument.as_bytes());
            } else if Path::new(named).is_file() {
                contents(Path::new(named), &mut hash)?;
            } else {
                // The ending says what kind of file is made.
                hash.write(Path::new(named).extension().unwrap_or_default().as_encoded_bytes());
                made.push(PathBuf::from(named));
            }
        }
        Ok(Some(Self { hash: hash.finish(), made }))
    }

    /// Gives a kept answer: the files, and what was printed.
    fn repeat(&self, kept: &Path) -> io::Result<()> {
        for (index, file) in self.made.iter().enumerate() {
            let kept = kept.join(index.to_string());
            if kept.exists() && !file.exists() {
                fs::copy(kept, file)?;
            }
        }
        io::copy(&mut File::open(kept.join("stderr"))?, &mut io::stderr())?;
        io::copy(&mut File::open(kept.join("stdout"))?, &mut io::stdout())?;
        Ok(())
    }
}

/// A file's bytes; of a list of files, those of the files that it names.
fn contents(file: &Path, hash: &mut DefaultHasher) -> io::Result<()> {
    if file.extension().is_some_and(|extension| extension == "txt") {
        for named in fs::read_to_string(file)?.split('\'').skip(1).step_by(2) {
            contents(Path::new(named), hash)?;
        }
        return Ok(());
    }
    let (mut file, mut piece) = (File::open(file)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            read => hash.write(&piece[..read]),
        }
    }
}

/// Asks the program itself and keeps what it answers; whether it did well.
fn ask(real: &Path, arguments: &[String], question: &Question, kept: &Path) -> io::Result<bool> {
    let own = kept.with_extension(std::process::id().to_string());
    fs::create_dir_all(&own)?;
    let status = Command::new(real)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(File::create(own.join("stdout"))?)
        .stderr(File::create(own.join("stderr"))?)
        .status()?;
    if !status.success() {
        io::copy(&mut File::open(own.join("stderr"))?, &mut io::stderr())?;
        fs::remove_dir_all(own)?;
        return Ok(false);
    }
    for (index, file) in question.made.iter().enumerate().filter(|(_, file)| file.is_file()) {
        fs::copy(file, own.join(index.to_string()))?;
    }
    // Somebody else may have asked the same meanwhile; one answer is as good as the other.
    if fs::rename(&own, kept).is_err() {
        fs::remove_dir_all(own)?;
    }
    Ok(true)
}
