//! URLs that try to make the service call somebody it must not: nobody is called.

use std::net::Ipv4Addr;

use testservers::Canary;

use crate::import::import;
use crate::world::World;

#[tokio::test]
async fn q03_no_spelling_of_a_private_address_is_called() {
    let mut world = World::with(|import| import.allow_loopback = false).await;
    let canary = Canary::new().unwrap();
    let urls = canary.urls().unwrap();
    assert!(urls.len() >= 50);
    for url in urls {
        let error = import(&mut world, &url).await.unwrap_err();
        assert!(matches!(error.code, kit::Code::Invalid | kit::Code::Validation), "{url}: {error}");
        assert!(canary.was_left_alone(), "{url}");
        assert!(!error.to_string().contains("127.0.0.1"), "what a name stands for is not told: {error}");
    }
    assert_eq!(world.assets().await, (0, 0));
    assert!(canary.notices(Ipv4Addr::LOCALHOST), "it would have noticed");
    world.stop().await;
}
