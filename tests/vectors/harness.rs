//! The checks checked: small documents that must pass, and small ones that must not.

use crate::check_document;
use serde_json::{Value, json};

/// What a document of one case fails with.
fn failures(procedure: &str, case: Value) -> Vec<String> {
    failures_at(procedure, json!({"rel": 1e-9, "abs": 1e-12}), case)
}

fn failures_at(procedure: &str, tolerance: Value, case: Value) -> Vec<String> {
    let mut failures = Vec::new();
    let mut document = json!({"procedure": procedure});
    document["tolerance"] = tolerance;
    document["cases"] = Value::Array(vec![case]);
    let cases = check_document("small.json", &document, &mut failures);
    assert_eq!(cases, 1);
    failures
}

fn passes(procedure: &str, case: Value) {
    assert_eq!(failures(procedure, case), Vec::<String>::new());
}

#[track_caller]
fn fails(found: &[String], words: &[&str]) {
    let [failure] = found else {
        panic!("{} failures: {found:?}", found.len());
    };
    for word in words {
        assert!(failure.contains(word), "{failure:?} without {word:?}");
    }
}

#[test]
fn a_wrong_number_is_noticed() {
    let differs = |expected: Value| {
        let input = json!({"p": [0.25, 0.5]});
        !failures(
            "multiplicity",
            json!({"input": input, "expected": expected}),
        )
        .is_empty()
    };
    assert!(!differs(json!({"bonferroni": [0.5, 1.0]})));
    assert!(!differs(json!({"bonferroni": [0.5 + 1e-10, 1]})));
    assert!(differs(json!({"bonferroni": [0.5 + 1e-7, 1]})));
    assert!(differs(json!({"bonferroni": [0.5]})));
    assert!(differs(json!({"bonferroni": [0.5, 1.0, 1.0]})));
    assert!(differs(json!({"bonferroni": [0.5, null]})));
    assert!(differs(json!({"bonferroni": [0.5, "nan"]})));
    assert!(differs(json!({"bonferroni": [0.5, "inf"]})));
    assert!(differs(json!({"bonferroni": null})));
    assert!(differs(json!({"bonferroni": {"a": 1.0}})));
}

#[test]
fn failures_name_file_case_and_key() {
    let input = json!({"estimate": 0.5, "se": 0.2, "null": 0.0, "tau": 1.0});
    let unknown = failures(
        "normal_mixture",
        json!({"id": "nm-7", "input": input, "expected": {"ci_two_sided_beta_0.05": [0.0, 1.0]}}),
    );
    let words = ["small.json", "nm-7", ".ci_two_sided_beta_0.05", "unknown"];
    fails(&unknown, &words);
    let no_number = json!({"input": input, "expected": {"ci_two_sided_alpha_x": [0.0, 1.0]}});
    fails(
        &failures("normal_mixture", no_number),
        &["small.json", "#0", ".ci_two_sided_alpha_x", "unknown"],
    );
    let missing = json!({"id": "nm-8", "input": {"se": 0.2}, "expected": {"log_e_two": 0.0}});
    fails(
        &failures("normal_mixture", missing),
        &["nm-8", "no estimate"],
    );
    let nothing = json!({"id": "nm-9", "input": input});
    fails(&failures("normal_mixture", nothing), &["nm-9", "nothing"]);
    let function = json!({"id": "sf-1", "function": "zeta", "input": {"x": 2}, "expected": 1.0});
    fails(
        &failures("special_functions", function),
        &["sf-1", "unknown function zeta"],
    );
    let inside = json!({"id": "bm-1", "input": {"x_c": 1, "n_c": 9, "x_s": 1, "n_s": 9, "level": 0.9},
        "expected": {"score_diff_margin": {"null": 0.1, "q": 1.0}}});
    fails(
        &failures("two_proportions", inside),
        &["bm-1", ".score_diff_margin.q", "unknown"],
    );
}

