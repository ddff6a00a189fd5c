//! Bytes that a source has only an address of: left out and told, fetched when that is wished, brought by a later run.

use legacysources::{AssetBytes, Orphans, Truth, scenes_db};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{
    place::{Place, bytes, listed, status, stop},
    report,
    sources::sql,
};

/// Answers every request with these bytes as a photograph; where it listens.
async fn somewhere(photo: Vec<u8>) -> String {
    answering("200 OK", "image/jpeg", photo).await
}

/// Answers every request like this; where it listens.
async fn answering(status: &'static str, content_type: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut head, mut piece) = (Vec::new(), [0; 1024]);
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut piece).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => head.extend_from_slice(&piece[..read]),
                }
            }
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    });
    format!("http://{address}/photo.jpg")
}

/// The assets that have only an address.
fn at_a_url(truth: &Truth) -> Vec<&str> {
    let there: Vec<&str> = truth
        .assets(Orphans::Skip)
        .filter(|(asset, _)| matches!(asset.bytes, AssetBytes::AtUrl(_)))
        .map(|(asset, _)| asset.id.as_str())
        .collect();
    assert!(there.len() >= 2);
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_only_an_address_comes_without_bytes_and_gets_them_from_a_later_run_that_fetches() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 5).unwrap();
    let photo = std::fs::read(&crate::world::photos()[0]).unwrap();
    let url = somewhere(photo.clone()).await;
    let there = at_a_url(&truth);
    for id in &there {
        sql(&source, &format!("UPDATE assets SET source_url = '{url}?{id}' WHERE id = '{id}'"));
    }
    let ran = place.import(&source, &[]).await.well();
    let missing = report::rows(&ran.report, "missing");
    assert!(there.iter().all(|id| missing.contains(&("assets".to_owned(), (*id).to_owned()))), "{missing:?}");

    let fetch = ["--fetch", "--import-from-loopback"];
    let ran = place.import(&source, &fetch).await.well();
    assert_eq!(ran.report["counts"]["assets"]["completed"], json!(there.len()));
    let missing = report::rows(&ran.report, "missing");
    assert!(
        there.iter().all(|id| !missing.contains(&("assets".to_owned(), (*id).to_owned()))),
        "{missing:?}"
    );
    place.import(&source, &["--verify"]).await.well();
    let again = place.import(&source, &fetch).await.well();
    assert_eq!(again.report["counts"]["assets"]["completed"], json!(0), "nothing is fetched twice");

    let server = place.serve().await;
    for id in &there {
        let path = format!("/api/v2/assets/{id}/data");
        assert_eq!(bytes(&server.client(), &path).await, photo, "{path}");
    }
    stop(server).await;
}

/// The reasons that a report has for a row of `missing`.
fn reasons<'a>(report: &'a Value, id: &str) -> Vec<&'a str> {
    let rows = report["missing"].as_array().unwrap().iter();
    rows.filter(|row| row["row"] == id).map(|row| row["reason"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_gives_a_page_or_nothing_leaves_an_asset_without_bytes_and_is_told() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 5).unwrap();
    let page = "<!DOCTYPE html><html><title>This photo has moved</title></html>";
    let page = answering("200 OK", "text/html", page.into()).await;
    let gone = answering("404 Not Found", "text/plain", "no such photo".into()).await;
    let there = at_a_url(&truth);
    let (a_page, nothing) = (there[0], &there[1..]);
    for id in &there {
        let url = if *id == a_page { &page } else { &gone };
        sql(&source, &format!("UPDATE assets SET source_url = '{url}?{id}' WHERE id = '{id}'"));
    }

    let fetch = ["--fetch", "--import-from-loopback"];
    let ran = place.import(&source, &fetch).await.well();
    assert_eq!(ran.report["complete"], true);
    assert!(report::rows(&ran.report, "refused").is_empty(), "{}", ran.report["refused"]);
    assert!(!reasons(&ran.report, a_page).is_empty(), "{}", ran.report["missing"]);
    for id in nothing {
        let told = reasons(&ran.report, id);
        assert!(told.iter().any(|reason| reason.contains("HTTP 404")), "{told:?}");
    }
    place.import(&source, &["--verify"]).await.well();

    let server = place.serve().await;
    let client = server.client();
    let rows = listed(&client, "/api/v3/assets").await;
    for id in &there {
        let row = rows.iter().find(|row| row["id"] == *id).unwrap_or_else(|| panic!("{id} did not come"));
        assert_eq!((&row["sha256"], &row["size"]), (&Value::Null, &Value::Null), "{row}");
        assert_eq!(status(&client, &format!("/api/v3/assets/{id}/data")).await, 502);
    }
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_in_a_source_is_never_called() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 5).unwrap();
    let url = somewhere(b"a secret of this machine".to_vec()).await;
    let at_url = truth.assets(Orphans::Skip).find(|(asset, _)| matches!(asset.bytes, AssetBytes::AtUrl(_)));
    let id = &at_url.unwrap().0.id;
    sql(&source, "UPDATE assets SET source_url = NULL, url = '' WHERE blob_id IS NULL AND blob_data IS NULL");
    sql(&source, &format!("UPDATE assets SET source_url = '{url}' WHERE id = '{id}'"));
    let ran = place.import(&source, &["--fetch"]).await.well();
    assert!(report::rows(&ran.report, "missing").contains(&("assets".to_owned(), id.clone())));
    let server = place.serve().await;
    assert_eq!(status(&server.client(), &format!("/api/v3/assets/{id}/data")).await, 502);
    stop(server).await;
}
