//! Lists of jobs and scenes, and what they cost: on both engines.

use eventlog::{Statement, params};
use job::store::{self, JobFilter, Place, SceneFilter};
use kit::ServiceError;
use protos::job::v1 as pb;

use crate::stage::{Replicas, Script, Stage};

async fn list(stage: &mut Stage, change: impl FnOnce(&mut pb::ListJobsRequest)) -> pb::ListJobsReply {
    let mut request = pb::ListJobsRequest::default();
    change(&mut request);
    stage.client.list_jobs(request).await.unwrap().into_inner()
}

fn ids(reply: &pb::ListJobsReply) -> Vec<i32> {
    reply.jobs.iter().map(|job| job.id).collect()
}

#[tokio::test]
async fn jobs_are_listed_newest_first_without_what_makes_them_large() {
    let mut stage = Stage::new().await;
    stage.assets.campaign("autumn", "Autumn", 4);
    for campaign in ["spring", "autumn", "spring"] {
        stage.create_with(|request| request.campaign_id = campaign.to_owned()).await.unwrap();
    }
    let all = list(&mut stage, |_| {}).await;
    assert_eq!((ids(&all), all.total, all.next), (vec![3, 2, 1], 3, None));
    let line = &all.jobs[0];
    assert_eq!(
        (line.scenes.len(), line.storyboard_json.as_str(), line.parameters_json.as_str()),
        (0, "", "")
    );
    assert_eq!((line.video_name.as_str(), line.client_id.as_deref()), ("Spring 2", Some("northwind")));
    assert_eq!(line.progress.as_ref().unwrap().total_scenes, 7);
}

#[tokio::test]
async fn filters_combine_and_what_is_no_filter_is_refused() {
    let mut stage = Stage::new().await;
    stage.assets.campaign("autumn", "Autumn", 4);
    for (campaign, kind) in
        [("spring", "image_pairs"), ("autumn", "property_photos"), ("spring", "property_photos")]
    {
        let made = stage.create_with(|request| {
            (request.campaign_id, request.kind) = (campaign.to_owned(), kind.to_owned());
        });
        made.await.unwrap();
    }
    stage.client.cancel_job(pb::CancelJobRequest { job_id: 3, ..Default::default() }).await.unwrap();
    let made = stage.job(2).await.created_at;
    type Change = fn(&mut pb::ListJobsRequest);
    let cases: [(Change, &[i32]); 5] = [
        (|r| r.campaign_id = Some("spring".into()), &[3, 1]),
        (|r| r.kind = Some("property_photos".into()), &[3, 2]),
        (|r| r.status = Some("canceled".into()), &[3]),
        (|r| (r.status, r.campaign_id) = (Some("pending".into()), Some("spring".into())), &[1]),
        (|r| r.client_id = Some("nobody".into()), &[]),
    ];
    for (change, wanted) in cases {
        let reply = list(&mut stage, change).await;
        assert_eq!((ids(&reply).as_slice(), reply.total), (wanted, wanted.len() as u64));
    }
    let since = list(&mut stage, |request| request.created_after = Some(made.clone())).await;
    assert_eq!(ids(&since), [3, 2]);
    let until = list(&mut stage, |request| request.created_before = Some(made)).await;
    assert_eq!(ids(&until), [1]);
    let wrong = pb::ListJobsRequest {
        status: Some("done".into()),
        kind: Some("films".into()),
        created_after: Some("yesterday".into()),
        ..Default::default()
    };
    let error = ServiceError::from(stage.client.list_jobs(wrong).await.unwrap_err());
    let fields: Vec<_> = error.violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["status", "type", "created_after"]);
}

