//! Somebody who is told: a webhook on a loopback port that passes on what it hears.

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender, task::JoinHandle};

/// A webhook that listens; dropping it ends that.
pub struct Ear {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Ear {
    /// Listens on a free port; each message goes to `heard`.
    pub async fn open(heard: UnboundedSender<Value>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/told", post(told)).with_state(heard);
        let task = tokio::spawn(async move {
            // it ends with the task
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where messages go.
    pub fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn told(State(heard): State<UnboundedSender<Value>>, body: Bytes) -> StatusCode {
    match serde_json::from_slice(&body) {
        // nobody listens any more: the demo ends
        Ok(message) => heard
            .send(message)
            .map_or(StatusCode::GONE, |()| StatusCode::NO_CONTENT),
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
