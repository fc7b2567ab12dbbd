//! What was typed into a form is not lost, and every mistake is told at once.

use super::{
    dashboard::page,
    dashboard_forms::{OWN, form, held, opened},
    double::{call, get},
    ground::{Ground, Judged},
};
use rollout_judge::domain::VerdictStore;

const PATH: &str = "/rollouts/shop/checkout/override";
const TYPED: &str =
    "canary=6c9f8d7b5&verdict=fail&reason=disk+%22full%22+%3Cb%3E&preset=other&expires=45m";

async fn judged() -> Ground {
    let ground = Ground::new().await;
    ground.keep(Judged::default()).await;
    ground
}

fn is_filled_in(text: &str) {
    for word in [
        "value=\"disk &quot;full&quot; &lt;b&gt;\"",
        "value=\"45m\"",
        "value=\"fail\" required checked",
        "value=\"other\" checked",
        "value=\"6c9f8d7b5\"",
    ] {
        assert!(text.contains(word), "no {word}: {text}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_keeps_what_was_typed() {
    let ground = judged().await.tokens();
    let router = ground.router();
    let (head, _) = call(router.clone(), form(PATH, &[OWN], TYPED)).await;
    let to = "../../../sign-in?next=/rollouts/shop/checkout/override";
    assert_eq!(
        (
            head.status().as_u16(),
            head.headers()["location"].to_str().unwrap()
        ),
        (303, to)
    );
    let cookie = head.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let draft = cookie.split(';').next().unwrap().to_owned();
    // signed in again
    let sent = form(
        "/sign-in",
        &[OWN, ("cookie", &draft)],
        &format!("token=ann-secret&next={PATH}"),
    );
    let (head, _) = call(router.clone(), sent).await;
    let session = head.headers()["set-cookie"].to_str().unwrap();
    let cookies = format!("{draft}; {}", session.split(';').next().unwrap());
    let mut request = get(PATH);
    request
        .headers_mut()
        .insert("cookie", cookies.parse().unwrap());
    let (status, text) = page(&router, request).await;
    assert_eq!(status, 200);
    is_filled_in(&text);
    assert!(text.contains("Your session had ended"), "{text}");
    // and sent again, after which nothing of it is kept
    let fields = format!("form={}&{TYPED}", held(&text));
    let (head, _) = call(
        router.clone(),
        form(PATH, &[OWN, ("cookie", &cookies)], &fields),
    )
    .await;
    assert_eq!(head.status(), 303);
    let set: Vec<_> = head.headers().get_all("set-cookie").iter().collect();
    let over =
        |c: &&axum::http::HeaderValue| c.to_str().unwrap().starts_with("rollout-judge-draft=;");
    assert_eq!(set.iter().copied().filter(over).count(), 1, "{set:?}");
    assert_eq!(
        ground
            .store
            .overrides("shop", "checkout", 10)
            .await
            .unwrap()
            .len(),
        1
    );
    // another site types nothing into our form
    for site in ["cross-site", "same-site", "none"] {
        let foreign = form(PATH, &[("sec-fetch-site", site)], TYPED);
        let (head, _) = call(router.clone(), foreign).await;
        assert_eq!(head.status(), 303);
        assert!(head.headers().get("set-cookie").is_none(), "{site}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_and_an_old_form_keep_what_was_typed() {
    let ground = judged().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    let fields = format!("form={token}&{TYPED}");
    ground.store.cut(true);
    let (status, text) = page(&router, form(PATH, &headers, &fields)).await;
    assert_eq!(status, 503);
    is_filled_in(&text);
    assert!(text.contains("the store does not answer") && text.contains("Nothing was changed"));
    // not sent again by itself
    assert!(!text.contains("http-equiv=\"refresh\""));
    ground.store.cut(false);
    let (status, text) = page(&router, form(PATH, &headers, &format!("form=old&{TYPED}"))).await;
    assert_eq!(status, 403);
    is_filled_in(&text);
    assert!(text.contains("older than your session"), "{text}");
    let again = format!("form={}&{TYPED}", held(&text));
    assert_eq!(page(&router, form(PATH, &headers, &again)).await.0, 303);
}

#[tokio::test]
async fn all_mistakes_are_told_at_once_and_the_first_has_the_focus() {
    let ground = judged().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    let sent = |fields: &str| {
        form(
            PATH,
            &headers,
            &format!("form={token}&canary=6c9f8d7b5&{fields}"),
        )
    };
    let (status, text) = page(&router, sent("preset=other")).await;
    assert_eq!(status, 400);
    for field in ["verdict", "reason", "expires"] {
        assert!(
            text.contains(&format!("id=\"{field}-error\"")),
            "{field}: {text}"
        );
        assert!(
            text.contains(&format!("aria-describedby=\"{field}-error")),
            "{field}: {text}"
        );
    }
    assert_eq!(text.matches("aria-invalid=\"true\"").count(), 3);
    assert_eq!(text.matches(" autofocus").count(), 1);
    assert!(text.contains("value=\"pass\" required autofocus"), "{text}");
    let (_, text) = page(&router, sent("verdict=pass&preset=other")).await;
    assert_eq!(text.matches(" autofocus").count(), 1);
    assert!(!text.contains("id=\"verdict-error\""));
    let field = text.split("id=\"reason\"").nth(1).unwrap();
    assert!(
        field.split('>').next().unwrap().contains("autofocus"),
        "{text}"
    );
    // what cannot be seen is told, and not taken out unseen
    for (hidden, name) in [
        ("%E2%80%AE", "U+202E"),
        ("%E2%80%8B", "U+200B"),
        ("%07", "control"),
    ] {
        let fields = format!("verdict=pass&reason=a{hidden}b&preset=2h");
        let (status, text) = page(&router, sent(&fields)).await;
        assert_eq!(status, 400, "{name}");
        assert!(
            text.contains("id=\"reason-error\"") && text.contains(name),
            "{name}: {text}"
        );
    }
    let body = "{\"verdict\":\"pass\",\"reason\":\"a\u{202e}b\",\"expires\":\"2h\"}";
    let (status, text) = page(
        &router,
        super::double::post("/v1/rollouts/shop/checkout/override", body),
    )
    .await;
    assert_eq!(status, 400);
    assert!(text.contains("U+202E"), "{text}");
    assert_eq!(
        ground
            .store
            .overrides("shop", "checkout", 10)
            .await
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test]
async fn a_form_of_an_open_service_cannot_be_made_from_its_cookie() {
    let ground = judged().await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let value = cookie.split('=').nth(1).unwrap();
    assert_ne!(value, token);
    // who can set a cookie for this host, such as a service on another port, knows no form
    let planted = "0123456789abcdef".repeat(4);
    for (value, form_value) in [
        (value, value),
        ("x", "x"),
        ("", ""),
        (&planted, &planted),
        (&planted, &token),
    ] {
        let cookie = format!("rollout-judge-form={value}");
        let headers = [OWN, ("cookie", cookie.as_str())];
        let (status, _) = page(
            &router,
            form(PATH, &headers, &format!("form={form_value}&{TYPED}")),
        )
        .await;
        assert_eq!(status, 403, "{value}");
    }
    // and what is none of ours is replaced
    let mut request = get(PATH);
    request
        .headers_mut()
        .insert("cookie", "rollout-judge-form=x".parse().unwrap());
    let (head, _) = call(router, request).await;
    assert!(
        head.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("rollout-judge-form=")
    );
    assert_eq!(
        ground
            .store
            .overrides("shop", "checkout", 10)
            .await
            .unwrap()
            .len(),
        0
    );
}
