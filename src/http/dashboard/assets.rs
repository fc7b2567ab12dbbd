//! Files inside the binary. The name in a URL holds the digest of the content, so that it can be kept for ever.

use super::shell::PageProblem;
use crate::http::problem::Problem;
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use rust_embed::RustEmbed;
use std::{collections::BTreeMap, fmt::Write, sync::LazyLock};

#[derive(RustEmbed)]
#[folder = "src/http/dashboard/assets/"]
struct Files;

/// Hex digits of the digest in a name.
const DIGITS: usize = 12;

/// Name in the source tree, and name in a URL.
static NAMES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let named = |file: std::borrow::Cow<'static, str>| {
        let content = Files::get(&file)?;
        let mut digest = String::new();
        for byte in content.metadata.sha256_hash() {
            let _ = write!(digest, "{byte:02x}");
        }
        digest.truncate(DIGITS);
        let (stem, kind) = file.rsplit_once('.')?;
        Some((file.to_string(), format!("{stem}.{digest}.{kind}")))
    };
    Files::iter().filter_map(named).collect()
});

/// The path of an asset from the root of the service: `assets/base.0123456789ab.css`.
pub fn path(file: &str) -> String {
    let name = NAMES.get(file).map_or(file, String::as_str);
    format!("assets/{name}")
}

/// `GET /assets/{file}`
pub async fn serve(
    Path(asked): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, PageProblem> {
    let found = NAMES.iter().find(|(_, name)| **name == asked);
    let content = found.and_then(|(file, _)| Some((file, Files::get(file)?)));
    let Some((file, content)) = content else {
        let text = "there is no such file; reload the page, which names the present ones";
        return Err(Problem::new("not-found", text).into());
    };
    // weak: the layer outside may compress
    let tag = format!("W/\"{asked}\"");
    let known = headers.get(header::IF_NONE_MATCH);
    let same = known.is_some_and(|v| v.to_str().is_ok_and(|v| v.contains(&tag)));
    let mut response = if same {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(content.data))
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(file)),
    );
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, kept);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map(|(_, kind)| kind) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventKind;

    #[test]
    fn the_script_listens_to_every_kind_of_event() {
        let script = Files::get("live.js").unwrap().data;
        let script = std::str::from_utf8(&script).unwrap();
        for kind in EventKind::ALL {
            let word = format!("\"{}\"", kind.as_str());
            assert!(script.contains(&word), "{word}");
        }
    }
}
