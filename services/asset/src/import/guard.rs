//! Which addresses may be fetched: those that anybody on the internet can reach.
//!
//! A name is looked up once, here, and the connection goes to exactly the addresses that were checked, so an
//! answer that changes between check and use changes nothing. Every redirect goes through the same check.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::error::FetchError;

/// An address that is not public, or a name that stands for one. It does not say which: that would tell a
/// caller what our names stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's address is not a public one")]
pub(super) struct NotPublic;

/// The rule in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) allow_loopback: bool,
}

impl Guard {
    fn allows(self, address: IpAddr) -> bool {
        is_public(address) || (self.allow_loopback && address.to_canonical().is_loopback())
    }

    /// Checks what a URL says itself; a name is checked when it is looked up.
    pub(super) fn check(self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::BadUrl("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadUrl("must not hold a user name or a password"));
        }
        let address = match url.host() {
            None => return Err(FetchError::BadUrl("names no host")),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        if self.allows(address) { Ok(()) } else { Err(NotPublic.into()) }
    }

    fn check_all(
        self,
        addresses: Vec<SocketAddr>,
    ) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
        // One bad address condemns the name: what else it stands for may change at any moment.
        if addresses.iter().all(|address| self.allows(address.ip())) {
            Ok(Box::new(addresses.into_iter()))
        } else {
            Err(Box::new(NotPublic))
        }
    }
}

/// Looks names up, once for each connection, and lets only checked addresses through.
pub(super) struct Checked<L> {
    pub(super) guard: Guard,
    pub(super) lookup: L,
}

/// Where names are looked up.
pub(super) trait Lookup: Send + Sync + 'static {
    /// All addresses that a name stands for now.
    fn addresses(&self, name: String) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// This machine's own way to look names up.
pub(super) struct System;

impl Lookup for System {
    async fn addresses(&self, name: String) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect())
    }
}

impl<L: Lookup> Resolve for Checked<Arc<L>> {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (self.guard, self.lookup.clone());
        Box::pin(async move { guard.check_all(lookup.addresses(name.as_str().to_owned()).await?) })
    }
}

/// Whether an address belongs to the public internet (IANA's special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // this network, private, loopback, link-local
        [0 | 10 | 127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..]
        // carrier-grade NAT, protocol assignments, 6to4 relays, benchmarks
        | [100, 64..=127, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..]
        // documentation
        | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]
        // multicast, reserved, broadcast
        | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is given out; all that is local, mapped or translated lies outside of it.
    let global = first & 0xe000 == 0x2000;
    // Protocol assignments and Teredo, documentation, 6to4: the last of them hides any IPv4 address.
    let special = (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const STRICT: Guard = Guard { allow_loopback: false };
    const LOCAL: Guard = Guard { allow_loopback: true };

    #[rstest]
    #[case("0.0.0.0")]
    #[case("10.1.2.3")]
    #[case("100.64.0.1")]
    #[case("127.0.0.1")]
    #[case("127.255.255.254")]
    #[case("169.254.169.254")]
    #[case("172.16.0.1")]
    #[case("172.31.255.255")]
    #[case("192.0.0.8")]
    #[case("192.0.2.1")]
    #[case("192.168.0.1")]
    #[case("198.18.0.1")]
    #[case("198.51.100.7")]
    #[case("203.0.113.7")]
    #[case("224.0.0.1")]
    #[case("240.0.0.1")]
    #[case("255.255.255.255")]
    #[case("::")]
    #[case("::1")]
    #[case("::ffff:10.0.0.1")]
    #[case("::ffff:127.0.0.1")]
    #[case("64:ff9b::7f00:1")]
    #[case("100::1")]
    #[case("2001::1")]
    #[case("2001:db8::1")]
    #[case("2002:7f00:1::")]
    #[case("3fff::1")]
    #[case("fc00::1")]
    #[case("fd12::1")]
    #[case("fe80::1")]
    #[case("ff02::1")]
    fn an_address_that_is_not_public_is_refused(#[case] address: IpAddr) {
        assert!(!STRICT.allows(address));
        assert_eq!(LOCAL.allows(address), address.to_canonical().is_loopback());
    }

    #[rstest]
    #[case("1.1.1.1")]
    #[case("100.63.0.1")]
    #[case("172.15.0.1")]
    #[case("172.32.0.1")]
    #[case("193.0.0.1")]
    #[case("223.255.255.255")]
    #[case("2606:4700::1111")]
    #[case("2a00:1450::1")]
    #[case("::ffff:1.1.1.1")]
    fn a_public_address_is_fetched(#[case] address: IpAddr) {
        assert!(STRICT.allows(address));
    }

    #[rstest]
    #[case::plain("http://127.0.0.1/a")]
    #[case::short("http://127.1/a")]
    #[case::hexadecimal("http://0x7f000001/a")]
    #[case::decimal("http://2130706433/a")]
    #[case::octal("http://0177.0.0.1/a")]
    #[case::full_width("http://\u{ff11}27.0.0.1/a")]
    #[case::mapped("http://[::ffff:7f00:1]/a")]
    #[case::metadata("http://169.254.169.254/latest/meta-data")]
    fn an_address_is_seen_through_every_spelling(#[case] url: &str) {
        let refused = STRICT.check(&Url::parse(url).unwrap()).unwrap_err();
        assert!(matches!(refused, FetchError::NotPublic(_)), "{refused}");
    }

    #[rstest]
    #[case("ftp://img.example/a")]
    #[case("file:///etc/passwd")]
    #[case("gopher://img.example/")]
    #[case("data:image/png;base64,AAAA")]
    #[case("http://user:secret@img.example/a")]
    fn a_url_that_is_not_plain_http_is_refused(#[case] url: &str) {
        let refused = STRICT.check(&Url::parse(url).unwrap()).unwrap_err();
        assert!(matches!(refused, FetchError::BadUrl(_)), "{refused}");
    }

    #[test]
    fn one_bad_address_condemns_the_name() {
        let good = SocketAddr::from(([1, 1, 1, 1], 0));
        let bad = SocketAddr::from(([10, 0, 0, 1], 0));
        assert!(STRICT.check_all(vec![good]).is_ok());
        assert!(STRICT.check_all(vec![good, bad]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// However an IPv4 address is wrapped, it is as public as it is unwrapped, or less.
        #[test]
        fn wrapping_an_address_opens_nothing(octets in any::<[u8; 4]>()) {
            let address = Ipv4Addr::from(octets);
            let [a, b] = [u16::from_be_bytes([octets[0], octets[1]]), u16::from_be_bytes([octets[2], octets[3]])];
            prop_assert_eq!(is_public(address.to_ipv6_mapped().into()), is_public(address.into()));
            for wrapped in [
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x2002, a, b, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, a, b),
            ] {
                prop_assert!(!is_public(wrapped.into()));
            }
        }
    }
}