#[test]
fn tolerances_go_from_case_to_file_and_from_named_to_general() {
    let case = |tolerance: Value| {
        let input = json!({"p": [0.25, 0.5]});
        let expected = json!({"holm": [0.501, 0.5], "bonferroni": [0.5, 1.0]});
        json!({"input": input, "expected": expected, "tolerance": tolerance})
    };
    let wrong = |file: Value, case: Value| !failures_at("multiplicity", file, case).is_empty();
    let exact = || json!({"exact": true});
    let loose = || json!({"rel": 0.01});
    assert!(wrong(exact(), case(Value::Null)));
    assert!(!wrong(exact(), case(loose())));
    assert!(!wrong(exact(), case(json!({"holm": {"abs": 0.01}}))));
    assert!(wrong(exact(), case(json!({"bonferroni": {"abs": 0.01}}))));
    assert!(!wrong(loose(), case(Value::Null)));
    assert!(wrong(loose(), case(exact())));
    assert!(wrong(loose(), case(json!({"holm": {"exact": true}}))));
    assert!(!wrong(
        loose(),
        case(json!({"bonferroni": {"exact": true}}))
    ));
    assert!(!wrong(
        json!({"exact": true, "holm": {"rel": 0.01, "abs": 0}}),
        case(Value::Null)
    ));
    assert!(wrong(
        json!({"rel": 0.01, "holm": {"exact": true}}),
        case(Value::Null)
    ));
    fails(
        &failures_at("multiplicity", Value::Null, case(Value::Null)),
        &["tolerance"],
    );
    // an entry for an output holds for its parts
    let parts = json!({"input": {"x_c": 5, "n_c": 10, "x_s": 5, "n_s": 10},
        "expected": {"score_diff_margin": {"null": 0.0, "z": 0.001, "p_greater": 0.5}}});
    let named = json!({"exact": true, "score_diff_margin": {"abs": 0.01}});
    assert_eq!(
        failures_at("two_proportions", named, parts),
        Vec::<String>::new()
    );
}

#[test]
fn remarks_are_ignored() {
    let le = json!([1.0, 2.0, "+Inf"]);
    passes(
        "histogram_quantile",
        json!({"note": "a", "comment": ["b"], "input": {"le": le, "cumulative": [1, 2, 2], "note": 1},
            "expected": {"0.25": 0.5, "0.75": 1.5, "note": "c", "comment": 4}}),
    );
    let other = json!({"input": {"le": le, "cumulative": [1, 2, 2]}, "expected": {"remark": 1}});
    fails(
        &failures("histogram_quantile", other),
        &[".remark", "unknown"],
    );
}

#[test]
fn words_stand_for_numbers_that_json_lacks() {
    let le = json!([1.0, 2.0, "inf"]);
    passes(
        "histogram_quantile",
        json!({"input": {"le": le, "cumulative": [0, 0, 0]}, "expected": {"0.5": "nan", "0.125": null}}),
    );
    passes(
        "histogram_quantile",
        json!({"input": {"le": le, "cumulative": [1, 1, 1]}, "expected": {"-1": "-inf", "2": "inf"}}),
    );
    passes(
        "counter_increase",
        json!({"input": {"samples": [[0, 1], [10, "nan"], [20, 4.0]], "window_start": 0, "window_end": 20},
            "expected": {"exact": 3, "exact_new_series_from_zero": 3.0, "prometheus_increase": 77}}),
    );
    let decision = json!({"alpha": 0.01, "beta": 0.05, "max_log_e_fail": "-inf", "log_e_pass": "inf",
        "event_blocks": 0, "blocks": 10, "canary_trials": "inf", "horizon_reached": false, "mde": null});
    passes(
        "decision",
        json!({"input": decision, "expected": {"verdict": "pass"}}),
    );
    let certain = json!({"log_e": ["inf", "-inf"], "weights": [0.5, 0.5], "alpha": 0.01});
    passes(
        "multiplicity",
        json!({"input": certain, "expected": {"log_e_weighted_average": "inf", "e_bh_reject": [true, false]}}),
    );
}

#[test]
fn what_is_undefined_may_be_null_in_whole_or_in_parts() {
    let constant = json!({"mean_c": 1, "sd_c": 0, "n_c": 5, "mean_s": 1, "sd_s": 0, "n_s": 5});
    for interval in [json!(null), json!([null, "nan"])] {
        let expected = json!({"t": null, "df": "nan", "diff_ci_95": interval});
        passes("welch_t", json!({"input": constant, "expected": expected}));
    }
    passes("welch_t", json!({"input": constant, "expected": null}));
    let defined = json!({"input": constant, "expected": {"diff_ci_95": [null, 1.0]}});
    fails(&failures("welch_t", defined), &[".diff_ci_95[1]"]);
    let block = json!([{"x_c": 1, "n_c": 10, "x_s": 1, "n_s": 10}]);
    passes(
        "stratified_rate_ratio",
        json!({"input": {"blocks": block}, "expected": {"ratio": null, "blocks_used": 1, "margin_0.5": null}}),
    );
    let number = json!({"input": {"blocks": block}, "expected": {"ratio": 1.0}});
    fails(&failures("stratified_rate_ratio", number), &[".ratio"]);
}

