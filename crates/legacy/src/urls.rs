//! URLs as the older services wrote them: of their own, of where things came from, and of providers.

/// Whether it leads out of the service, to where bytes may be fetched.
pub(crate) fn external(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://"))
        && !lower.contains("/api/v2/assets/")
        && !lower.contains("/api/v3/assets/")
}

/// Without what may let someone in: query, fragment and what stands before the host's name.
pub(crate) fn bare(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_the_service_itself_is_not_where_bytes_came_from() {
        assert!(external("https://example.com/a.jpg"));
        assert!(!external("https://old.example.com/api/v2/assets/1/data"));
        assert!(!external("/api/v3/assets/1/data"));
        assert!(!external("ftp://example.com/a.jpg"));
    }

    #[test]
    fn what_may_let_someone_in_is_not_said() {
        assert_eq!(bare("https://u:p@example.com/a/b.mp4?sig=1#x"), "https://example.com/a/b.mp4");
        assert_eq!(bare("https://example.com?sig=a/b"), "https://example.com");
        assert_eq!(bare("pending"), "pending");
    }
}
