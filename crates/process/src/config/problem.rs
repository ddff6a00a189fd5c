//! What is wrong with a configuration, in words for whoever wrote it.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The embedded defaults.
    Default,
    /// A line of the configuration file.
    File {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A file that an environment variable names.
    SecretFile {
        /// The variable, such as `LINK_SECRET_FILE`.
        variable: String,
        /// The file.
        file: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "the environment ({name})"),
            Self::SecretFile { variable, file } => write!(f, "{file} ({variable})"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, or the file when it cannot be read at all.
    pub key: String,
    /// The variable that sets the key, if there is one.
    pub variable: Option<String>,
    /// Where the value came from.
    pub source: Option<Source>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(variable) = &self.variable {
            write!(f, " ({variable})")?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(source) = &self.source {
            write!(f, " [from {source}]")?;
        }
        write!(f, "\n      {}", self.fix)
    }
}
