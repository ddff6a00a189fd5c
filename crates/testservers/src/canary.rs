//! Somebody on this machine whom nobody must call, and the URLs that lead to him.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// Notices who calls.
#[derive(Debug)]
pub struct Canary(TcpListener);

impl Canary {
    /// One on a free port.
    ///
    /// # Errors
    /// There is no port.
    pub fn new() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where he listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// Whether nobody is waiting to be let in. The system lets callers wait without asking us.
    #[must_use]
    pub fn was_left_alone(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether he notices a caller who comes by this address.
    #[must_use]
    pub fn notices(&self, address: Ipv4Addr) -> bool {
        self.port().and_then(|port| TcpStream::connect((address, port))).is_ok() && !self.was_left_alone()
    }

    /// Spellings of this machine, of its networks, and of what clouds keep for their machines.
    ///
    /// # Errors
    /// The system does not say where he listens.
    pub fn urls(&self) -> io::Result<Vec<String>> {
        let port = self.port()?;
        let hosts = [
            // this machine
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0",
            "localhost",
            "LOCALHOST",
            "localhost.",
            // in other bases
            "2130706433",
            "0x7f000001",
            "0x7F.0x0.0x0.0x1",
            "0177.0.0.1",
            "017700000001",
            "127.0x0.1",
            "0x7f.1",
            // in IPv6
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "[fc00::1]",
            "[ff02::1]",
            // with other letters
            "\u{ff11}27.0.0.1",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "%31%32%37.0.0.1",
            // its networks and what clouds keep there
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "[fd00:ec2::254]",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
        ];
        let mut urls: Vec<String> = hosts.iter().map(|host| format!("http://{host}:{port}/a.jpg")).collect();
        urls.extend([
            format!("http://user@127.0.0.1:{port}/a.jpg"),
            format!("http://img.example@127.0.0.1:{port}/a.jpg"),
            format!("http://127.0.0.1:{port}#@img.example/a.jpg"),
            format!("http:127.0.0.1:{port}/a.jpg"),
            format!("http:\\\\127.0.0.1:{port}\\a.jpg"),
            format!(" http://127.0.0.1:{port}/a.jpg"),
            format!("ht\ntp://127.0.0.1:{port}/a.jpg"),
            format!("//127.0.0.1:{port}/a.jpg"),
            format!("gopher://127.0.0.1:{port}/_GET"),
            format!("ftp://127.0.0.1:{port}/a.jpg"),
            "file:///etc/passwd".to_owned(),
            "data:image/png;base64,AAAA".to_owned(),
            "jar:http://127.0.0.1!/a".to_owned(),
        ]);
        Ok(urls)
    }
}
