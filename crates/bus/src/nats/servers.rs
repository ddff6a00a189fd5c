//! The servers and the credentials that a NATS URL names. The client ignores credentials in its addresses, so they
//! are taken out here and given to it apart; that way no log of an address shows them either.

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

const ENCODE: &str = "in a user or password, write @ : / ? # % and commas percent-encoded, such as %40 for @";

/// Checks a NATS URL without connecting: `nats://user:password@host:4222` or `tls://...`, a token instead of user
/// and password, or neither; several servers are separated by commas and share one user.
///
/// # Errors
/// What is wrong with which server, and what to do; repeats nothing of the URL, which may hold a password.
pub fn check_url(url: &str) -> Result<(), String> {
    Servers::parse(url).map(drop)
}

/// What is needed to connect. Not printable: it holds secrets.
pub(super) struct Servers {
    /// Without credentials.
    pub(super) addresses: Vec<ServerAddr>,
    credentials: Option<Credentials>,
}

#[derive(PartialEq, Eq)]
enum Credentials {
    User { name: String, password: String },
    Token(String),
}

impl Servers {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let parts: Vec<&str> = url.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err("it names no server; write nats://host:4222".to_owned());
        }
        let mut servers = Self { addresses: Vec::new(), credentials: None };
        for (part, number) in parts.iter().zip(1..) {
            let (address, credentials) =
                server(part).map_err(|wrong| format!("server {number} of {}: {wrong}", parts.len()))?;
            if let (Some(here), Some(before)) = (&credentials, &servers.credentials)
                && here != before
            {
                return Err(format!(
                    "server {number} of {} has another user or password than one before it; all servers of one \
                     cluster take the same",
                    parts.len()
                ));
            }
            servers.addresses.push(address);
            servers.credentials = servers.credentials.or(credentials);
        }
        Ok(servers)
    }

    /// Options that present the credentials.
    pub(super) fn present(&self, options: ConnectOptions) -> ConnectOptions {
        match &self.credentials {
            Some(Credentials::User { name, password }) => {
                options.user_and_password(name.clone(), password.clone())
            }
            Some(Credentials::Token(token)) => options.token(token.clone()),
            None => options,
        }
    }
}

/// One server; the error says nothing that could be a secret.
fn server(part: &str) -> Result<(ServerAddr, Option<Credentials>), String> {
    let scheme = part.split_once("://").map_or("nats", |(scheme, _)| scheme);
    if !["nats", "tls"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err("its address begins with neither nats:// nor tls://".to_owned());
    }
    let unreadable = || format!("its address cannot be read; write nats://host:4222, and {ENCODE}");
    let address: ServerAddr = part.parse().map_err(|_| unreadable())?;
    if address.host().is_empty() {
        return Err(unreadable());
    }
    let credentials = credentials(&address)?;
    let mut url = address.into_inner();
    if !["", "/"].contains(&url.path()) || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("something follows host and port; {ENCODE}"));
    }
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| unreadable())?;
    Ok((ServerAddr::from_url(url).map_err(|_| unreadable())?, credentials))
}

/// A user without a password is a token, as for other clients of NATS.
fn credentials(address: &ServerAddr) -> Result<Option<Credentials>, String> {
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| format!("its user or password is no UTF-8; {ENCODE}"))
    };
    Ok(match (address.username(), address.password()) {
        (Some(name), Some(password)) => {
            Some(Credentials::User { name: decoded(name)?, password: decoded(password)? })
        }
        (Some(token), None) => Some(Credentials::Token(decoded(token)?)),
        (None, Some(_)) => return Err("it has a password but no user".to_owned()),
        (None, None) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deployment_may_name_passes() {
        for url in [
            "nats://localhost:4222",
            "localhost",
            "tls://nats.example.com",
            "nats://[::1]:4222/",
            "nats://user:pass@a:4222, nats://user:pass@b:4222,nats://c:4222",
            "nats://token@a",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_a_secret() {
        for (url, says) in [
            ("", "names no server"),
            (" , ", "names no server"),
            ("http://user:s3cret@a", "neither nats:// nor tls://"),
            ("ws://user:s3cret@a", "neither nats:// nor tls://"),
            ("s3cret://a", "neither nats:// nor tls://"),
            ("nats://a:4222,nats://user:s3cret@b:port", "server 2 of 2"),
            ("nats://", "cannot be read"),
            ("nats://user:s3cret@", "cannot be read"),
            ("nats://user:12#s3cret@a", "percent-encoded"),
            ("nats://user:12/s3cret@a", "percent-encoded"),
            ("nats://user:s3cret,s3cret@a", "percent-encoded"),
            ("nats://user:s3cret%FF@a", "no UTF-8"),
            ("nats://:s3cret@a", "no user"),
            ("nats://user:s3cret@a,nats://user:other@b", "another user or password"),
        ] {
            let wrong = check_url(url).unwrap_err();
            assert!(wrong.contains(says) && !wrong.contains("s3cret"), "{url}: {wrong}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_leave_the_addresses() {
        let servers = Servers::parse("nats://us%40er:p%3Ass%2C@a:4222,b").ok().unwrap();
        let user = Credentials::User { name: "us@er".into(), password: "p:ss,".into() };
        assert!(servers.credentials == Some(user));
        let addresses: Vec<_> = servers.addresses.iter().map(ServerAddr::as_url_str).collect();
        assert_eq!(addresses, ["nats://a:4222", "nats://b"]);
    }
}
