//! Many jobs at once.

use std::time::Duration;

use filmstrip::client::is_over;
use futures::future::join_all;

use crate::world::{World, approved_job, campaign, until_within};

/// All of them share the machine's cores.
const PATIENCE: Duration = Duration::from_mins(12);

#[tokio::test(flavor = "multi_thread")]
async fn heavy_forty_jobs_of_six_scenes_complete_with_never_more_than_ten_renders_in_flight() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 12).await;
    let jobs = join_all((0..40).map(|_| approved_job(&client, &campaign, 6))).await;
    let mut names = Vec::new();
    for job in jobs {
        let done = until_within(PATIENCE, &client, job, is_over).await;
        assert_eq!(done["outcome"], "full", "{done}");
        names.push(done["video_name"].as_str().unwrap().to_owned());
    }
    let ledger = world.stage.control().ledger().await.unwrap();
    assert_eq!(ledger.of_kind("video").filter(|p| p.charged).count(), 240);
    assert!(ledger.max_in_flight.video <= 10, "{:?}", ledger.max_in_flight);
    assert!(ledger.max_in_flight.music <= 2, "{:?}", ledger.max_in_flight);
    let mut numbers: Vec<u32> =
        names.iter().map(|name| name.strip_prefix("Quay House ").unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>(), "numbered without gaps");
}