/// The output under a key, null if nothing computes it.
fn value(procedure: &str, input: &Value, key: &str) -> Value {
    let known = crate::PROCEDURES
        .iter()
        .find(|(known, _)| *known == procedure);
    let (_, run) = known.unwrap_or_else(|| panic!("{procedure} is unknown"));
    let case = json!({"input": input, "expected": {key: null}});
    let got = run(&crate::In {
        case: &case,
        at: &case["input"],
    });
    got.unwrap_or_else(|e| panic!("{procedure} {key}: {e}"))[key].clone()
}

#[test]
fn margins_are_read_from_keys() {
    let blocks: Vec<Value> = (0..6)
        .map(|i| json!({"x_c": 12 + i, "n_c": 1000, "x_s": 110 + 3 * i, "n_s": 19_000}))
        .collect();
    let rate = json!({"blocks": blocks});
    let at = |key: &str| value("stratified_rate_ratio", &rate, key);
    let (none, half) = (at("margin_0.0"), at("margin_0.5"));
    let difference = |a: &Value, b: &Value| a["t"].as_f64().unwrap() - b["t"].as_f64().unwrap();
    let se = at("se").as_f64().unwrap();
    assert!((difference(&none, &half) * se - 1.5_f64.ln()).abs() < 1e-12);
    assert_eq!(at("margin_0"), none);
    assert_eq!(at("margin_5e-1"), half);
    assert_eq!(at("t_margin_0.5"), half["t"]);
    assert_eq!(at("margin_-0.25")["t"], at("decrease_margin_0.25")["t"]);
    assert!(at("margin_half").is_null() && at("u_margin_0.5").is_null());

    let arm = |sums: [f64; 5]| json!({"sum": sums, "count": [10, 10, 20, 10, 10]});
    let mean = json!({"canary": arm([9.0, 10.0, 18.5, 9.0, 9.5]), "stable": arm([10.0, 10.5, 20.0, 9.5, 10.0])});
    let at = |key: &str| value("block_mean_ratio", &mean, key);
    let decrease = at("decrease_margin_0.02");
    assert_eq!(decrease["log_e_fail"], at("margin_-0.02")["log_e_less"]);
    assert_eq!(decrease["log_e_pass"], at("margin_-0.02")["log_e_greater"]);
    assert_eq!(
        at("increase_margin_0.1")["log_e_fail"],
        at("margin_0.1")["log_e_greater"]
    );

    let gauge = json!({"canary": [1.0, 2.0, 1.5, 2.5], "stable": [1.0, 1.0, 1.0, 1.0]});
    let at = |key: &str| value("paired_gauge", &gauge, key);
    assert_eq!(at("sign_count_margin_0.25"), json!(3));
    assert_eq!(at("sign_count_margin_1.25"), json!(1));
    assert!(
        at("sign_log_e_greater_margin_0.25").as_f64()
            > at("sign_log_e_greater_margin_1.25").as_f64()
    );
    assert_eq!(
        at("log_e_less_margin_0.25"),
        at("margin_0.25")["log_e_less"]
    );
}

#[test]
fn levels_are_read_from_keys() {
    let same = |procedure: &str, input: &Value, keys: &[&str]| {
        let first = value(procedure, input, keys[0]);
        assert!(first.is_array(), "{procedure} {}", keys[0]);
        for key in keys {
            assert_eq!(value(procedure, input, key), first, "{procedure} {key}");
        }
    };
    let mixture = json!({"estimate": 0.5, "se": 0.2, "null": 0.0, "tau": 1.0, "alpha": 0.25});
    same(
        "normal_mixture",
        &mixture,
        &[
            "ci_two_sided",
            "ci_two_sided_alpha_0.25",
            "ci_two_sided_75",
            "ci_two_sided_level_0.75",
        ],
    );
    let rate = json!({"x_c": 5, "t_c": 10, "x_s": 7, "t_s": 20.5, "level": 0.75});
    same(
        "rate_ratio_conditional",
        &rate,
        &[
            "ratio_ci",
            "ratio_ci_75",
            "ratio_ci_0.75",
            "ratio_ci_alpha_0.25",
        ],
    );
    let means = json!({"mean_c": 1, "sd_c": 1, "n_c": 5, "mean_s": 2, "sd_s": 1, "n_s": 5});
    same("welch_t", &means, &["diff_ci", "diff_ci_95"]);
    let ranks = json!({"canary": [1, 4, 6, 7, 11], "stable": [2, 3, 5, 8, 9, 10]});
    same(
        "mann_whitney",
        &ranks,
        &["shift_ci_90_exact", "shift_ci_0.9_exact"],
    );
    same(
        "mann_whitney",
        &ranks,
        &["shift_ci_90_order", "shift_ci_0.9_order"],
    );
    assert_ne!(
        value("mann_whitney", &ranks, "shift_ci_90_order"),
        value("mann_whitney", &ranks, "shift_ci_50_order")
    );
    let share = json!({"x": 3, "n": 20});
    same("proportion_interval", &share, &["wilson", "wilson_95"]);
    let two = json!({"x_c": 3, "n_c": 20, "x_s": 4, "n_s": 50, "level": 0.9});
    same(
        "two_proportions",
        &two,
        &["miettinen_nurminen_ratio", "miettinen_nurminen_ratio_90"],
    );
}

