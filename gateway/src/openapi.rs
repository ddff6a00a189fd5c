//! The OpenAPI document, generated from the handlers.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, Object, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, Schema, Type,
    path::{Operation, PathItem},
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_axum::router::OpenApiRouter;

use crate::{app::App, routes};

const KEY: &str = "api_key";
const LINK: &str = "signed_link";

/// Tags and what they hold.
const TAGS: &[(&str, &str)] = &[
    ("Clients", "Whom videos are made for."),
    ("Campaigns", "What videos are made of."),
    ("Assets", "Photos, videos and sounds, their bytes and their thumbnails."),
    ("Jobs", "Storyboards that become videos."),
    ("Scenes", "The parts of a job."),
    ("Videos", "The whole, its clips, and pictures of both."),
    ("Audio", "The soundtrack of a job."),
    ("Media", "Bytes by their hash, for the providers' downloaders."),
    ("Webhooks", "What the provider tells us."),
    ("Keys", "Who may come in, and what for."),
    (
        "Testing",
        "The parts of the pipeline, to be tried out; off in the gateway's own process unless switched on.",
    ),
    ("Docs", "What the API says of itself."),
    ("Health", "Whether it lives and can work."),
];

/// The OpenAPI 3.1 document of every route, as pretty-printed JSON without a newline at its end.
#[must_use]
pub fn openapi_json() -> String {
    let document = serde_json::to_value(document()).unwrap_or_default();
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn document() -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Filmstrip API")
                .version("3")
                .description(Some(
                    "Turns photographs into finished, scored videos. Errors are RFC 9457 problem details; \
                     input may be spelled in snake_case or camelCase; times are RFC 3339 in UTC.",
                ))
                .build(),
        )
        .build();
    document.merge(secured(routes::keyed(), &[KEY]));
    document.merge(secured(routes::linked(), &[KEY, LINK]));
    document.merge(secured(routes::signed(), &[LINK]));
    document.merge(secured(routes::public(), &[]));
    let [keyed, linked, public] = routes::testing();
    document.merge(secured(keyed, &[KEY]));
    document.merge(secured(linked, &[KEY, LINK]));
    document.merge(secured(public, &[]));
    document.tags = Some(
        TAGS.iter()
            .map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build())
            .collect(),
    );
    let components = document.components.get_or_insert_default();
    for item in document.paths.paths.values_mut() {
        for body in operations(item).filter_map(|operation| operation.request_body.as_mut()) {
            // A body without fields is as good as none.
            if let RefOr::T(body) = body
                && body.content.values().all(|content| asks_for_nothing(content, &components.schemas))
            {
                body.required = Some(Required::False);
            }
        }
    }
    let key =
        ApiKeyValue::with_description("X-API-Key", "One of the configured keys; none configured = open.");
    components.add_security_scheme(KEY, SecurityScheme::ApiKey(ApiKey::Header(key)));
    let link = ApiKeyValue::with_description("signature", "With `expires`, as in the `links` of a job.");
    components.add_security_scheme(LINK, SecurityScheme::ApiKey(ApiKey::Query(link)));
    document
}

/// Whether a body may be an object without members.
fn asks_for_nothing(content: &RefOr<Content>, schemas: &BTreeMap<String, RefOr<Schema>>) -> bool {
    let RefOr::T(Content { schema: Some(RefOr::Ref(named)), .. }) = content else { return false };
    let name = named.ref_location.rsplit('/').next().unwrap_or_default();
    matches!(schemas.get(name), Some(RefOr::T(Schema::Object(object))) if object.required.is_empty())
}

/// The routes' part of the document, each operation with what opens it and what it answers otherwise.
fn secured(router: OpenApiRouter<App>, openers: &[&str]) -> OpenApi {
    let mut part = router.into_openapi();
    for item in part.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.security = Some(match openers {
                [] => vec![SecurityRequirement::default()],
                some => {
                    some.iter().map(|name| SecurityRequirement::new(*name, Vec::<String>::new())).collect()
                }
            });
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && parameter.name == "Idempotency-Key"
                {
                    parameter.schema = Some(idempotency_key().into());
                }
            }
            let answers = &mut operation.responses.responses;
            if openers.contains(&KEY) {
                answers.insert("401".to_owned(), problem("No valid key"));
                answers.insert("403".to_owned(), problem("The key does not allow it"));
            }
            answers.insert("default".to_owned(), problem("Anything else that went wrong"));
        }
    }
    part
}

/// What [`crate::params::CommandId`] takes.
fn idempotency_key() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some("^[!-~]+$"))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn problem(description: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response =
        ResponseBuilder::new().description(description).content("application/problem+json", content).build();
    RefOr::T(response)
}
