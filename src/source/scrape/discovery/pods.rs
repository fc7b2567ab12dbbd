//! From a list of pods to targets.

use super::group::Group;
use crate::config::scrape::{PodPort, PodSettings};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What we read of a `PodList`; the rest is passed over.
#[derive(Deserialize)]
struct PodList {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: Option<String>,
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Deserialize)]
struct Port {
    #[serde(rename = "containerPort")]
    number: u16,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    protocol: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

/// The targets of all running pods that have an address.
pub(super) fn groups(list: &[u8], settings: &PodSettings) -> Result<Vec<Group>, String> {
    let list: PodList = serde_json::from_slice(list)
        .map_err(|error| format!("the API server's answer is no list of pods: {error}"))?;
    Ok(list
        .items
        .iter()
        .filter_map(|pod| group(pod, settings))
        .collect())
}

fn group(pod: &Pod, settings: &PodSettings) -> Option<Group> {
    let ip = pod.status.pod_ip.as_deref().filter(|ip| !ip.is_empty())?;
    let annotation = |name: &str| {
        let key = format!("prometheus.io/{name}");
        pod.metadata.annotations.get(&key).map(|text| text.trim())
    };
    let wanted = match annotation("scrape") {
        Some("true") => true,
        Some("false") => false,
        _ => !settings.annotated_only,
    };
    if !wanted || pod.status.phase != "Running" {
        return None;
    }
    let ports = match annotation("port") {
        Some(text) => vec![text.parse().ok()?],
        None => declared(pod, settings.port.as_ref()),
    };
    let host = if ip.contains(':') {
        format!("[{ip}]")
    } else {
        ip.to_owned()
    };
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &pod.metadata.labels {
        labels.insert(sanitised(name), value.clone());
    }
    labels.insert("namespace".to_owned(), pod.metadata.namespace.clone());
    labels.insert("pod".to_owned(), pod.metadata.name.clone());
    if let Some(node) = &pod.spec.node_name {
        labels.insert("node".to_owned(), node.clone());
    }
    if let Some(path) = annotation("path") {
        let slash = if path.starts_with('/') { "" } else { "/" };
        labels.insert("__metrics_path__".to_owned(), format!("{slash}{path}"));
    }
    if let Some(scheme @ ("http" | "https")) = annotation("scheme") {
        labels.insert("__scheme__".to_owned(), scheme.to_owned());
    }
    Some(Group {
        targets: ports.iter().map(|port| format!("{host}:{port}")).collect(),
        labels,
    })
}

/// Ports without an annotation.
fn declared(pod: &Pod, wanted: Option<&PodPort>) -> Vec<u16> {
    let ports = pod
        .spec
        .containers
        .iter()
        .flat_map(|container| &container.ports);
    match wanted {
        Some(PodPort::Number(port)) => vec![*port],
        Some(PodPort::Name(name)) => ports
            .filter(|port| port.name.as_ref() == Some(name))
            .map(|port| port.number)
            .collect(),
        None => ports
            .filter(|port| port.protocol.as_deref().is_none_or(|p| p == "TCP"))
            .map(|port| port.number)
            .collect(),
    }
}

/// A label's name as Prometheus' `labelmap` makes it: `rollouts-pod-template-hash` becomes `rollouts_pod_template_hash`.
fn sanitised(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut out: String = name.chars().map(word).collect();
    // neither may a label begin with a digit, nor with `__`, which never reaches a series
    if out.starts_with(|c: char| c.is_ascii_digit()) || out.starts_with("__") {
        out.insert_str(0, "label_");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(change: impl Fn(&mut Value)) -> Value {
        let mut pod = json!({
            "metadata": {
                "name": "shop-1", "namespace": "shop", "uid": "x",
                "labels": {"app.kubernetes.io/name": "shop", "rollouts-pod-template-hash": "6f9c"},
            },
            "spec": {"nodeName": "n1", "containers": [
                {"name": "a", "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]},
                {"name": "b", "ports": [{"containerPort": 9090, "name": "metrics", "protocol": "TCP"}]},
                {"name": "c"},
            ]},
            "status": {"phase": "Running", "podIP": "10.0.0.7"},
        });
        change(&mut pod);
        pod
    }

    #[track_caller]
    fn check(settings: &PodSettings, change: impl Fn(&mut Value), expected: &[&str]) -> Vec<Group> {
        let list = json!({"kind": "PodList", "items": [pod(change)]});
        let groups = groups(list.to_string().as_bytes(), settings).unwrap();
        let targets: Vec<&str> = groups
            .iter()
            .flat_map(|g| &g.targets)
            .map(String::as_str)
            .collect();
        assert_eq!(targets, expected);
        groups
    }

    #[test]
    fn pods_become_targets() {
        let usual = PodSettings::default();
        let groups = check(&usual, |_| (), &["10.0.0.7:8080", "10.0.0.7:9090"]);
        let labels = &groups[0].labels;
        for (name, value) in [
            ("namespace", "shop"),
            ("pod", "shop-1"),
            ("node", "n1"),
            ("app_kubernetes_io_name", "shop"),
            ("rollouts_pod_template_hash", "6f9c"),
        ] {
            assert_eq!(labels[name], value);
        }
        let annotated =
            |pairs: Value| move |pod: &mut Value| pod["metadata"]["annotations"] = pairs.clone();
        let port = |port| PodSettings {
            port: Some(port),
            ..PodSettings::default()
        };
        check(
            &usual,
            annotated(json!({"prometheus.io/scrape": "false"})),
            &[],
        );
        check(
            &usual,
            annotated(json!({"prometheus.io/port": "1"})),
            &["10.0.0.7:1"],
        );
        check(&usual, annotated(json!({"prometheus.io/port": "x"})), &[]);
        check(&port(PodPort::Number(7)), |_| (), &["10.0.0.7:7"]);
        check(
            &port(PodPort::Name("metrics".to_owned())),
            |_| (),
            &["10.0.0.7:9090"],
        );
        check(&port(PodPort::Name("no".to_owned())), |_| (), &[]);
        let only = PodSettings {
            annotated_only: true,
            ..PodSettings::default()
        };
        check(&only, |_| (), &[]);
        let path = json!({"prometheus.io/scrape": "true", "prometheus.io/path": "m", "prometheus.io/port": "8080", "prometheus.io/scheme": "https"});
        let groups = check(&only, annotated(path), &["10.0.0.7:8080"]);
        assert_eq!(groups[0].labels["__metrics_path__"], "/m");
        assert_eq!(groups[0].labels["__scheme__"], "https");
        check(&usual, |pod| pod["status"]["phase"] = json!("Pending"), &[]);
        check(&usual, |pod| pod["status"]["podIP"] = json!(""), &[]);
        check(
            &usual,
            |pod| pod["status"] = json!({"phase": "Running", "podIP": "fd00::1"}),
            &["[fd00::1]:8080", "[fd00::1]:9090"],
        );
    }

    #[test]
    fn label_names() {
        for (name, expected) in [
            ("rollouts-pod-template-hash", "rollouts_pod_template_hash"),
            ("a.b/c-d", "a_b_c_d"),
            ("1a", "label_1a"),
            ("__x", "label___x"),
            ("é", "_"),
        ] {
            assert_eq!(sanitised(name), expected);
        }
    }
}
