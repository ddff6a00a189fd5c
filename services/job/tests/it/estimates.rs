//! What a job would be and cost, without making it.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;

use crate::{
    planner::{calls, good, planned},
    stage::Stage,
};

fn request(change: impl FnOnce(&mut pb::CreateJobRequest)) -> pb::CreateJobRequest {
    let mut request = pb::CreateJobRequest {
        kind: "image_pairs".to_owned(),
        campaign_id: "spring".to_owned(),
        ..pb::CreateJobRequest::default()
    };
    change(&mut request);
    request
}

async fn estimate(
    stage: &mut Stage,
    plan: bool,
    change: impl FnOnce(&mut pb::CreateJobRequest),
) -> Result<pb::Estimate, ServiceError> {
    let request = pb::GetEstimateRequest { job: Some(request(change)), plan };
    Ok(stage.client.get_estimate(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn an_estimate_is_the_job_that_would_be_made_and_makes_none() {
    let mut stage = Stage::new().await;
    stage.create(2).await;
    let head = stage.log.head().await.unwrap();
    let wish = |request: &mut pb::CreateJobRequest| {
        (request.num_pairs, request.clip_duration) = (Some(3), Some(6.0));
    };
    let estimated = estimate(&mut stage, false, wish).await.unwrap();
    for _ in 0..9 {
        estimate(&mut stage, true, wish).await.unwrap();
    }
    assert_eq!(stage.log.head().await.unwrap(), head, "no event");
    let job = estimated.job.unwrap();
    assert_eq!((estimated.planned, estimated.planner.as_str(), job.id), (true, "template", 0));
    assert!(estimated.valid_until.ends_with("T23:59:59Z"), "{}", estimated.valid_until);
    let mut made = stage.create_with(wish).await.unwrap();
    assert_eq!((made.estimated_cost_micros, job.price_micros_per_second), (3 * 6 * 200_000, 200_000));
    assert_eq!((job.estimated_cost_micros, &job.video_name), (made.estimated_cost_micros, &made.video_name));
    for (would_be, is) in job.scenes.iter().zip(&mut made.scenes) {
        (is.id, is.created_at, is.updated_at) =
            (would_be.id.clone(), would_be.created_at.clone(), would_be.updated_at.clone());
        assert_eq!(would_be, is);
    }
    assert_eq!(stage.workers.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn an_estimate_is_refused_as_the_job_would_be() {
    let mut stage = Stage::new().await;
    let error = estimate(&mut stage, false, |request| request.video_model = Some("sora".into()));
    assert_eq!(error.await.unwrap_err().violations[0].0, "video_model");
    let error = estimate(&mut stage, false, |request| request.campaign_id = "nowhere".into());
    assert_eq!(error.await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_language_model_is_asked_for_an_estimate_only_when_the_plan_is_wanted() {
    let (mut stage, provider) = planned(vec![good]).await;
    let estimated = estimate(&mut stage, false, |_| {}).await.unwrap();
    assert_eq!(calls(&provider).await, 0);
    assert_eq!((estimated.planned, estimated.planner.as_str()), (false, "xai"));
    let foreseen = estimated.job.unwrap();
    let estimated = estimate(&mut stage, true, |_| {}).await.unwrap();
    assert_eq!((calls(&provider).await, estimated.planned), (1, true));
    let drawn = estimated.job.unwrap();
    assert_eq!(foreseen.estimated_cost_micros, drawn.estimated_cost_micros);
    assert_eq!(drawn.scenes[0].title, "Scene 0");
    let by_template =
        estimate(&mut stage, false, |request| request.planner = "template".into()).await.unwrap();
    assert_eq!((by_template.planned, by_template.planner.as_str()), (true, "template"));
    assert_eq!((calls(&provider).await, stage.log.head().await.unwrap()), (1, 0));
}
