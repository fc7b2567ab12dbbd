//! Sockets: HTTP/1.1, HTTP/2 with prior knowledge, limits, gzip, the graceful end.

use super::double::{Double, GOOD, app, call, get, plain, post, problem};
use axum::{Router, body::Body, http::Request};
use http_body_util::Full;
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rollout_judge::http::{Auth, Limits, serve};
use std::{
    io::Read,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

async fn start(
    router: Router,
) -> (
    SocketAddr,
    tokio::sync::oneshot::Sender<()>,
    tokio::task::JoinHandle<std::io::Result<()>>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let wait = async move {
        let _ = stopped.await;
    };
    (
        address,
        stop,
        tokio::spawn(serve(listener, router, wait, Duration::from_secs(5))),
    )
}

fn body() -> Full<axum::body::Bytes> {
    Full::new(GOOD.into())
}

#[tokio::test]
async fn http_1_and_http_2_on_one_port() {
    let (address, _stop, _task) = start(plain().await).await;
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut one, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/v1/verdicts")
        .header("host", "x")
        .body(body())
        .unwrap();
    assert_eq!(one.send_request(request).await.unwrap().status(), 200);

    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut two, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = |path: &str| {
        Request::post(format!("http://{address}{path}"))
            .body(body())
            .unwrap()
    };
    let answer = two.send_request(request("/v1/verdicts")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, axum::http::Version::HTTP_2)
    );
    let answer = two.send_request(request("/nothing")).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.headers().get("connection").is_none());
}

#[tokio::test]
async fn calls_under_way_finish_when_the_service_stops() {
    let router = app(
        Double {
            wait: Some(Duration::from_millis(400)),
            ..Double::default()
        },
        Auth::open(),
        Limits::default(),
    )
    .await
    .0;
    let (address, stop, task) = start(router).await;
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let call = tokio::spawn(async move {
        let request = Request::post("/v1/verdicts")
            .header("host", "x")
            .body(body())
            .unwrap();
        client.send_request(request).await.unwrap().status()
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    assert_eq!(call.await.unwrap(), 200);
    task.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn bodies_over_the_limit() {
    let (status, code, _, _) = problem(
        plain().await,
        post("/v1/verdicts", "x".repeat(64 * 1024 + 1)),
    )
    .await;
    assert_eq!((status, code.as_str()), (413, "body-too-large"));
    // without an announced length, and with a wrong one
    let chunks = Body::new(Chunks(70));
    let (status, code, _, _) = problem(plain().await, post("/v1/verdicts", chunks)).await;
    assert_eq!((status, code.as_str()), (413, "body-too-large"));
    let mut request = post("/v1/verdicts", "{}");
    request
        .headers_mut()
        .insert("content-length", "1000000".parse().unwrap());
    assert_eq!(problem(plain().await, request).await.0, 413);
    let (status, _, _, _) = problem(
        plain().await,
        post("/v1/policies/check", "x".repeat(64 * 1024 + 1)),
    )
    .await;
    assert_eq!(status, 413);
}

/// A body that does not say how long it is.
struct Chunks(u32);

impl hyper::body::Body for Chunks {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.0 = self.0.saturating_sub(1);
        Poll::Ready((self.0 > 0).then(|| Ok(Frame::data(vec![b'x'; 1024].into()))))
    }
}

#[tokio::test]
async fn too_many_calls() {
    let limits = Limits {
        max_concurrent: 2,
        ..Limits::default()
    };
    let double = Double {
        wait: Some(Duration::from_millis(300)),
        ..Double::default()
    };
    let router = app(double, Auth::open(), limits).await.0;
    let slow: Vec<_> = (0..2)
        .map(|_| tokio::spawn(call(router.clone(), post("/v1/verdicts", GOOD))))
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (status, code, _, _) = problem(router.clone(), post("/v1/verdicts", GOOD)).await;
    assert_eq!((status, code.as_str()), (429, "too-many-requests"));
    assert_eq!(call(router.clone(), get("/healthz")).await.0.status(), 200);
    for call in slow {
        assert_eq!(call.await.unwrap().0.status(), 200);
    }
    assert_eq!(
        call(router, post("/v1/verdicts", GOOD)).await.0.status(),
        200
    );
}

#[tokio::test]
async fn gzip_when_asked() {
    let mut request = post("/v1/verdicts", GOOD);
    request
        .headers_mut()
        .insert("accept-encoding", "gzip".parse().unwrap());
    let (head, body) = call(plain().await, request).await;
    assert_eq!(head.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body)
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.starts_with(r#"{"id":"#));
}

#[tokio::test]
async fn request_ids() {
    let ask = async |id: &'static str| {
        let mut request = post("/v1/verdicts", GOOD);
        request
            .headers_mut()
            .insert("x-request-id", id.parse().unwrap());
        call(plain().await, request).await
    };
    assert_eq!(ask("run-1.2").await.0.headers()["x-request-id"], "run-1.2");
    let made = ask("a b{c}").await.0.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(made.len(), 36);
    let (head, _) = call(plain().await, get("/nothing")).await;
    assert_eq!(head.headers()["x-request-id"].len(), 36);
}
