//! `healthcheck`: one GET with nothing but the standard library, for images without curl.

use super::run::Stop;
use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(3);

/// Exit 0 when the answer is 200.
pub fn run(url: &str) -> Result<u8, Stop> {
    let (authority, path) = split(url)?;
    match ask(&authority, &path) {
        Ok(200) => Ok(0),
        Ok(status) => Err(Stop::failed(format!("{url} answers {status}"))),
        Err(error) => Err(Stop::failed(format!("{url}: {error}"))),
    }
}

fn split(url: &str) -> Result<(String, String), Stop> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err(Stop::usage(format!(
            "`{url}` does not begin with `http://`; ask the service itself, not its proxy"
        )));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if authority.is_empty() || !plain(authority) || !plain(path) {
        return Err(Stop::usage(format!(
            "`{url}` is not a URL; give for example http://127.0.0.1:8080/readyz"
        )));
    }
    let has_port = authority
        .rsplit(']')
        .next()
        .unwrap_or(authority)
        .contains(':');
    let authority = if has_port {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    // the service's own page tells nothing of its health
    let path = if path.is_empty() { "readyz" } else { path };
    Ok((authority, format!("/{path}")))
}

fn ask(authority: &str, path: &str) -> std::io::Result<u16> {
    let mut last = std::io::Error::other("the name has no address");
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return exchange(stream, authority, path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, authority: &str, path: &str) -> std::io::Result<u16> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut head = Vec::new();
    let mut buffer = [0; 256];
    while !head.contains(&b'\n') && head.len() < 4096 {
        match stream.read(&mut buffer)? {
            0 => break,
            n => head.extend_from_slice(buffer.get(..n).unwrap_or_default()),
        }
    }
    String::from_utf8_lossy(&head)
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_url_without_a_path_asks_readyz() {
        for (url, authority, path) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "/readyz"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080", "/readyz"),
            ("http://judge", "judge:80", "/readyz"),
            ("http://[::1]:8080/healthz", "[::1]:8080", "/healthz"),
        ] {
            let asked = split(url).unwrap();
            assert_eq!(asked, (authority.to_owned(), path.to_owned()), "{url}");
        }
    }
}
