use super::{Arm, CANARY_PODS, Chance, STABLE_PODS, Scene, Shop, Workload, histogram::Histogram};

fn shop(scene: Scene, seed: u64) -> Shop {
    Shop::new(
        scene,
        "shop",
        ("5b7c9d6f84", "7f4d8b5c99"),
        Chance::new(seed),
    )
}

/// A shop that has run so long on both versions.
fn ran(scene: Scene, weight: f64, seconds: f64) -> Shop {
    let mut shop = shop(scene, 7);
    shop.advance(10.0);
    shop.deploy();
    shop.set_weight(weight);
    shop.advance(seconds);
    shop
}

/// Sums over the pods of a version.
#[derive(Debug, Default)]
struct Sum {
    requests: f64,
    failed: f64,
    checkouts: f64,
    orders: f64,
    refusals: f64,
    /// Slower than 300 ms.
    slow: f64,
}

fn sum(shop: &Shop, arm: Arm) -> Sum {
    let mut sum = Sum::default();
    for counters in shop.counters(arm) {
        sum.requests += counters.codes.iter().sum::<u64>() as f64;
        sum.failed += (counters.codes[2] + counters.codes[3]) as f64;
        sum.checkouts += counters.checkouts as f64;
        sum.orders += counters.orders as f64;
        sum.refusals += counters.refusals as f64;
        let fast = counters
            .seconds
            .cumulative()
            .find(|(bound, _)| *bound == 0.3);
        sum.slow += (counters.seconds.count() - fast.unwrap().1) as f64;
        assert_eq!(
            counters.seconds.count(),
            counters.codes.iter().sum::<u64>(),
            "every answer is in the histogram"
        );
    }
    sum
}

#[test]
fn the_same_seed_gives_the_same_pages() {
    let pages = |seed| {
        let mut shop = shop(Scene::Healthy, seed);
        shop.advance(1.0);
        shop.page(Arm::Stable, 0).unwrap()
    };
    assert_eq!(pages(1), pages(1));
    assert_ne!(pages(1), pages(2));
}

#[test]
fn requests_come_at_the_rate_and_split_by_weight() {
    for (weight, seconds) in [(0.0, 20.0), (5.0, 90.0), (25.0, 45.0), (100.0, 20.0)] {
        let before: f64 = {
            let mut shop = shop(Scene::Healthy, 7);
            shop.advance(10.0);
            sum(&shop, Arm::Stable).requests
        };
        let shop = ran(Scene::Healthy, weight, seconds);
        let canary = sum(&shop, Arm::Canary).requests;
        let all = canary + sum(&shop, Arm::Stable).requests - before;
        let rate = all / seconds;
        let expected = Scene::Healthy.rate();
        assert!((0.8..1.2).contains(&(rate / expected)), "{rate} per second");
        let share = 100.0 * canary / all;
        assert!(
            (share - weight).abs() < 0.5,
            "{share} % instead of {weight} %"
        );
    }
}

