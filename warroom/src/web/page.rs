//! The page's files, from a directory. Nothing outside it is served, whatever a path says.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::{problem, same, tag_of};
use crate::api::Problem;
use crate::limits::PAGE_FILE_BYTES_MAX;

/// What the page may do: its own scripts, styles and pictures, and ask its own server. Nothing
/// inline, nothing from elsewhere, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Kinds of files that a page has.
const KINDS: [(&str, &str); 10] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("json", "application/json; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("webmanifest", "application/manifest+json"),
    ("txt", "text/plain; charset=utf-8"),
];

/// A directory with the page.
pub(super) struct Pages(PathBuf);

impl Pages {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    pub(super) fn answer(
        &self,
        path: &str,
        method: &Method,
        known: Option<&HeaderValue>,
    ) -> Response {
        let Some((body, kind)) = self.read(path) else {
            return problem(&Problem::no_path());
        };
        let tag = tag_of(&body);
        let fresh = same(known, &tag);
        let whole = !fresh && method == Method::GET;
        let mut response = Response::new(Body::from(if whole { body } else { Vec::new() }));
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-cache"),
            (header::ETAG, tag.as_str()),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "permissions-policy",
                "camera=(), geolocation=(), microphone=()",
            ),
        ] {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// A file by its path: names of letters, digits, `.`, `-` and `_` alone, none that is hidden.
    fn read(&self, path: &str) -> Option<(Vec<u8>, &'static str)> {
        let path = match path.trim_start_matches('/') {
            "" => "index.html",
            path => path,
        };
        let mut file = self.0.clone();
        for name in path.split('/') {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            if name.is_empty() || name.starts_with('.') || !name.bytes().all(plain) {
                return None;
            }
            file.push(name);
        }
        let extension = path.rsplit('.').next()?;
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == extension)?;
        // Before it is opened: a pipe would keep whoever opens it.
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let open = File::open(&file).ok()?;
        let mut bytes = Vec::new();
        open.take(PAGE_FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .ok()?;
        (bytes.len() as u64 <= PAGE_FILE_BYTES_MAX).then_some((bytes, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_page_are_served() {
        let dir = tempfile::tempdir().unwrap();
        let web = dir.path().join("web");
        std::fs::create_dir_all(web.join("assets")).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "no").unwrap();
        std::fs::write(web.join("index.html"), "<p>").unwrap();
        std::fs::write(web.join(".env"), "no").unwrap();
        std::fs::write(web.join("assets/a-1.js"), "1").unwrap();
        std::fs::write(web.join("data.sqlite"), "no").unwrap();
        let pages = Pages::new(web);
        for (path, kind) in [("/", "text/html"), ("/assets/a-1.js", "text/javascript")] {
            let response = pages.answer(path, &Method::GET, None);
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let headers = response.headers();
            let got = headers[header::CONTENT_TYPE].to_str().unwrap();
            assert!(got.starts_with(kind), "{path}: {got}");
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(
                !policy.contains("unsafe") && !policy.contains('*'),
                "{policy}"
            );
            let known = headers[header::ETAG].clone();
            let again = pages.answer(path, &Method::GET, Some(&known));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        }
        for path in [
            "/../secret.txt",
            "/assets/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/.env",
            "/assets",
            "/data.sqlite",
            "//secret.txt",
            "/missing.js",
        ] {
            let response = pages.answer(path, &Method::GET, None);
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
