//! URLs that try to make the service call somebody it must not: nobody is called.

use std::net::TcpListener;

use crate::import::import;
use crate::world::World;

/// Somebody on this machine who notices who calls.
struct Canary(TcpListener);

impl Canary {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Whether nobody is waiting to be let in. The system lets callers wait without asking us.
    fn was_left_alone(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// Spellings of this machine, of its networks, and of what clouds keep for their machines.
fn hostile(port: u16) -> Vec<String> {
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
    urls
}

#[tokio::test]
async fn q03_no_spelling_of_a_private_address_is_called() {
    let mut world = World::with(|import| import.allow_loopback = false).await;
    let canary = Canary::new();
    let urls = hostile(canary.port());
    assert!(urls.len() >= 50);
    for url in urls {
        let error = import(&mut world, &url).await.unwrap_err();
        assert!(matches!(error.code, kit::Code::Invalid | kit::Code::Validation), "{url}: {error}");
        assert!(canary.was_left_alone(), "{url}");
        assert!(!error.to_string().contains("127.0.0.1"), "what a name stands for is not told: {error}");
    }
    assert_eq!(world.assets().await, (0, 0));
    drop(std::net::TcpStream::connect(("127.0.0.1", canary.port())).unwrap());
    assert!(!canary.was_left_alone(), "it would have noticed");
    world.stop().await;
}
