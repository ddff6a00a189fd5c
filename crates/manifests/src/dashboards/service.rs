//! The dashboard of one service: what it is asked, what it has to do, what it tells others, and what that takes.

use serde_json::Value;

use super::{
    board::Board,
    panel::{BYTES_PER_SECOND, COUNT, Look, PER_SECOND, Panel, SECONDS},
    parts::{self, MOST, of, quantile, rate},
};

pub(super) fn board(service: &str) -> Value {
    let about = match service {
        "gateway" => "The public API. Keeps nothing; calls the five services.",
        "asset" => "Clients, campaigns, assets and their thumbnails.",
        "job" => "Jobs, scenes and storyboards: the one that decides.",
        "render" => "Scene to clip. Buys at the provider, as many at a time as the account allows.",
        "stitch" => "Clips to video. Wants processors: two products at a time in each replica.",
        _ => "Scenes to soundtrack, and scripts to speech. Buys at providers.",
    };
    let uid = super::uid(service);
    let board =
        Board::new(&uid, &format!("Filmstrip: {service}"), about).row("The process", parts::process(service));
    let board = if service == "gateway" {
        board.row("Requests", requests()).row("Calls to the services", parts::made(service))
    } else {
        board.row("Calls", parts::served(service))
    };
    let board =
        if service == "job" { board.row("Calls to other services", parts::made(service)) } else { board };
    let board = match service {
        "job" | "render" | "stitch" | "audio" => board.row("Work", parts::work(service)),
        _ => board,
    };
    let board = match service {
        "job" | "render" | "audio" => board.row("Providers", parts::providers(service)),
        _ => board,
    };
    let board = match service {
        "render" | "audio" => board.row("Predictions", parts::predictions(service)),
        _ => board,
    };
    let board = match service {
        "asset" | "render" | "stitch" | "audio" => board.row("Media programs", parts::media(service)),
        _ => board,
    };
    let board = if service == "job" { board } else { board.row("Bytes", parts::bytes(service)) };
    let board = if service == "gateway" { board } else { board.row("Events", parts::events(service)) };
    let board = if service == "job" { board.row("What it hears", parts::heard(service)) } else { board };
    board.row("Log", parts::log(service)).json()
}

/// By route, which the product's dashboard does not tell.
fn requests() -> Vec<Panel> {
    let own = of("gateway");
    let failed = format!("{own}, http_response_status_code=~\"5..\"");
    let count = "http_server_request_duration_seconds_count";
    let legend = "{{http_request_method}} {{http_route}}";
    let route = "http_request_method, http_route";
    vec![
        Panel::new("Requests", Look::Stack, PER_SECOND, "Requests in a second, by route.").ask(rate(count, &own, route), legend),
        Panel::new("Requests that fail", Look::Stack, PER_SECOND, "Requests in a second that were answered with 5xx, by route and status. Normal: none. 503 says what is away.")
            .ask(rate(count, &failed, "http_request_method, http_route, http_response_status_code"), "{{http_request_method}} {{http_route}} {{http_response_status_code}}"),
        Panel::new("Time to answer", Look::Lines, SECONDS, "95 of 100 answers began sooner, by route. Normal: below 500 ms, but for uploads.")
            .ask(quantile(MOST, "http_server_request_duration_seconds", &own, route), legend),
        Panel::new("Requests under way", Look::Stack, COUNT, "By method, over all replicas; streams of events and of media until their end.")
            .ask(format!("sum by (http_request_method) (http_server_active_requests{{{own}}})"), "{{http_request_method}}"),
        Panel::new("Bytes in", Look::Stack, BYTES_PER_SECOND, "Bytes of bodies that came in, in a second, by route.")
            .ask(rate("http_server_request_body_size_bytes_sum", &own, route), legend),
        Panel::new("Bytes out", Look::Stack, BYTES_PER_SECOND, "Bytes of bodies that went out, in a second, by route.")
            .ask(rate("http_server_response_body_size_bytes_sum", &own, route), legend),
    ]
}
