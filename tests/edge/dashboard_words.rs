//! Words of pages that would mislead where they said more, or less, than is so.

use super::{
    dashboard::{page, shown},
    dashboard_detail::text,
    double::{NOW, Shelf, get},
    ground::{Ground, Judged},
    history::with_token,
};
use rollout_judge::{
    domain::Outcome,
    http::{Catalog, CheckAnswer, DiagnosticAnswer, FileAnswer},
    policy::Policy,
};
use std::sync::Arc;

/// A shelf with a file of mistakes on it.
struct Stale;

impl Catalog for Stale {
    fn all(&self) -> Vec<Arc<Policy>> {
        Shelf.all()
    }
    fn get(&self, name: &str) -> Option<Arc<Policy>> {
        Catalog::get(&Shelf, name)
    }
    fn problems(&self) -> Vec<FileAnswer> {
        vec![FileAnswer {
            file: "/etc/bank/ledger.yaml".into(),
            since: "2026-01-02T03:04:05Z".into(),
            kept: vec!["http-service".into()],
            diagnostics: vec![DiagnosticAnswer {
                code: "unknown-key",
                line: 1,
                column: 1,
                length: 4,
                label: String::new(),
                message: "secret of the bank".into(),
                help: String::new(),
            }],
            rendered: "error: secret of the bank".into(),
        }]
    }
    fn check(&self, text: &str) -> CheckAnswer {
        Shelf.check(text)
    }
}

#[tokio::test]
async fn mistakes_of_files_are_for_tokens_of_all_namespaces() {
    let ground = Ground::new().await.tokens().catalog(Arc::new(Stale));
    let router = ground.router();
    for path in ["/policies", "/policies/http-service", "/v1/policies"] {
        for (token, sees) in [("shop", false), ("all", true)] {
            let (status, body) = page(&router, with_token(get(path), token)).await;
            assert_eq!(status, 200, "{body}");
            for word in ["ledger.yaml", "secret of the bank"] {
                assert_eq!(body.contains(word), sees, "{path} {token}: {body}");
            }
            assert!(body.contains("2026-01-02T03:04:05Z"), "{body}");
            if !path.starts_with("/v1") {
                assert!(body.contains("The former version stays"), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn counts_of_a_page_say_that_they_are_of_the_page() {
    let ground = Ground::new().await;
    for number in 0..51 {
        let judged = Judged {
            rollout: format!("r{number:02}"),
            outcome: Outcome::Inconclusive,
            at: NOW - number,
            ..Judged::default()
        };
        ground.keep(judged).await;
    }
    let list = text(&shown(&ground.router(), "/rollouts").await);
    let counted = "50 on this page: 0 fail, 50 inconclusive, 0 pass";
    assert!(list.contains(counted), "{list}");
}

#[tokio::test]
async fn a_row_says_that_its_ratio_is_not_of_the_totals() {
    let ground = Ground::new().await;
    for (name, block_by_block) in [("outage", true), ("plain", false)] {
        let judged = Judged {
            rollout: name.into(),
            block_by_block,
            ..Judged::default()
        };
        ground.keep(judged).await;
    }
    let router = ground.router();
    for (name, told) in [("outage", true), ("plain", false)] {
        let list = shown(&router, &format!("/rollouts?q={name}")).await;
        assert_eq!(list.contains("weighed block by block"), told, "{list}");
    }
}

#[tokio::test]
async fn the_sign_in_names_the_user_that_password_managers_ask_for() {
    let router = Ground::new().await.tokens().router();
    let form = shown(&router, "/sign-in").await;
    assert!(form.contains("autocomplete=\"username\""), "{form}");
}
