//! Successful JSON answers.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::problem::Problem;

/// A JSON body with a status.
pub(crate) struct Reply<T>(pub(crate) StatusCode, pub(crate) T);

impl<T> Reply<T> {
    /// 200.
    pub(crate) fn ok(body: T) -> Self {
        Self(StatusCode::OK, body)
    }

    /// 201.
    pub(crate) fn created(body: T) -> Self {
        Self(StatusCode::CREATED, body)
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let Self(status, body) = self;
        match serde_json::to_vec(&body) {
            Ok(bytes) => {
                let json = HeaderValue::from_static("application/json; charset=utf-8");
                (status, [(header::CONTENT_TYPE, json)], bytes).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Problem::internal().into_response()
            }
        }
    }
}
