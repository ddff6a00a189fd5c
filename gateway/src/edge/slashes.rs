//! Trailing and duplicate slashes in a path are ignored.

use http::{Request, Uri, uri::PathAndQuery};

/// The request with its path collapsed; everything else stays.
pub(crate) fn collapse<B>(mut request: Request<B>) -> Request<B> {
    if let Some(uri) = collapsed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn collapsed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let clean = clean(path);
    if clean == path {
        return None;
    }
    let target = match uri.query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn clean(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        clean.push('/');
        clean.push_str(part);
    }
    if clean.is_empty() { "/".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_and_duplicate_slashes_are_ignored() {
        for (given, wanted) in [
            ("/api/v3/clients/", "/api/v3/clients"),
            ("//api///v3/clients", "/api/v3/clients"),
            ("/api/v3/clients/?limit=1", "/api/v3/clients?limit=1"),
            ("/api/v3/clients", "/api/v3/clients"),
            ("/", "/"),
            ("//", "/"),
        ] {
            let request = collapse(Request::builder().uri(given).body(()).expect("a request"));
            assert_eq!(request.uri().to_string(), wanted);
        }
    }
}
