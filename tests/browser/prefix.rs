//! Behind a reverse proxy that strips a path prefix: links, scripts, charts, events and forms find their way.

use super::{ground::Ground, tab::Tab};
use serde_json::json;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

/// What the proxy strips.
const PREFIX: &str = "/tools/judge";

/// Strips the prefix and hands on; anything else is 502. Its address.
fn proxy(service: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = service.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let to = to.clone();
            // a browser that goes away is no failure
            thread::spawn(move || pass(stream, &to).ok());
        }
    });
    url
}

/// One request to a connection.
fn pass(mut from: TcpStream, to: &str) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let Some((before, after)) = head
        .split_once(PREFIX)
        .filter(|(method, rest)| !method.contains('/') && rest.starts_with('/'))
    else {
        return from.write_all(
            b"HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        );
    };
    let kept = after
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .take_while(|line| !line.is_empty());
    let kept: Vec<&str> = kept.collect();
    let mut service = TcpStream::connect(to)?;
    service.write_all(
        format!("{before}{}\r\nconnection: close\r\n\r\n", kept.join("\r\n")).as_bytes(),
    )?;
    let (mut up, mut down) = (from.try_clone()?, service.try_clone()?);
    thread::spawn(move || io::copy(&mut up, &mut down));
    io::copy(&mut service, &mut from)?;
    from.shutdown(Shutdown::Both)
}

#[test]
fn a_prefix_that_a_proxy_strips_is_fine() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = ground.own();
    super::support::rollouts::verdict(
        &service,
        &super::support::rollouts::question(ground.recording("healthy_basic"), 1860),
    );
    let root = format!("{}{PREFIX}/", proxy(&service.url("")));
    // the root leads to the list; then as a person goes
    tab.settle(&root);
    assert_eq!(tab.url(), format!("{root}rollouts"));
    tab.click("tbody th a");
    tab.until(
        "the charts are drawn",
        "return document.getElementById('charts')?.dataset.state === 'ready' && document.getElementById('live').dataset.state === 'live'",
    );
    assert_eq!(tab.url(), format!("{root}rollouts/shop/healthy-basic"));
    tab.click("a.button[href*='override']");
    tab.until(
        "the form is there",
        "return document.querySelector('#reason') !== null",
    );
    tab.click("input[value=pass]");
    tab.fill("#reason", "seen through a proxy");
    tab.click("form.form button.primary");
    tab.until(
        "the override is in force",
        "return document.body.innerText.includes('The override is in force.')",
    );
    assert!(tab.url().starts_with(&root), "{}", tab.url());
    // every link of every page stays below the prefix and leads somewhere
    let mut seen = Vec::new();
    for page in [
        "rollouts",
        "policies",
        "policies/shop",
        "sources",
        "deliveries",
        "rollouts/shop/healthy-basic/override",
    ] {
        tab.settle(&format!("{root}{page}"));
        let links = tab.run_with(
            "const root = arguments[0];
             const links = [...document.querySelectorAll('a[href], link[href], script[src]')].map((e) => (e.href || e.src).split('#')[0]);
             const own = [...new Set(links)].filter((l) => new URL(l).origin === location.origin);
             return Promise.all(own.map((l) => fetch(l).then((r) => [l.startsWith(root), r.status]).then(([below, status]) => (below && status === 200 ? null : `${l}: ${status}`)))).then((all) => all.filter(Boolean))",
            vec![json!(root)],
        );
        if links != json!([]) {
            seen.push(format!("{page}: {links}"));
        }
        seen.extend(tab.complaints("-"));
    }
    assert!(seen.is_empty(), "{}", seen.join("\n"));
}
