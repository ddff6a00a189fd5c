//! The ways to say where the replicas of a service are.

use http::{Uri, uri::Scheme};

/// What stands before a name whose every address is a replica.
const DNS: &str = "dns://";
/// Port of `http` when none is given.
const HTTP_PORT: u16 = 80;

/// The text is no address of a service.
#[derive(Debug, thiserror::Error)]
#[error(
    "{address:?} is no address of a service; give one such as http://127.0.0.1:5002, several separated by commas, \
     or dns://name:port for all addresses of a name"
)]
pub struct BadAddress {
    address: String,
}

/// Where replicas are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One of them.
    One(Address),
    /// As many as the name has addresses.
    Name {
        /// The name.
        host: String,
        /// The port of them all.
        port: u16,
    },
}

/// Where one replica is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// What is dialled, "host:port".
    pub(super) dial: String,
}

impl Address {
    /// The address as a URI, for the connection.
    pub(super) fn uri(&self) -> Result<Uri, BadAddress> {
        format!("http://{}", self.dial).parse().map_err(|_| BadAddress { address: self.dial.clone() })
    }
}

/// The targets in a text as the configuration has it.
pub(super) fn parse(addresses: &str) -> Result<Vec<Target>, BadAddress> {
    addresses.split(',').map(|address| target(address.trim())).collect()
}

fn target(text: &str) -> Result<Target, BadAddress> {
    let bad = || BadAddress { address: text.to_owned() };
    if let Some(name) = text.strip_prefix(DNS) {
        // gRPC's own form has an empty authority in front: dns:///name:port.
        let uri = plain(name.strip_prefix('/').unwrap_or(name)).ok_or_else(bad)?;
        return match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) => Ok(Target::Name { host: host.to_owned(), port }),
            _ => Err(bad()),
        };
    }
    let uri = plain(text).ok_or_else(bad)?;
    let (host, port) = (uri.host().ok_or_else(bad)?, uri.port_u16().unwrap_or(HTTP_PORT));
    Ok(Target::One(Address { dial: format!("{host}:{port}") }))
}

/// The URI of a host and perhaps a port, with or without `http://`, and nothing else.
fn plain(text: &str) -> Option<Uri> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: Uri = text.parse().ok()?;
    let usable = uri.scheme() == Some(&Scheme::HTTP)
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    usable.then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(dial: &str) -> Target {
        Target::One(Address { dial: dial.to_owned() })
    }

    #[test]
    fn every_way_to_say_where_replicas_are_is_understood() {
        assert_eq!(parse("http://asset:5001").unwrap(), [one("asset:5001")]);
        assert_eq!(
            parse("127.0.0.1:1, [::1]:2,http://b").unwrap(),
            [one("127.0.0.1:1"), one("[::1]:2"), one("b:80")]
        );
        let name = Target::Name { host: "asset.svc".to_owned(), port: 5001 };
        assert_eq!(parse("dns://asset.svc:5001").unwrap(), std::slice::from_ref(&name));
        assert_eq!(parse("dns:///asset.svc:5001").unwrap(), [name]);
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for text in
            ["", "a b", "a:1,,b:2", "https://a:1", "http://a:1/path", "http://u@a:1", "dns://name", "dns://"]
        {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("is no address"), "{text:?}: {error}");
        }
    }
}
