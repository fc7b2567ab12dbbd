//! A pod's address: a loopback port of its own.

use super::{Arm, Shop};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Content type of the text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A port that answers with a pod's `/metrics`; dropping it ends that.
pub struct Host {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Which page is served.
#[derive(Clone)]
struct Served {
    shop: Arc<Mutex<Shop>>,
    arm: Arm,
    pod: usize,
}

impl Host {
    /// Takes a free loopback port and answers there.
    pub async fn open(shop: Arc<Mutex<Shop>>, arm: Arm, pod: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/metrics", get(metrics))
            .with_state(Served { shop, arm, pod });
        let task = tokio::spawn(async move {
            // it ends with the task
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn metrics(State(served): State<Served>) -> Response {
    let page = {
        let shop = served.shop.lock().unwrap_or_else(PoisonError::into_inner);
        shop.page(served.arm, served.pod)
    };
    match page {
        Some(page) => ([(header::CONTENT_TYPE, TEXT)], page).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
