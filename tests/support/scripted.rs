//! A metric source that answers what a test tells it to, on a free loopback port.
//!
//! ```ignore
//! let source = Scripted::start(|seen| Reply::json(format!("answer {}", seen.count))).await;
//! ask(source.url());
//! assert_eq!(source.seen().len(), 1);
//! ```

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response,
    body::{Body, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpSocket, task::JoinHandle, time::Sleep};

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// 1 for the first request.
    pub count: usize,
    /// `GET`, `POST`.
    pub method: String,
    /// Without the query string.
    pub path: String,
    /// All headers.
    pub headers: HeaderMap,
    /// Query string and form, decoded, in order.
    pub form: Vec<(String, String)>,
}

impl Seen {
    /// The first value of a form field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let pair = self.form.iter().find(|(n, _)| n == name)?;
        Some(&pair.1)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A part of a body.
pub enum Piece {
    /// Sent as it is.
    Bytes(Bytes),
    /// A pause.
    Wait(Duration),
    /// The connection breaks.
    Break,
}

/// What is answered.
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    pieces: Box<dyn FnMut() -> Option<Piece> + Send>,
    reset: bool,
}

impl Reply {
    /// Status and body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let mut body = Some(body.into());
        Self::stream(move || body.take().map(Piece::Bytes)).status(status)
    }

    /// 200 and a JSON body.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200, body).header("content-type", "application/json")
    }

    /// 200 and a body piece by piece, until `None`.
    pub fn stream(pieces: impl FnMut() -> Option<Piece> + Send + 'static) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            pieces: Box::new(pieces),
            reset: false,
        }
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self::stream(|| Some(Piece::Wait(Duration::from_hours(1))))
    }

    /// Closes the connection without an answer.
    pub fn reset() -> Self {
        let mut reply = Self::stream(|| None);
        reply.reset = true;
        reply
    }

    /// Another status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The running server; it stops when dropped.
pub struct Scripted {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

impl Scripted {
    /// Starts; `handler` is asked for each request.
    #[expect(
        clippy::unused_async,
        reason = "binding needs a running Tokio runtime: `await` says so at the call"
    )]
    pub async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        // the usual 128 waiting connections are fewer than a bench opens at once; more would wait a second for their next try
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(4096).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler = Arc::new(handler);
        let log = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                let service = service_fn(move |request| {
                    let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                    async move { answer(request, &*handler, &log).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, seen, server }
    }

    /// Its base address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    handler: &(dyn Fn(&Seen) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) -> io::Result<Response<Pieces>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let query = parts.uri.query().unwrap_or_default();
    let text = format!("{query}&{}", String::from_utf8_lossy(&body));
    let seen = {
        let mut log = log.lock().unwrap();
        let seen = Seen {
            count: log.len() + 1,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            form: decode_form(&text),
        };
        log.push(seen.clone());
        seen
    };
    let reply = handler(&seen);
    if reply.reset {
        return Err(io::Error::other("reset"));
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let pieces = Mutex::new(reply.pieces);
    let body = Pieces {
        pieces,
        sleep: None,
    };
    response.body(body).map_err(io::Error::other)
}

fn decode_form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (percent(name), percent(value)))
        .collect()
}

fn percent(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&hex).unwrap_or_default();
                out.push(u8::from_str_radix(hex, 16).unwrap_or(b'?'));
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

struct Pieces {
    pieces: Mutex<Box<dyn FnMut() -> Option<Piece> + Send>>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.sleep = None;
            }
            let piece = (self.pieces.lock().unwrap())();
            match piece {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Wait(time)) => self.sleep = Some(Box::pin(tokio::time::sleep(time))),
                Some(Piece::Break) => return Poll::Ready(Some(Err(io::Error::other("break")))),
            }
        }
    }
}
