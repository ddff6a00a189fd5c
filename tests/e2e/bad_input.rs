//! Bad input through the whole product: the contract's status and text, nothing stored, nothing spent.

use std::path::PathBuf;

use filmstrip::client::{Answer, Client, answer};
use reqwest::{Method, multipart};
use serde_json::{Value, json};

use crate::world::{World, campaign, photos};

async fn upload(client: &Client, campaign: &str, name: &str, bytes: Vec<u8>) -> Answer {
    let part = multipart::Part::bytes(bytes).file_name(name.to_owned());
    let form = multipart::Form::new().text("campaign_id", campaign.to_owned()).part("file", part);
    answer(client.request(Method::POST, "/api/v3/assets").multipart(form).send().await.unwrap())
        .await
        .unwrap()
}

async fn create(client: &Client, body: Value) -> Answer {
    client.call(Method::POST, "/api/v3/jobs/from-image-pairs", Some(body)).await.unwrap()
}

async fn picture(size: &str, directory: &std::path::Path) -> PathBuf {
    let path = directory.join(format!("{size}.png"));
    let scale = format!("scale={},format=rgb24", size.replace('x', ":"));
    let made = tokio::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "color=c=teal:size=64x64"])
        .args(["-vf", &scale, "-frames:v", "1"])
        .arg(&path)
        .status()
        .await
        .unwrap();
    assert!(made.success());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_media_are_refused_and_not_kept() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Quay House", "").await.unwrap();
    let photo = std::fs::read(&photos()[0]).unwrap();
    for (name, bytes) in [
        ("empty.jpg", Vec::new()),
        ("text.jpg", b"not a picture at all".to_vec()),
        ("cut-off.jpg", photo[..40].to_vec()),
    ] {
        let refused = upload(&client, &campaign, name, bytes).await;
        assert_eq!(refused.status, 422, "{name}: {}", refused.body);
        assert_eq!(refused.body["error"], "Validation failed", "{name}");
    }
    let assets = client.get("/api/v3/assets").await.unwrap();
    assert_eq!(assets["meta"]["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_say_what_a_file_is_not_its_name() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Quay House", "").await.unwrap();
    let made = upload(&client, &campaign, "kitchen.mp4", std::fs::read(&photos()[0]).unwrap()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["data"]["type"], &made.body["data"]["format"]), (&json!("image"), &json!("jpeg")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pixel_is_kept_as_an_asset_and_refused_as_a_frame() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Quay House", "").await.unwrap();
    for _ in 0..2 {
        let file = picture("1x1", world.scratch.path()).await;
        let made = upload(&client, &campaign, "dot.png", std::fs::read(file).unwrap()).await;
        assert_eq!((made.status.as_u16(), &made.body["data"]["width"]), (201, &json!(1)), "{}", made.body);
    }
    let refused = create(&client, json!({"campaign_id": campaign, "num_pairs": 1})).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    assert_eq!(world.stage.control().ledger().await.unwrap().predictions.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megapixels_are_accepted_with_a_thumbnail() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Quay House", "").await.unwrap();
    let file = picture("8660x5774", world.scratch.path()).await;
    let asset = client.upload(&campaign, &file, "roof").await.unwrap();
    assert_eq!((&asset["width"], &asset["height"]), (&json!(8660), &json!(5774)));
    let thumbnail = world.scratch.path().join("thumbnail.jpg");
    let path = format!("/api/v3/assets/{}/thumbnail", asset["id"].as_str().unwrap());
    client.download(&path, &thumbnail).await.unwrap();
    assert!(std::fs::metadata(thumbnail).unwrap().len() < 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_with_one_photograph_has_too_few() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 1).await;
    let refused = create(&client, json!({"campaign_id": campaign})).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["error"], "Need at least 2 image assets to start the pipeline, found 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_model_can_make_is_refused_field_by_field() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    for (field, value) in
        [("video_model", json!("sora-9")), ("aspect_ratio", json!("4:3")), ("clip_duration", json!(-3))]
    {
        let mut body = json!({"campaign_id": campaign, "num_pairs": 2});
        body[field] = value;
        let refused = create(&client, body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["error"]),
            (422, &json!("Validation failed")),
            "{field}"
        );
        assert!(refused.body["details"][field].is_array(), "{field}: {}", refused.body);
    }
    assert_eq!(crate::world::new_job(&client, &campaign, 2).await, 1, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_percents_and_line_breaks_come_through_whole() {
    let world = World::instant().await;
    let client = world.client();
    let name = "Rosie's \"Quay\" 100 % \n new";
    let campaign = campaign(&client, name, 4).await;
    let job = crate::world::approved_job(&client, &campaign, 2).await;
    let done = crate::world::finished(&client, job).await;
    assert_eq!(
        (&done["outcome"], &done["video_name"]),
        (&json!("full"), &json!(format!("{name} 1"))),
        "{done}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pending_job_can_be_approved() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = crate::world::approved_job(&client, &campaign, 2).await;
    crate::world::finished(&client, job).await;
    let again = client.call(Method::POST, &format!("/api/v3/jobs/{job}/approve"), None).await.unwrap();
    assert_eq!(again.status, 422);
    assert_eq!(again.body["error"], "Job cannot be approved");
    assert_eq!((&again.body["job_id"], &again.body["current_status"]), (&json!(job), &json!("completed")));
    let unknown = client.call(Method::POST, "/api/v3/jobs/99999/approve", None).await.unwrap();
    assert_eq!((unknown.status.as_u16(), &unknown.body["error"]), (404, &json!("Job not found")));
}
