//! S3 on a free port: `s3s-fs`, served in this process over a scratch directory.
//!
//! It checks signatures (headers and presigned links), ranges, conditions and checksums, and keeps the parts of
//! multipart uploads. What it lacks, compared to S3 itself:
//! - **One key at a time.** The bytes, the content type and the ETag of an object are three files, replaced one
//!   after the other: whoever reads while the same key is put may see parts of both, and the ETag does not tell.
//!   Two conditional writes (`If-None-Match: *`) may both win, because the check and the write are apart.
//! - **Multipart.** Parts are copied into the object when the upload is completed, and thrown away while that
//!   goes on: a crash in the middle loses the upload, which then answers 403 instead of 404 `NoSuchUpload`.
//!   The ETags of the parts are not compared, their checksums are ignored, there is no list of uploads and no
//!   lifecycle rule, so unfinished uploads stay.
//! - **Reads** ignore `If-Match` and its like.
//! - **Durability**: nothing is synced to the disk. **Buckets**: a put makes a missing one. **Errors**: a missing
//!   bucket answers GET with `NoSuchKey`; nothing is ever slow, throttled (503 `SlowDown`) or redirected to
//!   another region. Versions, encryption, access rules and CORS are missing.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinSet,
};

const BUCKET: &str = "filmstrip";
const REGION: &str = "us-east-1";
const PATIENCE: Duration = Duration::from_secs(60);

/// An S3 server of its own, with one bucket.
#[derive(Debug)]
pub struct S3Server {
    running: Option<Running>,
    directory: TempDir,
    /// Bound but never listening: keeps the port ours while the server is stopped.
    port: TcpSocket,
    address: SocketAddr,
    access_key: String,
    secret_key: String,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl S3Server {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// It cannot listen or write.
    pub async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        fs::create_dir(directory.path().join(BUCKET)).context("making a bucket")?;
        let port = reusable((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = port.local_addr().context("finding a free port")?;
        let (access_key, secret_key) = (random_key(), random_key());
        let mut server = Self { running: None, directory, port, address, access_key, secret_key };
        server.run().await?;
        Ok(server)
    }

    /// Where it listens: `http://127.0.0.1:41234`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        REGION
    }

    /// The bucket that is there from the start.
    #[must_use]
    pub fn bucket(&self) -> &str {
        BUCKET
    }

    /// The key that may do everything.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret of [`S3Server::access_key`].
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The bucket as a `blob_url`: `s3://filmstrip`.
    #[must_use]
    pub fn blob_url(&self) -> String {
        format!("s3://{BUCKET}")
    }

    /// The keys of all objects, sorted; not those of unfinished uploads.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let root = self.directory.path().join(BUCKET);
        collect(&root, &root, &mut keys);
        keys.sort();
        keys
    }

    /// Where an object lies, to look at or to damage.
    #[must_use]
    pub fn object_path(&self, key: &str) -> std::path::PathBuf {
        self.directory.path().join(BUCKET).join(key)
    }

    /// How many multipart uploads are under way, and how many parts of them have arrived.
    #[must_use]
    pub fn unfinished(&self) -> (usize, usize) {
        let Ok(entries) = fs::read_dir(self.directory.path()) else { return (0, 0) };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.fold((0, 0), |(uploads, parts), name| {
            let upload = name.starts_with(".upload-") && name.ends_with(".json");
            let part = name.starts_with(".upload_id-");
            (uploads + usize::from(upload), parts + usize::from(part))
        })
    }

    /// Kills it: every connection breaks, what is stored stays.
    pub fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            drop(thread.join());
        }
    }

    /// Starts it again after [`S3Server::stop`], on the same port and directory.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        ensure!(self.port.local_addr()? == self.address, "the port is lost");
        let service = self.service()?;
        let (stop, stopped) = oneshot::channel();
        let (started, listening) = oneshot::channel();
        let address = self.address;
        // A thread of its own: it serves while a test blocks, and dies whole.
        let thread = std::thread::Builder::new().name("s3".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let served = runtime.context("making a runtime").map(|runtime| {
                runtime.block_on(async {
                    match reusable(address).and_then(|socket| Ok(socket.listen(1024)?)) {
                        Ok(listener) => {
                            drop(started.send(Ok(())));
                            serve(listener, service, stopped).await;
                        }
                        Err(error) => drop(started.send(Err(error))),
                    }
                });
            });
            drop(served);
        });
        let thread = thread.context("starting a thread")?;
        self.running = Some(Running { stop, thread });
        tokio::time::timeout(PATIENCE, listening)
            .await
            .context("S3 does not start in time")?
            .context("S3 ended while it started")?
            .context("listening")
    }

    fn service(&self) -> anyhow::Result<S3Service> {
        let store = s3s_fs::FileSystem::new(self.directory.path());
        let store = store.map_err(|error| anyhow::anyhow!("opening the scratch directory: {error:?}"))?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(self.access_key.clone(), self.secret_key.clone()));
        Ok(builder.build())
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves until `stopped`; every connection ends with it.
async fn serve(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        let service = service.clone();
        connections.spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(socket), service).await);
        });
    }
}

fn reusable(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let socket = TcpSocket::new_v4().context("making a socket")?;
    socket.set_reuseaddr(true).context("making a socket")?;
    socket.bind(address).with_context(|| format!("binding {address}"))?;
    Ok(socket)
}

fn random_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn collect(root: &Path, directory: &Path, keys: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() {
            collect(root, &path, keys);
        } else if let Ok(key) = path.strip_prefix(root) {
            keys.push(key.to_string_lossy().into_owned());
        }
    }
}
