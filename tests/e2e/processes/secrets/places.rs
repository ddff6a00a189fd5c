//! Every place that what the processes say or store ends up in. Another place is another line in [`all`].

use std::{fs, path::Path};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use eventlog::{open_log, params, testing::NO_TABLES};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::RequestBuilder;
use stack::{Service, Stack};
use testservers::Otlp;

use crate::world::PATIENCE;

/// What is in a place.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) text: Vec<u8>,
    /// Whether links that open something for a while may be there: an answer hands them out, and the mark of an attempt
    /// is such a link. They may not be where only operators look, or other teams.
    pub(super) may_hold_links: bool,
}

impl Place {
    fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), text: text.into(), may_hold_links: false }
    }

    fn with_links(self) -> Self {
        Self { may_hold_links: true, ..self }
    }
}

/// Everything that there is to look at.
pub(super) async fn all(stack: &Stack, heard: Heard, collector: &Otlp) -> Vec<Place> {
    let mut places = heard.0;
    places.extend(files(&stack.directory().join("logs")));
    places.extend(files(&stack.directory().join("scratch")));
    places.extend(tables(stack).await);
    places.extend(messages(stack).await);
    places.push(Place::new("telemetry", collector.text()));
    places
}

/// What callers were answered, and what commands printed.
#[derive(Default)]
pub(super) struct Heard(Vec<Place>);

impl Heard {
    /// Sends a request and keeps the whole answer; gives its status.
    pub(super) async fn ask(&mut self, what: &str, request: RequestBuilder) -> u16 {
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.keep(what, format!("{error:?}"));
                return 0;
            }
        };
        let status = answer.status().as_u16();
        let head = format!("{status} {:?}\n", answer.headers());
        let body = answer.bytes().await.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let answered =
            Place::new(format!("the answer to {what} ({status})"), [head.into_bytes(), body].concat());
        self.0.push(answered.with_links());
        status
    }

    /// Runs a command of a service's program and keeps what it says.
    pub(super) async fn run(&mut self, stack: &Stack, service: Service, arguments: &[&str]) {
        let said = match stack.run(service, arguments).await {
            Ok(said) => said,
            Err(error) => format!("{error:#}"),
        };
        self.keep(&format!("{} {}", service.program(), arguments.join(" ")), said);
    }

    pub(super) fn keep(&mut self, what: &str, text: String) {
        self.0.push(Place::new(what, text));
    }
}

/// What the processes printed and logged, and what they left in their scratch directories.
fn files(directory: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            places.extend(files(&path));
        } else {
            places.push(Place::new(path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    places
}

/// Every row of every table of every service: events, read tables, replies, leases.
async fn tables(stack: &Stack) -> Vec<Place> {
    let database = open_log(&stack.superuser_url(), &NO_TABLES).await.unwrap();
    let schemas = Service::WITH_DATABASE.map(|service| format!("'{service}'")).join(",");
    let sql = format!(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables \
         WHERE table_schema IN ({schemas}) ORDER BY 1"
    );
    let mut places = Vec::new();
    for table in database.query(&sql, params![]).await.unwrap() {
        let table: String = table.get("name").unwrap();
        let sql = format!("SELECT t::text AS line FROM {table} t");
        let rows = database.query(&sql, params![]).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get("line").unwrap()).collect();
        places.push(Place::new(format!("the table {table}"), lines.join("\n")).with_links());
    }
    places
}

/// Every message of every stream, with its subject and headers.
async fn messages(stack: &Stack) -> Vec<Place> {
    // By itself the client does not take user and password from an address.
    let address = url::Url::parse(&stack.nats_url()).unwrap();
    let (user, password) = (address.username().to_owned(), address.password().unwrap_or_default().to_owned());
    let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let client =
        async_nats::ConnectOptions::with_user_and_password(user, password).connect(server).await.unwrap();
    let context = jetstream::new(client);
    let names: Vec<String> = context.stream_names().try_collect().await.unwrap();
    let mut places = Vec::new();
    for name in names {
        let stream = context.get_stream(&name).await.unwrap();
        let count = usize::try_from(stream.cached_info().state.messages).unwrap();
        let mut text = Vec::new();
        if count > 0 {
            let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
            let messages = consumer.messages().await.unwrap().take(count).collect::<Vec<_>>();
            for message in tokio::time::timeout(PATIENCE, messages).await.expect("the stream can be read") {
                let message = message.unwrap();
                text.extend(format!("{} {:?}\n", message.subject, message.headers).into_bytes());
                text.extend_from_slice(&message.payload);
                text.push(b'\n');
            }
        }
        places.push(Place::new(format!("the stream {name}"), text));
    }
    places
}
