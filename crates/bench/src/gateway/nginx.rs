//! nginx, as the distribution builds it, in a scratch directory of its own.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::load::Asked;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// An nginx; ended when dropped.
pub(super) struct Nginx {
    master: Child,
    address: String,
    version: String,
}

impl Nginx {
    /// Serves the files of a directory.
    pub(super) fn start(home: &Path, files: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(home).context("making a directory for nginx")?;
        let program = program()?;
        // It cannot be told to find a port: one that was free a moment ago is the best there is.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let file = home.join("nginx.conf");
        std::fs::write(&file, configuration(home, files, &address)).context("configuring nginx")?;
        let mut command = Command::new(program);
        command.arg("-p").arg(home).arg("-c").arg(&file).arg("-e").arg(home.join("error.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let master = command.spawn().context("starting nginx")?;
        let mut nginx = Self { master, address, version: version(program)? };
        nginx.wait(home)?;
        Ok(nginx)
    }

    fn wait(&mut self, home: &Path) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            let ended = self.master.try_wait()?.is_some();
            if ended || started.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(home.join("error.log")).unwrap_or_default();
                bail!("nginx does not start; its words:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(super) fn asked(&self, path: &str) -> Asked {
        Asked { address: self.address.clone(), path: path.to_owned(), range: None }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let id = libc::pid_t::try_from(self.master.id()).unwrap_or_default();
        // SAFETY: a plain system call on the process that we started and have not waited for yet. It asks the master
        // to end, which ends its workers; killing the master would leave them.
        unsafe {
            libc::kill(id, libc::SIGTERM);
        }
        let _ = self.master.wait();
    }
}

/// Where distributions put it, which is not on everyone's path.
fn program() -> anyhow::Result<&'static str> {
    let places = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"];
    let runs = |program: &&str| {
        let mut command = Command::new(program);
        command
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    places.into_iter().find(runs).context("nginx is not installed; `cargo xtask bench gateway` does that")
}

fn version(program: &str) -> anyhow::Result<String> {
    let said = Command::new(program).arg("-v").output().context("asking nginx for its version")?;
    Ok(String::from_utf8_lossy(&said.stderr).trim().trim_start_matches("nginx version: ").to_owned())
}

fn configuration(home: &Path, files: &Path, address: &str) -> String {
    let (home, files) = (home.display(), files.display());
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // SAFETY: a plain system call without arguments.
    let is_root = unsafe { libc::geteuid() } == 0;
    // Its workers would become a user who may not read our scratch directory.
    let user = if is_root { "user root;" } else { "" };
    format!(
        "{user}
daemon off;
worker_processes {processors};
pid {home}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  types {{ video/mp4 mp4; }}
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  server {{ listen {address}; root {files}; }}
}}
"
    )
}
