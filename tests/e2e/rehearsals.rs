//! What is asked before money is spent, and what is counted after it.

use filmstrip::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Servers, Stage, World, campaign, finished, new_job, until};

/// Makes a job and cancels it; nothing is bought.
async fn made_and_canceled(client: &Client, campaign: &str) {
    let wish = json!({"campaign_id": campaign, "num_pairs": 2, "planner": "template"});
    let made = client.create_job("image-pairs", wish).await.unwrap();
    let cancel = format!("/api/v3/jobs/{}/cancel", made["job_id"]);
    assert_eq!(client.call(Method::POST, &cancel, None).await.unwrap().status, 202);
}

/// Sends a dry run to each of the routes that know it, a hundred times in all.
async fn a_hundred_dry_runs(client: &Client, campaign: &str) {
    let wish = json!({"campaign_id": campaign, "num_pairs": 4, "clip_duration": 6, "dry_run": true});
    let brief = json!({
        "context": {"campaignId": campaign},
        "adBasics": {"product": "A house", "targetAudience": "Guests", "keyMessage": "Rest", "callToAction": "Book"},
        "creative": {"videoSpecs": {"duration": 24}, "direction": {"style": "modern"}}
    });
    let mut said = brief.clone();
    said["dryRun"] = json!(true);
    let of_campaign = format!("/api/v3/campaigns/{campaign}/create-job");
    let routes = [
        ("/api/v3/jobs/from-image-pairs", &wish),
        ("/api/v3/jobs/from-property-photos", &wish),
        ("/api/v3/jobs", &said),
        ("/api/v3/jobs/dry-run", &brief),
        (of_campaign.as_str(), &wish),
    ];
    for (path, body) in routes.iter().cycle().take(100) {
        let answer = client.call(Method::POST, path, Some((*body).clone())).await.unwrap();
        let said = answer.body.get("data").filter(|_| path.ends_with("create-job")).unwrap_or(&answer.body);
        assert_eq!(
            (answer.status.as_u16(), &said["dry_run"]),
            (200, &json!(true)),
            "{path}: {}",
            answer.body
        );
    }
    let answer = client.call(Method::POST, routes[0].0, Some(wish)).await.unwrap().body;
    assert_eq!((&answer["estimated_cost"], &answer["planned"]), (&json!(4.8), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_dry_runs_make_no_job_and_no_event_ask_no_model_and_buy_nothing() {
    let servers = Servers::start().await;
    let world = World::with(Stage::INSTANT, servers.options()).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 8).await;
    made_and_canceled(&client, &campaign).await;
    // A client, a campaign and eight assets, and then the job.
    servers.published("asset", 10).await;
    servers.published_of("job", "job_canceled", 1).await;
    let before = servers.counts().await;
    a_hundred_dry_runs(&client, &campaign).await;
    assert_eq!(client.get("/api/v3/jobs").await.unwrap()["meta"]["total"], 1);
    let ledger = world.stage.control().ledger().await.unwrap();
    for asked in ["chat", "create", "music", "files_upload"] {
        assert_eq!(ledger.requests.get(asked), None, "{asked}: {:?}", ledger.requests);
    }
    assert_eq!(ledger.predictions.len(), 0);

    // Events are published in their order: the next ones follow those from before at once.
    made_and_canceled(&client, &campaign).await;
    client.campaign("Northwind Stays", "Hill House", "").await.unwrap();
    servers.published("asset", 12).await;
    servers.published_of("job", "job_canceled", 2).await;
    let mut expected = before.clone();
    expected.insert("asset", 12);
    expected.insert("job", 2 * before["job"]);
    assert_eq!(servers.counts().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storyboard_is_edited_a_scene_is_cut_out_and_what_it_cost_is_counted() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 6).await;
    let job = new_job(&client, &campaign, 3).await;
    let of_job = |rest: &str| format!("/api/v3/jobs/{job}{rest}");
    let send = async |method: Method, path: String, body: Option<Value>| {
        let answer = client.call(method, &path, body).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    };
    let edit = json!({"duration": 6, "prompt": "Glide along the water"});
    let edited = send(Method::PATCH, of_job("/storyboard/scenes/0"), Some(edit)).await;
    assert_eq!(edited["estimated_cost"], 2.8, "4 + 4 + 6 seconds: {edited}");
    let ids: Vec<Value> =
        edited["storyboard"]["scenes"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
    let order = json!({"order": [ids[2], ids[0], ids[1]]});
    send(Method::PUT, of_job("/storyboard/order"), Some(order)).await;
    let none_yet = client.get(&format!("/api/v3/campaigns/{campaign}/stats")).await.unwrap();
    assert_eq!(none_yet["data"], json!({"videoCount": 1, "totalSpend": 0.0, "avgCost": 0.0}));
    client.approve(job).await.unwrap();
    let done = finished(&client, job).await;
    assert_eq!((&done["outcome"], &done["scenes"][0]["id"]), (&json!("full"), &ids[2]));

    let scene = of_job(&format!("/scenes/{}", ids[0].as_str().unwrap()));
    let shown = send(Method::PUT, scene.clone(), Some(json!({"status": "failed"}))).await;
    assert_eq!(shown["scene"]["status"], "failed");
    send(Method::DELETE, scene, None).await;
    let newer = |job: &Value| job["next_cut"].is_null() && job["scenes"].as_array().unwrap().len() == 2;
    let cut = until(&client, job, newer).await;
    assert_eq!((&cut["outcome"], &cut["actual_cost"]), (&json!("full"), &done["actual_cost"]));
    assert!(cut["video_duration"].as_f64() < done["video_duration"].as_f64(), "{cut}");

    let stats = client.get(&format!("/api/v3/campaigns/{campaign}/stats")).await.unwrap();
    assert_eq!(stats["data"]["totalSpend"], done["actual_cost"]);
    let clips = client.get("/api/v3/ai-videos?status=completed").await.unwrap();
    assert_eq!(clips["data"]["total"], 2, "{clips}");
}
