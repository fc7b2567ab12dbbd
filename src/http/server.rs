//! Serving: HTTP/1.1 and HTTP/2 with prior knowledge on one port, and a graceful end.

use axum::Router;
use std::{future::Future, io, time::Duration};
use tokio::net::TcpListener;

/// Serves until `stop` resolves; then lets calls under way finish, but no longer than `grace`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        let _ = tell.send(());
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(signal);
    let too_long = async move {
        if told.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        done = server => done,
        () = too_long => {
            tracing::warn!(seconds = grace.as_secs_f64(), "calls were still under way when the grace ended");
            Ok(())
        }
    }
}
