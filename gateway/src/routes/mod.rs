//! The routes, one file per resource, and who may use which.

mod assets;
mod audio;
mod campaign_assets;
mod campaigns;
mod client_campaigns;
mod clients;
mod docs;
mod events;
mod generated_videos;
mod health;
mod jobs;
mod keys;
mod media;
mod older;
mod reply;
mod scenes;
mod stats;
mod testing;
pub(crate) mod text;
mod version;
mod videos;
mod webhooks;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use http::{HeaderMap, Method, Uri};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth, edge,
    problem::{Kind, Problem},
};

/// Routes that answer JSON to a caller with a key.
pub(crate) fn keyed() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(clients::create, clients::list))
        .routes(routes!(clients::get, clients::put, clients::patch, clients::delete))
        .routes(routes!(client_campaigns::list))
        .routes(routes!(campaigns::create, campaigns::list))
        .routes(routes!(campaigns::get, campaigns::put, campaigns::patch, campaigns::delete))
        .routes(routes!(campaign_assets::list))
        .routes(routes!(assets::create, assets::list))
        .routes(routes!(assets::create_unified))
        .routes(routes!(assets::create_from_url))
        .routes(routes!(assets::create_from_urls))
        .routes(routes!(assets::get, assets::delete))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(jobs::create_from_image_pairs))
        .routes(routes!(jobs::create_from_property_photos))
        .routes(routes!(jobs::create_of_campaign))
        .routes(routes!(jobs::create_from_brief, jobs::list))
        .routes(routes!(jobs::dry_run_from_brief))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::approve))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::edit_scene))
        .routes(routes!(jobs::reorder))
        .routes(routes!(older::act))
        .routes(routes!(older::sub_jobs))
        .routes(routes!(older::list))
        .routes(routes!(stats::of_client))
        .routes(routes!(stats::of_campaign))
        .routes(routes!(scenes::list))
        .routes(routes!(scenes::get, scenes::put, scenes::remove))
        .routes(routes!(scenes::regenerate))
        .routes(routes!(audio::status))
        .routes(routes!(audio::generate_scenes))
        .routes(routes!(generated_videos::list))
}

/// Routes that a browser opens by itself: a key, or a signed link.
pub(crate) fn linked() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(events::follow))
        .routes(routes!(videos::combined))
        .routes(routes!(videos::thumbnail))
        .routes(routes!(videos::clip))
        .routes(routes!(videos::clip_thumbnail))
        .routes(routes!(audio::download))
}

/// Routes for the providers' downloaders: a signed link, always.
pub(crate) fn signed() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(media::fetch))
}

/// Routes for everyone.
pub(crate) fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(assets::data))
        .routes(routes!(assets::data_alias))
        .routes(routes!(assets::thumbnail))
        .routes(routes!(audio::segment))
        .routes(routes!(webhooks::receive))
        .routes(routes!(webhooks::receive_by_query))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::openapi_alias))
        .routes(routes!(docs::swagger_ui))
        .routes(routes!(docs::swagger_file))
        .routes(routes!(docs::error_page))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(version::version))
}

/// Routes for trying out: with a key, with a key or a link, for everyone.
pub(crate) fn testing() -> [OpenApiRouter<App>; 3] {
    [testing::keyed(), testing::linked(), testing::public()]
}

/// Everything, ready to serve.
pub(crate) fn router(app: App) -> Router {
    let [testing_keyed, testing_linked, testing_public] =
        if app.settings.testing_routes { testing() } else { Default::default() };
    let keyed = keyed()
        .merge(testing_keyed)
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::key))
        .route_layer(middleware::from_fn(edge::json_only));
    let linked = linked()
        .merge(testing_linked)
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::key_or_link));
    let signed = signed().route_layer(middleware::from_fn_with_state(app.clone(), auth::link_only));
    let (router, _): (Router<App>, OpenApi) =
        keyed.merge(linked).merge(signed).merge(public()).merge(testing_public).split_for_parts();
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // Bodies are limited where they are read: a file may be larger than fields.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::framework(Kind::NotFound)
        .detail(format!("There is nothing at {}; /api/openapi.json lists all paths.", uri.path()))
}

async fn method_not_allowed(method: Method, _: HeaderMap) -> Problem {
    Problem::framework(Kind::MethodNotAllowed)
        .detail(format!("This path does not know {method}; the Allow header lists what it knows."))
}