#[tokio::test]
async fn a_list_read_by_places_shows_each_job_once_while_jobs_are_made() {
    let mut stage = Stage::new().await;
    for _ in 0..5 {
        stage.create(2).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = list(&mut stage, |request| (request.limit, request.after) = (2, after)).await;
        seen.extend(ids(&page));
        stage.create(2).await;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let page = list(&mut stage, |request| (request.limit, request.offset) = (2, 1)).await;
    assert_eq!((ids(&page), page.total), (vec![7, 6], 8));
}

#[tokio::test]
async fn scenes_of_all_jobs_are_listed_by_the_status_that_they_are_shown_with() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-2/take-1", Script::Fail("refused"));
    let first = stage.approved(3).await;
    stage.over(first).await;
    stage.create(2).await;
    let mut listed = async |status: Option<&str>, limit, after| {
        let status = status.map(str::to_owned);
        let request = pb::ListScenesRequest { status, limit, after, ..Default::default() };
        let reply = stage.client.list_scenes(request).await.unwrap().into_inner();
        let scene = |listed: &pb::ListedScene| (listed.job_id, listed.scene.as_ref().unwrap().index);
        (reply.scenes.iter().map(scene).collect::<Vec<_>>(), reply.total, reply.next)
    };
    assert_eq!(listed(Some("completed"), 0, None).await, (vec![(1, 0), (1, 2)], 2, None));
    assert_eq!(listed(Some("failed"), 0, None).await.0, [(1, 1)]);
    assert_eq!(listed(Some("pending"), 0, None).await.0, [(2, 0), (2, 1)]);
    let (page, total, next) = listed(None, 3, None).await;
    assert_eq!((page, total), (vec![(2, 0), (2, 1), (1, 0)], 5));
    assert_eq!(listed(None, 3, next).await, (vec![(1, 1), (1, 2)], 5, None));
}

