//! What others see of jobs: the feed, the strip, lists and scenes.

use futures::StreamExt as _;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;

use crate::stage::{PATIENCE, Script, Stage};

async fn read(stage: &mut Stage, job_id: i32, after_position: i64) -> Vec<pb::FeedItem> {
    let request = pb::ReadFeedRequest { job_id, after_position };
    stage.client.read_feed(request).await.unwrap().into_inner().items
}

async fn watched(stage: &mut Stage, after_position: i64, count: usize) -> Vec<pb::FeedItem> {
    let feed = stage.client.watch(pb::WatchRequest { after_position }).await.unwrap().into_inner();
    let items = feed.take(count).map(Result::unwrap).collect();
    tokio::time::timeout(PATIENCE, items).await.expect("the feed tells everything")
}

#[tokio::test]
async fn the_feed_tells_every_event_with_the_state_that_it_led_to() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    stage.over(id).await;
    let items = read(&mut stage, id, 0).await;
    assert_eq!(items[0].event, "job_created");
    let mut last = 0;
    for item in &items {
        let percentage = item.progress.as_ref().unwrap().percentage;
        assert!(percentage >= last, "{items:#?}");
        last = percentage;
        assert!(!item.text.is_empty() && item.recorded_at.ends_with('Z'));
        assert_eq!(item.scene_id.is_some(), item.scene_index.is_some());
    }
    let end = items.last().unwrap();
    assert_eq!((end.event.as_str(), end.status.as_str(), end.terminal), ("job_completed", "completed", true));
    assert_eq!((end.outcome.as_deref(), last), (Some("full"), 100));
    assert!(items[..items.len() - 1].iter().all(|item| !item.terminal));
}

#[tokio::test]
async fn a_watch_goes_on_after_any_position() {
    let mut stage = Stage::new().await;
    let (one, two) = (stage.approved(2).await, stage.approved(2).await);
    stage.over(one).await;
    stage.over(two).await;
    let mut all = read(&mut stage, one, 0).await;
    all.extend(read(&mut stage, two, 0).await);
    all.sort_by_key(|item| item.position);
    assert_eq!(watched(&mut stage, 0, all.len()).await, all);
    for skipped in [1, 7, all.len() - 1] {
        let after = all[skipped - 1].position;
        assert_eq!(watched(&mut stage, after, all.len() - skipped).await, all[skipped..]);
    }
}

#[tokio::test]
async fn a_watch_from_the_end_tells_only_what_is_new() {
    let mut stage = Stage::new().await;
    stage.create(2).await;
    let feed = stage.client.watch(pb::WatchRequest { after_position: -1 }).await.unwrap();
    let second = stage.create(2).await;
    let item = tokio::time::timeout(PATIENCE, feed.into_inner().next()).await.unwrap().unwrap().unwrap();
    assert_eq!((item.job_id, item.event.as_str()), (second.id, "job_created"));
}

#[tokio::test]
async fn a_watch_ends_with_the_service() {
    let mut stage = Stage::new().await;
    let mut feed = stage.client.watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    stage.stop().await;
    let rest = tokio::time::timeout(PATIENCE, feed.next()).await.expect("the feed ends");
    assert!(rest.is_none_or(|item| item.is_err()));
}

#[tokio::test]
async fn the_strip_is_the_job_in_lines() {
    let mut stage = Stage::new().await;
    let id = stage.create(2).await.id;
    let lines = stage.client.get_strip(pb::GetStripRequest { job_id: id }).await.unwrap().into_inner().lines;
    let events: Vec<_> = lines.iter().map(|line| (line.version, line.event.as_str())).collect();
    assert_eq!(events, [(1, "job_created"), (2, "storyboard_drafted")]);
    assert!(lines[0].text.contains("Spring 1"));
    let error = stage.client.get_strip(pb::GetStripRequest { job_id: 9 }).await.unwrap_err();
    assert_eq!(ServiceError::from(error).message, "Job not found");
}

async fn videos(stage: &mut Stage, change: impl FnOnce(&mut pb::ListVideosRequest)) -> (Vec<i32>, u64) {
    let mut request = pb::ListVideosRequest::default();
    change(&mut request);
    let reply = stage.client.list_videos(request).await.unwrap().into_inner();
    (reply.jobs.iter().map(|job| job.id).collect(), reply.total)
}

#[tokio::test]
async fn only_videos_that_play_are_listed_newest_first() {
    let mut stage = Stage::new().await;
    stage.assets.campaign("autumn", "Autumn", 4);
    stage.workers.script("job-4/scene-1/take-1", Script::Hold);
    for campaign in ["spring", "autumn", "spring", "spring"] {
        let job = stage.create_with(|request| {
            (request.campaign_id, request.num_pairs) = (campaign.to_owned(), Some(2));
            request.client_id = (campaign == "autumn").then(|| "southwind".to_owned());
        });
        let id = job.await.unwrap().id;
        stage.approve(id).await;
        if id != 4 {
            stage.over(id).await;
        }
    }
    stage.create(2).await;
    assert_eq!(videos(&mut stage, |_| {}).await, (vec![3, 2, 1], 3));
    assert_eq!(videos(&mut stage, |r| (r.limit, r.offset) = (1, 1)).await, (vec![2], 3));
    assert_eq!(videos(&mut stage, |r| r.campaign_id = Some("spring".into())).await, (vec![3, 1], 2));
    assert_eq!(videos(&mut stage, |r| r.client_id = Some("southwind".into())).await, (vec![2], 1));
    assert_eq!(videos(&mut stage, |r| r.client_id = Some("northwind".into())).await, (vec![3, 1], 2));
    assert_eq!(videos(&mut stage, |r| r.job_id = Some(2)).await, (vec![2], 1));
    assert_eq!(videos(&mut stage, |r| r.job_id = Some(4)).await, (vec![], 0));
    assert_eq!(videos(&mut stage, |r| r.campaign_id = Some("' OR 1=1 --".into())).await, (vec![], 0));
}

#[tokio::test]
async fn a_scene_is_found_wherever_it_is() {
    let mut stage = Stage::new().await;
    stage.create(2).await;
    let job = stage.create(2).await;
    let scene_id = job.scenes[1].id.clone();
    let found = stage.client.get_scene(pb::GetSceneRequest { scene_id }).await.unwrap().into_inner();
    assert_eq!((found.job_id, found.scene.as_ref()), (2, Some(&job.scenes[1])));
    let unknown = pb::GetSceneRequest { scene_id: "nobody".to_owned() };
    let error = ServiceError::from(stage.client.get_scene(unknown).await.unwrap_err());
    assert_eq!(
        (error.code, error.message.as_str(), error.facts["scene_id"].as_str()),
        (Code::NotFound, "Scene not found", "nobody")
    );
}