#[test]
fn inputs_with_a_documented_default_may_be_absent() {
    let same = |procedure: &str, key: &str, short: &Value, full: Value| {
        let mut long = short.clone();
        long.as_object_mut()
            .unwrap()
            .extend(full.as_object().unwrap().clone());
        let got = value(procedure, short, key);
        assert!(!got.is_null(), "{procedure} {key}");
        assert_eq!(got, value(procedure, &long, key), "{procedure} {key}");
    };
    let block = |x: i32| json!({"x": x, "m": 20, "pi0": 0.5});
    let blocks = json!({"direction": "greater", "blocks": [block(15), block(14), block(18)]});
    let starts = json!([{"block": 0, "weight": 1.0}]);
    let process = "binomial_eprocess";
    same(
        process,
        "log_e",
        &blocks,
        json!({"starts": starts, "phi": 1.0}),
    );
    same(process, "log_e", &blocks, json!({"phi": [1, 1, 1]}));
    same(process, "first_block_e_ge_5", &blocks, json!({"phi": 1}));
    let mut short = blocks.clone();
    short["phi"] = json!([1, 2]);
    let case = json!({"input": short, "expected": {"log_e": [0, 0, 0]}});
    fails(&failures(process, case), &["phi", "2 of 3"]);

    let counts = |x: i32| json!({"x_c": x, "n_c": 100, "x_s": 20, "n_s": 1900});
    let arms =
        json!({"direction": "greater", "margin_relative": 0.1, "blocks": [counts(2), counts(5)]});
    let full = json!({"starts": starts, "phi": 1, "margin_absolute": 0, "lookback_stable": {"x": 0, "n": 0}});
    same("two_arm_evidence", "log_e", &arms, full);
    let rates = json!({"blocks": [counts(2), counts(5)]});
    same(
        "stratified_rate_ratio",
        "margin_0.1",
        &rates,
        json!({"tau": 1}),
    );
    let full = json!({"phi": [1.0, 1.0], "alpha": 0.05});
    same("ratio_confidence_sequence", "lower", &rates, full);
    let gauge = json!({"canary": [1.0, 2.0, 1.5], "stable": [1.0, 1.0, 1.0]});
    same("paired_gauge", "margin_0.1", &gauge, json!({"tau": 0.5}));
    let share = json!({"x": 3, "n": 20});
    same(
        "proportion_interval",
        "jeffreys",
        &share,
        json!({"level": 0.95}),
    );
    let evidence = json!({"log_e": [1.0, 7.0]});
    let full = json!({"weights": [0.5, 0.5], "alpha": 0.01});
    same(
        "multiplicity",
        "weighted_bonferroni_reject",
        &evidence,
        full,
    );
    let histogram = json!({"le": [1.0, 2.0, "inf"], "q": 0.5,
        "blocks": [{"canary_cumulative": [50, 60, 60], "stable_cumulative": [150, 160, 160]}]});
    let full = json!({"margin_relative": 0, "phi": 1, "min_reference": 100, "starts": starts,
        "lookback_stable_cumulative": [0, 0, 0]});
    same("quantile_exceedance", "log_e_fail", &histogram, full);
}

#[test]
fn further_special_functions_and_outputs_are_known() {
    passes(
        "special_functions",
        json!({"function": "normal_sf", "input": {"z": 0}, "expected": 0.5}),
    );
    passes(
        "special_functions",
        json!({"function": "normal_cdf", "input": {"z": "-inf"}, "expected": {"normal_cdf": 0}}),
    );
    passes(
        "special_functions",
        json!({"function": "student_t", "input": {"t": 1, "df": 1},
            "expected": {"cdf": 0.75, "sf": 0.25, "ln_cdf": 0.75_f64.ln()}}),
    );
    passes(
        "special_functions",
        json!({"function": "binomial_tails", "input": {"x": 1, "n": 2, "p": 0.5},
            "expected": {"p_eq_x": 0.5, "p_le_x": 0.75, "p_ge_x": 0.75, "ln_p_le_x": 0.75_f64.ln()}}),
    );
    passes(
        "special_functions",
        json!({"function": "beta_quantile", "input": {"p": 0.25, "a": 1, "b": 1}, "expected": 0.25}),
    );
}
