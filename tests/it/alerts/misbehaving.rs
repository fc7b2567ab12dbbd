//! Servers that hang, flood, redirect and ask for patience.

use super::{
    Secrets,
    endpoint::{Act, Endpoint, status},
    message::message,
    notifier,
};
use rollout_judge::domain::{EventKind, Notifier, NotifyError};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

fn slack(server: &Endpoint, more: &str) -> (Arc<dyn Notifier>, Secrets) {
    let secrets = Secrets::new();
    let url = secrets.keep("url", &server.url("/hook"));
    (
        notifier(&format!("{{ slack: {{ url: {url} }}, {more} }}")),
        secrets,
    )
}

#[tokio::test]
async fn a_redirect_is_an_error_that_says_so() {
    let other = Endpoint::start(|_| status(200)).await;
    let elsewhere = other.url("/elsewhere");
    for code in [301, 302, 307, 308] {
        let to = elsewhere.clone();
        let server = Endpoint::start(move |_| {
            Act::Answer(code, vec![("location", to.clone())], String::new())
        })
        .await;
        let (receiver, _secrets) = slack(&server, "timeout: 5s");
        let NotifyError::Later { detail, .. } =
            receiver.tell(&message(EventKind::Fail)).await.unwrap_err()
        else {
            panic!("a redirect may be mended");
        };
        assert!(detail.contains("redirects are not followed"), "{detail}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_gigabyte_is_not_read() {
    for code in [200, 400, 500] {
        let server = Endpoint::start(move |_| Act::Flood(code)).await;
        let (receiver, _secrets) = slack(&server, "timeout: 20s");
        let told = receiver.tell(&message(EventKind::Fail)).await;
        assert_eq!(told.is_ok(), code == 200, "{told:?}");
        if let Err(error) = told {
            assert!(error.to_string().len() < 500, "{error}");
        }
        // what the buffers of both sides hold
        assert!(server.flooded.load(Ordering::Relaxed) < 32 << 20, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_closes_is_tried_again() {
    let server = Endpoint::start(|_| Act::Hang).await;
    let (receiver, _secrets) = slack(&server, "timeout: 200ms");
    let hung = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
    assert!(
        hung.to_string().contains("no answer within 200ms"),
        "{hung}"
    );
    server.behave(|_| Act::Close);
    let closed = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
    for error in [hung, closed] {
        assert!(
            matches!(error, NotifyError::Later { after: None, .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn patience_is_heard() {
    for code in [429, 503] {
        let server = Endpoint::start(move |_| {
            Act::Answer(
                code,
                vec![("retry-after", "77".to_owned())],
                "rate_limited".to_owned(),
            )
        })
        .await;
        let (receiver, _secrets) = slack(&server, "timeout: 5s");
        let told = receiver.tell(&message(EventKind::Fail)).await.unwrap_err();
        let NotifyError::Later { after, detail } = told else {
            panic!("{told:?}")
        };
        assert_eq!(after, Some(Duration::from_secs(77)));
        assert!(detail.contains("rate_limited"), "{detail}");
    }
}
