//! A small HTTP server that keeps what it is sent and behaves as it is told.

use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    header::HeaderMap,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// One request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// What it does with a request.
pub enum Act {
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Never answers.
    Hang,
    /// Closes the connection.
    Close,
    /// Answers a gigabyte with this status.
    Flood(u16),
}

/// Status without a body.
pub fn status(status: u16) -> Act {
    Act::Answer(status, vec![], String::new())
}

type Behave = dyn Fn(&Seen) -> Act + Send + Sync;

/// A server on a loopback port of its own; it ends when it is dropped.
pub struct Endpoint {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    behave: Arc<Mutex<Arc<Behave>>>,
    /// Bytes of floods that were taken from us.
    pub flooded: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

const GIGABYTE: u64 = 1 << 30;
const CHUNK: &[u8] = &[b'x'; 1 << 16];

impl Endpoint {
    pub async fn start(behave: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let behave: Arc<Mutex<Arc<Behave>>> = Arc::new(Mutex::new(Arc::new(behave)));
        let flooded = Arc::new(AtomicU64::new(0));
        let (kept, how, counted) = (Arc::clone(&seen), Arc::clone(&behave), Arc::clone(&flooded));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, how, counted) =
                    (Arc::clone(&kept), Arc::clone(&how), Arc::clone(&counted));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        answer(
                            request,
                            Arc::clone(&kept),
                            Arc::clone(&how),
                            Arc::clone(&counted),
                        )
                    });
                    // a client that goes away is no failure of ours
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            port,
            seen,
            behave,
            flooded,
            task,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn behave(&self, behave: impl Fn(&Seen) -> Act + Send + Sync + 'static) {
        *self.behave.lock().unwrap() = Arc::new(behave);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().expect("nothing was sent")
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Seen>>>,
    behave: Arc<Mutex<Arc<Behave>>>,
    flooded: Arc<AtomicU64>,
) -> io::Result<Response<BoxBody<Bytes, Infallible>>> {
    let (head, body) = request.into_parts();
    let seen = Seen {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: body
            .collect()
            .await
            .map_err(io::Error::other)?
            .to_bytes()
            .to_vec(),
    };
    let behave = Arc::clone(&behave.lock().unwrap());
    let act = behave(&seen);
    kept.lock().unwrap().push(seen);
    match act {
        Act::Answer(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::new(Bytes::from(body)).boxed()).unwrap())
        }
        Act::Hang => std::future::pending().await,
        Act::Close => Err(io::Error::other("closed")),
        Act::Flood(status) => {
            let frames =
                futures_util::stream::iter(0..GIGABYTE / CHUNK.len() as u64).map(move |_| {
                    flooded.fetch_add(CHUNK.len() as u64, Ordering::Relaxed);
                    Ok::<_, Infallible>(Frame::data(Bytes::from_static(CHUNK)))
                });
            let body = BodyExt::boxed(StreamBody::new(frames));
            Ok(Response::builder().status(status).body(body).unwrap())
        }
    }
}

use futures_util::StreamExt;

/// Asks until it holds; panics with `what` after a minute.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
