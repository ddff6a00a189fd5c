//! Where an import may go, at first and by redirects.

use wiremock::ResponseTemplate;

use crate::files::jpeg;
use crate::import::{import, reason, serving};
use crate::world::World;

const SECRET: &str = "the host's address is not a public one";

fn redirect(status: u16, to: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("location", to)
}

#[tokio::test]
async fn redirects_are_followed() {
    let mut world = World::new().await;
    let target = serving("/b.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    for status in [301, 302, 303, 307, 308] {
        let server = serving("/a.jpg", redirect(status, &format!("{}/b.jpg", target.uri()))).await;
        let asset = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap();
        assert_eq!(asset.source_url, Some(format!("{}/a.jpg", server.uri())));
    }
    world.stop().await;
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let mut world = World::with(|import| import.max_redirects = 3).await;
    let server = serving("/a.jpg", redirect(302, "/a.jpg")).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert_eq!(reason(&error), "redirected more than 3 times");
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
    world.stop().await;
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let mut world = World::new().await;
    for target in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/a.jpg",
        "http://[fd00::1]/a.jpg",
        "http://[::ffff:192.168.0.1]/a.jpg",
        "//192.168.1.1/a.jpg",
    ] {
        let server = serving("/a.jpg", redirect(302, target)).await;
        let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
        assert_eq!(reason(&error), SECRET, "{target}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_redirect_to_another_scheme_is_refused() {
    let mut world = World::new().await;
    for target in ["file:///etc/passwd", "ftp://img.example/a.jpg", "http://"] {
        let server = serving("/a.jpg", redirect(302, target)).await;
        let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
        assert_eq!(reason(&error), "redirected to something that is no http or https URL", "{target}");
    }
    world.stop().await;
}

#[tokio::test]
async fn this_machine_is_not_fetched_from_unless_that_is_allowed() {
    let mut world = World::with(|import| import.allow_loopback = false).await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    let port = server.address().port();
    // The last one is only known to be this machine once it was looked up.
    for host in ["127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost"] {
        let error = import(&mut world, &format!("http://{host}:{port}/a.jpg")).await.unwrap_err();
        assert_eq!(reason(&error), SECRET, "{host}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    world.stop().await;
}

#[tokio::test]
async fn a_name_that_was_checked_is_fetched() {
    let mut world = World::new().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    // The mock server listens on IPv4 only; the name may stand for more.
    import(&mut world, &format!("http://localhost:{}/a.jpg", server.address().port())).await.unwrap();
    world.stop().await;
}
