//! Addresses of pages: a slash behind them, and what is no address.

use super::{
    dashboard::page,
    double::{call, get},
    ground::{Ground, Judged},
};

#[tokio::test]
async fn a_slash_behind_a_page_leads_to_the_page() {
    let ground = Ground::new().await;
    let verdict = ground.keep(Judged::default()).await;
    let router = ground.router();
    for (path, to) in [
        ("/rollouts/", "../rollouts"),
        (
            "/rollouts/?q=a%26b&verdict=fail",
            "../rollouts?q=a%26b&verdict=fail",
        ),
        ("/rollouts/shop/checkout/", "../checkout"),
        ("/rollouts/shop/checkout/override/", "../override"),
        (
            "/policies/http-service/?revision=x",
            "../http-service?revision=x",
        ),
        ("/policies/%2F%2Fevil.example/", "../%2F%2Fevil.example"),
        ("/sources/", "../sources"),
        ("/deliveries/", "../deliveries"),
        (
            &format!("/verdicts/{}/", verdict.id),
            &format!("../{}", verdict.id),
        ),
    ] {
        let (head, _) = call(router.clone(), get(path)).await;
        let found = (
            head.status().as_u16(),
            head.headers()["location"].to_str().unwrap(),
        );
        assert_eq!(found, (308, to), "{path}");
        assert!(head.headers().contains_key("content-security-policy"));
    }
    for path in [
        "/nowhere/",
        "/rollouts/shop/",
        "/v1/rollouts/",
        "//evil.example/",
        "/healthz/",
        "/rollouts//",
    ] {
        assert_eq!(page(&router, get(path)).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn no_control_character_comes_back_in_a_page() {
    let ground = Ground::new().await;
    ground.keep(Judged::default()).await;
    let router = ground.router();
    for (path, expected) in [
        ("/rollouts?namespace=%00", 400),
        ("/rollouts?q=a%00b%1b", 400),
        ("/rollouts?policy=%07", 400),
        ("/rollouts?verdict=%00", 400),
        ("/rollouts?cursor=%00", 400),
        ("/rollouts?%00=x", 400),
        ("/rollouts/%00/x", 400),
        ("/deliveries?receiver=%00", 400),
        ("/policies/%00", 404),
        ("/verdicts/%00", 404),
        ("/sign-in?next=%00%9b", 200),
        ("/rollouts/shop/checkout?canary=%00", 400),
    ] {
        let (status, text) = page(&router, get(path)).await;
        assert_eq!(status, expected, "{path}: {text}");
        let odd = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "{path}");
    }
    let (_, text) = page(&router, get("/rollouts?namespace=%00")).await;
    assert!(text.contains("control character"), "{text}");
}
