//! The deliveries, page by page.

use super::{
    dashboard::{page, shown},
    double::{NOW, get},
    ground::Ground,
    history::with_token,
};
use rollout_judge::domain::{Change, Delivery, Event, EventKind, Outcome, VerdictStore};
use uuid::Uuid;

async fn tell(ground: &Ground, namespace: &str, numbers: std::ops::Range<u128>) {
    let mut change = Change::default();
    for number in numbers {
        let id = Uuid::from_u128(number + 1);
        change.events.push(Event {
            seq: 0,
            id,
            at: NOW,
            kind: EventKind::Fail,
            namespace: namespace.into(),
            rollout: "web".into(),
            policy: "http-service".into(),
            canary_hash: "a".into(),
            weight: 5.0,
            outcome: Some(Outcome::Fail),
            verdict: None,
            author: None,
            ruling: None,
            still: Vec::new(),
            reason: format!("alert {number:04}."),
        });
        change.deliveries.push(Delivery {
            id: Uuid::from_u128(number + 100_000),
            event: id,
            receiver: "chat & more".into(),
            order: format!("{namespace}/web"),
            due: NOW,
        });
    }
    ground.store.change(change).await.unwrap();
}

/// The numbers of the alerts on a page, and where its next page is.
fn read(text: &str) -> (Vec<u32>, Option<String>) {
    let numbers = text
        .split("alert ")
        .skip(1)
        .filter_map(|rest| rest.get(..4)?.parse().ok());
    let next = text.split("rel=\"next\" href=\"").nth(1);
    let next = next.and_then(|rest| rest.split('"').next());
    (
        numbers.collect(),
        next.map(|next| {
            next.replace("&amp;", "&")
                .trim_start_matches('.')
                .to_owned()
        }),
    )
}

#[tokio::test]
async fn pages_follow_each_other_whatever_is_queued_meanwhile() {
    let ground = Ground::new().await;
    tell(&ground, "shop", 0..230).await;
    let router = ground.router();
    let first = shown(&router, "/deliveries?state=pending&receiver=chat+%26+more").await;
    let (numbers, next) = read(&first);
    assert_eq!(numbers, (130..230).rev().collect::<Vec<_>>());
    assert!(first.contains("The newest 100 deliveries") && !first.contains("First page"));
    let next = next.unwrap();
    // the filter stays in the address
    assert!(
        next.starts_with("/deliveries?state=pending&receiver=chat%20%26%20more&cursor="),
        "{next}"
    );
    tell(&ground, "shop", 300..320).await;
    let second = shown(&router, &next).await;
    let (numbers, next) = read(&second);
    assert_eq!(numbers, (30..130).rev().collect::<Vec<_>>());
    assert!(second.contains("100 earlier deliveries") && second.contains("First page"));
    let (numbers, next) = read(&shown(&router, &next.unwrap()).await);
    assert_eq!(numbers, (0..30).rev().collect::<Vec<_>>());
    assert_eq!(next, None);
    let (status, text) = page(&router, get("/deliveries?cursor=nonsense")).await;
    assert_eq!(status, 400);
    assert!(text.contains("begin anew"), "{text}");
    // no page behind the last row
    let few = Ground::new().await;
    tell(&few, "shop", 0..100).await;
    let (numbers, next) = read(&shown(&few.router(), "/deliveries").await);
    assert_eq!((numbers.len(), next), (100, None));
}

#[tokio::test]
async fn pages_hold_what_the_token_is_for() {
    let ground = Ground::new().await.tokens();
    tell(&ground, "shop", 0..120).await;
    tell(&ground, "bank", 200..900).await;
    let router = ground.router();
    let mut seen = Vec::new();
    let mut next = Some("/deliveries".to_owned());
    while let Some(path) = next {
        let (status, text) = page(&router, with_token(get(&path), "shop")).await;
        assert_eq!(status, 200);
        assert!(!text.contains("bank"), "{text}");
        let (numbers, behind) = read(&text);
        seen.extend(numbers);
        next = behind;
    }
    assert_eq!(seen, (0..120).rev().collect::<Vec<_>>());
}