#[test]
fn poisson_counts_scatter_as_poisson_counts_do() {
    let mut shop = shop(Scene::Llm, 3);
    let mut counts = Vec::new();
    let mut before = 0.0;
    // whole swings of the traffic, so that its mean is the rate
    for _ in 0..900 {
        shop.advance(0.1);
        let now = sum(&shop, Arm::Stable).requests;
        counts.push(now - before);
        before = now;
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    assert!(
        (mean / (0.1 * Scene::Llm.rate()) - 1.0).abs() < 0.02,
        "{mean}"
    );
    // the neighbours' difference has twice the variance, and no swing
    let pairs = counts.windows(2).map(|w| (w[1] - w[0]).powi(2));
    let variance = pairs.sum::<f64>() / (2.0 * (counts.len() - 1) as f64);
    assert!(
        (0.85..1.15).contains(&(variance / mean)),
        "{variance} {mean}"
    );
}

#[test]
fn each_scene_hurts_what_it_says() {
    let share = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    for scene in Scene::ALL {
        let mut shop = ran(scene, 30.0, 60.0);
        // what the start did is forgotten after a while
        let (c0, s0) = (sum(&shop, Arm::Canary), sum(&shop, Arm::Stable));
        shop.advance(60.0);
        let (c, s) = (sum(&shop, Arm::Canary), sum(&shop, Arm::Stable));
        let ratio = |f: fn(&Sum) -> (f64, f64)| {
            let part = |now: &Sum, then: &Sum| share(f(now).0 - f(then).0, f(now).1 - f(then).1);
            let (canary, stable) = (part(&c, &c0), part(&s, &s0));
            if stable > 0.0 { canary / stable } else { 1.0 }
        };
        let seen = [
            ratio(|sum| (sum.failed, sum.requests)),
            ratio(|sum| (sum.slow, sum.requests)),
            ratio(|sum| (sum.orders, sum.checkouts)),
            ratio(|sum| (sum.refusals, sum.requests)),
        ];
        let wanted = match scene {
            Scene::Healthy | Scene::SharedOutage => [1.0; 4],
            Scene::ErrorRate => [3.1, 1.0, 1.0, 1.0],
            Scene::TailLatency => [1.0, 3.4, 1.0, 1.0],
            Scene::KpiDrop => [1.0, 1.0, 0.75, 1.0],
            Scene::Llm => [1.0, 1.0, 1.0, 2.3],
        };
        for (seen, wanted) in seen.iter().zip(wanted) {
            let off: f64 = seen / wanted - 1.0;
            assert!(
                off.abs() < 0.25,
                "{}: {seen} instead of {wanted}",
                scene.name()
            );
        }
    }
}

#[test]
fn an_outage_hits_both_versions_and_ends() {
    let mut shop = ran(Scene::SharedOutage, 50.0, 1.0);
    assert!(!shop.outage());
    shop.advance(10.0);
    assert!(shop.outage());
    let during = [Arm::Canary, Arm::Stable].map(|arm| sum(&shop, arm));
    shop.advance(30.0);
    assert!(!shop.outage());
    for (arm, during) in [Arm::Canary, Arm::Stable].into_iter().zip(during) {
        assert!(during.failed > 0.03 * during.requests, "{arm:?} {during:?}");
        let before = sum(&shop, arm);
        shop.advance(5.0);
        let after = sum(&shop, arm);
        let share = (after.failed - before.failed) / (after.requests - before.requests);
        assert!(share < 0.02, "{arm:?} {share}");
    }
}

#[test]
fn a_new_pod_is_slow_at_first() {
    let slow = |from: f64| {
        let mut shop = ran(Scene::Healthy, 50.0, from);
        let before = sum(&shop, Arm::Canary);
        shop.advance(1.0);
        let after = sum(&shop, Arm::Canary);
        (after.slow - before.slow) / (after.requests - before.requests)
    };
    assert!(slow(0.0) > 4.0 * slow(20.0));
}

#[test]
fn pods_come_and_go() {
    let mut shop = shop(Scene::ErrorRate, 1);
    assert_eq!(shop.identities(Arm::Stable).len(), STABLE_PODS);
    assert_eq!(shop.identities(Arm::Canary).len(), CANARY_PODS);
    assert_eq!(shop.page(Arm::Canary, 0), None);
    shop.deploy();
    assert!(shop.page(Arm::Canary, 0).is_some());
    shop.withdraw();
    assert_eq!(shop.page(Arm::Canary, 0), None);
    let [_, _, pod, hash] = shop.identities(Arm::Canary)[0]
        .labels()
        .map(|(_, v)| v.to_owned());
    assert!(pod.starts_with(&format!("checkout-{hash}-")), "{pod}");
}

#[test]
fn pages_are_in_the_text_format() {
    for scene in [Scene::Healthy, Scene::Llm] {
        let shop = ran(scene, 50.0, 2.0);
        let page = shop.page(Arm::Canary, 1).unwrap();
        let mut family = String::new();
        for line in page.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["#", "TYPE", name, _] = words[..] {
                name.clone_into(&mut family);
            } else if !line.starts_with('#') {
                assert!(line.starts_with(&family), "{line}");
                let value: f64 = words[1].parse().unwrap();
                assert!(words.len() == 2 && value >= 0.0, "{line}");
            }
        }
        assert!(page.contains("le=\"+Inf\""));
        let model = "llm_refusals_total{model_version=\"assistant-7b-v4\"} ";
        assert_eq!(page.contains(model), scene.workload() == Workload::Llm);
    }
}

#[test]
fn a_bound_counts_what_is_at_or_below_it() {
    let mut histogram = Histogram::default();
    for value in [0.01, 0.010_1, 9.0, 11.0] {
        histogram.observe(value);
    }
    let counts: Vec<u64> = histogram.cumulative().map(|(_, count)| count).collect();
    assert_eq!((counts[0], counts[1], counts[16], counts[17]), (1, 2, 2, 3));
    assert_eq!((histogram.count(), histogram.sum()), (4, 20.020_1));
}