#[tokio::test]
async fn what_jobs_cost_is_summed_up_by_campaign() {
    let mut stage = Stage::new().await;
    stage.assets.campaign("autumn", "Autumn", 4);
    let id = stage.approved(2).await;
    let over = stage.over(id).await;
    stage.create(2).await;
    stage.create_with(|request| request.campaign_id = "autumn".to_owned()).await.unwrap();
    let mut spend = async |campaigns: &[&str], client: Option<&str>| {
        let campaign_ids = campaigns.iter().map(|id| (*id).to_owned()).collect();
        let request = pb::GetSpendRequest { campaign_ids, client_id: client.map(str::to_owned) };
        let spend = stage.client.get_spend(request).await.unwrap().into_inner();
        (spend.jobs, spend.paid_jobs, spend.spent_micros)
    };
    let paid = over.actual_cost_micros;
    assert!(paid >= 2 * 800_000);
    assert_eq!(spend(&["spring"], None).await, (2, 1, paid));
    assert_eq!(spend(&["spring", "autumn", "spring", "none"], None).await, (3, 1, paid));
    assert_eq!(spend(&["spring"], Some("nobody")).await, (0, 0, 0));
    assert_eq!(spend(&[], None).await, (0, 0, 0), "no campaigns, no jobs");
    assert_eq!(spend(&[], Some("northwind")).await, (3, 1, paid), "all that were made for it");
    assert_eq!(spend(&[], Some("nobody")).await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_has_an_id_with_a_zero_byte() {
    let mut replicas = Replicas::new(|_| {}).await;
    let replica = replicas.start().await;
    replica.create("", 2).await;
    let mut client = replica.client.clone();
    let id = || "spring\0".to_owned();
    let error = client.get_scene(pb::GetSceneRequest { scene_id: id() }).await.unwrap_err();
    assert_eq!(kit::ServiceError::from(error).reason, "scene_not_found");
    let request = pb::ListJobsRequest { campaign_id: Some(id()), ..Default::default() };
    assert_eq!(client.list_jobs(request).await.unwrap().into_inner().total, 0);
    let request = pb::ListScenesRequest { client_id: Some(id()), ..Default::default() };
    assert_eq!(client.list_scenes(request).await.unwrap().into_inner().total, 0);
    let request = pb::ListVideosRequest { client_id: Some(id()), ..Default::default() };
    assert_eq!(client.list_videos(request).await.unwrap().into_inner().total, 0);
    for (campaign_ids, client_id) in [(vec![id()], None), (Vec::new(), Some(id()))] {
        let request = pb::GetSpendRequest { campaign_ids, client_id };
        assert_eq!(client.get_spend(request).await.unwrap().into_inner().jobs, 0);
    }
    let request = pb::CreateJobRequest {
        kind: "image_pairs".to_owned(),
        campaign_id: "spring".to_owned(),
        client_id: Some(id()),
        ..Default::default()
    };
    let error = kit::ServiceError::from(client.create_job(request).await.unwrap_err());
    assert_eq!(error.violations, [("client_id".to_owned(), "is invalid".to_owned())]);
}

#[tokio::test]
async fn rows_of_a_program_that_knew_less_are_brought_up_to_date() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    let over = stage.over(id).await;
    stage.stop().await;
    // As if an older program had written them.
    let forget = |sql: &str| Statement::new(sql, params![]);
    let statements = vec![
        forget("UPDATE job SET spent_micros = 0, shown_version = 0"),
        forget("UPDATE scene SET place = 0, status = 'pending'"),
    ];
    stage.log.execute(statements).await.unwrap();
    let app = job::app::App::new(stage.log.clone(), kit::Clock::system());
    job::catch_up::once(&app).await.unwrap();
    let spend = store::spend(&stage.log, &["spring".to_owned()], None).await.unwrap();
    assert_eq!((spend.paid_jobs, spend.micros), (1, over.actual_cost_micros));
    let filter = SceneFilter { status: Some("completed".to_owned()), client: None };
    let place = Place { after: None, limit: 10, offset: 0 };
    let scenes = store::scenes(&stage.log, &filter, place).await.unwrap();
    let wanted: Vec<_> = over.scenes.iter().map(|scene| &scene.id).collect();
    assert_eq!(scenes.rows.iter().map(|row| &row.scene).collect::<Vec<_>>(), wanted);
    assert!(store::behind(&stage.log, 0, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lists_and_the_sums_are_the_same_on_postgresql() {
    let mut replicas = Replicas::new(|_| {}).await;
    let replica = replicas.start().await;
    let job = replica.create("", 2).await;
    replica.approve(job.id).await.unwrap();
    let over = replica.until(job.id, |job| job.status == "completed").await;
    replica.create("", 3).await;
    let log = &replica.log;
    let place = |after| Place { after, limit: 2, offset: 0 };
    let filter = JobFilter {
        campaign: Some("spring".to_owned()),
        client: Some("northwind".to_owned()),
        kind: Some("image_pairs".to_owned()),
        created_after: Some(over.created_at.parse().unwrap()),
        ..JobFilter::default()
    };
    let jobs = store::jobs(log, &filter, place(None)).await.unwrap();
    assert_eq!((jobs.rows, jobs.total, jobs.next), (vec![2, 1], 2, None));
    let playing = JobFilter { playable: true, status: Some("completed".to_owned()), ..JobFilter::default() };
    assert_eq!(store::jobs(log, &playing, place(Some(2))).await.unwrap().rows, [1]);
    let client = Some("northwind".to_owned());
    let scenes = SceneFilter { status: None, client };
    let first = store::scenes(log, &scenes, place(None)).await.unwrap();
    let second = store::scenes(log, &scenes, place(first.next)).await.unwrap();
    let third = store::scenes(log, &scenes, place(second.next)).await.unwrap();
    let pages = [first, second, third].map(|page| page.rows.iter().map(|row| row.job).collect::<Vec<_>>());
    assert_eq!(pages, [vec![2, 2], vec![2, 1], vec![1]]);
    let spend = store::spend(log, &["spring".to_owned(), "other".to_owned()], None).await.unwrap();
    assert_eq!((spend.jobs, spend.paid_jobs, spend.micros), (2, 1, over.actual_cost_micros));
    assert_eq!(store::spend(log, &[], Some("northwind")).await.unwrap(), spend);
    let behind = Statement::new("UPDATE job SET shown_version = 0, spent_micros = 0", params![]);
    log.execute(vec![behind]).await.unwrap();
    let app = job::app::App::new(log.clone(), kit::Clock::system());
    job::catch_up::once(&app).await.unwrap();
    let again = store::spend(log, &["spring".to_owned()], None).await.unwrap();
    assert_eq!(again.micros, over.actual_cost_micros);
}
