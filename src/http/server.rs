//! Serving: HTTP/1.1 and HTTP/2 with prior knowledge on one port, and a graceful end.

use axum::Router;
use std::{future::Future, io, time::Duration};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Calls that may wait to be taken in. One more than that waits a second for its next try, and the usual 128 are fewer than
/// rollouts that ask at the same moment.
const BACKLOG: u32 = 4096;

/// Listens on the first address of a name that can be had.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = None;
    for address in lookup_host(address).await? {
        let bound = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        };
        match bound() {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::other("no address of that name")))
}

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
    // made into a service here: a bare router would be copied, route by route, for each connection
    let server = axum::serve(listener, router.into_make_service()).with_graceful_shutdown(signal);
    // on a worker: the thread that waits here would have to hand each connection over to one
    let mut server = tokio::spawn(server.into_future());
    let too_long = async move {
        if told.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        done = &mut server => done.unwrap_or_else(|error| Err(io::Error::other(error))),
        () = too_long => {
            tracing::warn!(seconds = grace.as_secs_f64(), "calls were still under way when the grace ended");
            server.abort();
            Ok(())
        }
    }
}
