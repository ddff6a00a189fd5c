//! Reading Server-Sent Events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::VecDeque;

use anyhow::Context as _;

/// One event of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// What to send as `Last-Event-ID` to go on after it.
    pub id: String,
    /// Its name; "message" when the server gave none.
    pub name: String,
    /// Its data, lines joined.
    pub data: String,
}

/// The events of one response.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    parser: Parser,
}

impl EventStream {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self { response, parser: Parser::default() }
    }

    /// The next event; none when the server ended the stream.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> anyhow::Result<Option<ServerEvent>> {
        loop {
            if let Some(event) = self.parser.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.response.chunk().await.context("reading events")? {
                Some(chunk) => self.parser.feed(&chunk),
                None => return Ok(None),
            }
        }
    }
}

#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    event: ServerEvent,
    has_data: bool,
    last_id: String,
    ready: VecDeque<ServerEvent>,
}

impl Parser {
    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
                self.take_line(&line);
            } else {
                self.line.push(byte);
            }
        }
    }

    fn take_line(&mut self, line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => value.clone_into(&mut self.last_id),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // Comments (the heartbeat) and fields we have no use for.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let mut event = std::mem::take(&mut self.event);
        if !std::mem::take(&mut self.has_data) {
            return;
        }
        if event.name.is_empty() {
            "message".clone_into(&mut event.name);
        }
        event.id.clone_from(&self.last_id);
        self.ready.push_back(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&str]) -> Vec<ServerEvent> {
        let mut parser = Parser::default();
        chunks.iter().for_each(|chunk| parser.feed(chunk.as_bytes()));
        parser.ready.into()
    }

    fn event(id: &str, name: &str, data: &str) -> ServerEvent {
        ServerEvent { id: id.into(), name: name.into(), data: data.into() }
    }

    #[test]
    fn an_event_may_arrive_in_pieces() {
        assert_eq!(
            parse(&["event: prog", "ress\nid: 7\nda", "ta: {}\r\n", "\n"]),
            [event("7", "progress", "{}")]
        );
    }

    #[test]
    fn a_comment_is_no_event() {
        assert_eq!(parse(&[": heartbeat\n\n"]), []);
    }

    #[test]
    fn several_data_lines_are_joined() {
        assert_eq!(parse(&["data: a\ndata: b\n\n"]), [event("", "message", "a\nb")]);
    }

    #[test]
    fn the_last_id_stays_until_the_next() {
        let events = parse(&["id: 3\ndata: a\n\ndata: b\n\n"]);
        assert_eq!(events, [event("3", "message", "a"), event("3", "message", "b")]);
    }
}
