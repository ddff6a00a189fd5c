//! Ports that stay a server's own while it is down.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::net::TcpSocket;

/// A port on loopback, known before its process starts.
///
/// The socket is bound and never listens. Because it may share its address, the process can bind the same port
/// and listen on it; because it is bound, the kernel gives the port to nobody else meanwhile.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    /// Takes a free port.
    ///
    /// # Errors
    /// There is none.
    pub fn free() -> anyhow::Result<Self> {
        Self::take(0).context("finding a free port")
    }

    /// Takes this port when it is free, else any.
    ///
    /// # Errors
    /// There is none.
    pub fn preferably(wanted: u16) -> anyhow::Result<Self> {
        match Self::take(wanted) {
            Ok(port) => Ok(port),
            Err(_) => Self::free(),
        }
    }

    /// Nobody listens on it, and nobody else holds it for a server of theirs.
    fn take(port: u16) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
        Ok(Self { address: socket.local_addr()?, _held: socket })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// The port's address on loopback.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_held_port_can_be_listened_on_again_and_again() {
        let port = Port::free().unwrap();
        for _ in 0..3 {
            let listener = TcpListener::bind(port.address()).await.unwrap();
            let (asked, accepted) = tokio::join!(TcpStream::connect(port.address()), listener.accept());
            drop((asked.unwrap(), accepted.unwrap()));
        }
        assert!(TcpStream::connect(port.address()).await.is_err(), "nobody listens between two processes");
    }

    #[tokio::test]
    async fn a_port_in_use_is_not_insisted_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let taken = listener.local_addr().unwrap();
        assert_ne!(Port::preferably(taken.port()).unwrap().address(), taken);
    }
}
