use super::*;
use std::fs;

fn document(name: &str, limit: &str) -> String {
    format!(
        "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: {{ name: {name} }}\nspec:\n  objectives:\n    - name: errors\n      errorRatio: {{ errors: http_errors_total, total: http_requests_total }}\n      limit: {limit}\n"
    )
}

struct Shelf {
    folder: tempfile::TempDir,
    registry: Registry,
    now: Millis,
}

impl Shelf {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            registry: Registry::new(),
            now: 0,
        }
    }
    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fn reload(&mut self) -> ReloadReport {
        self.now += 1_000;
        self.registry
            .reload(&[self.folder.path().to_owned()], self.now, None)
    }
    fn names(&self) -> Vec<String> {
        self.registry
            .policies()
            .iter()
            .map(|loaded| loaded.policy.name.clone())
            .collect()
    }
}

#[test]
fn files_come_change_and_go() {
    let mut shelf = Shelf::new();
    shelf.write("a.yaml", &document("a", "1%"));
    shelf.write(
        "deep/er/b.yml",
        &(document("b", "1%") + "---\n" + &document("c", "1%")),
    );
    shelf.write("notes.txt", "not a policy");
    assert_eq!(
        shelf.reload(),
        ReloadReport {
            changed: vec!["a".into(), "b".into(), "c".into()],
            ..ReloadReport::default()
        }
    );
    assert_eq!(shelf.reload(), ReloadReport::default());
    shelf.write("a.yaml", &document("a", "2%"));
    assert_eq!(shelf.reload().changed, ["a"]);
    let (a, b) = (
        shelf.registry.get("a").unwrap(),
        shelf.registry.get("b").unwrap(),
    );
    assert_eq!(
        (a.policy.objectives[0].limit, a.loaded_at, b.loaded_at),
        (Some(0.02), 3_000, 1_000)
    );
    assert!(
        b.text.contains("name: b") && !b.text.contains("name: c"),
        "{}",
        b.text
    );
    fs::remove_file(shelf.folder.path().join("deep/er/b.yml")).unwrap();
    assert_eq!(shelf.reload().removed, ["b", "c"]);
    assert_eq!(shelf.names(), ["a"]);
}

#[test]
fn a_bad_version_keeps_the_good_one() {
    let mut shelf = Shelf::new();
    shelf.write("a.yaml", &document("a", "1%"));
    shelf.reload();
    shelf.write("a.yaml", &document("a", "200%"));
    let report = shelf.reload();
    assert!(
        report.changed.is_empty() && report.problems[0].contains("out-of-range"),
        "{report:?}"
    );
    assert_eq!(
        shelf.registry.get("a").unwrap().policy.objectives[0].limit,
        Some(0.01)
    );
    let problem = shelf.registry.problems().remove(0);
    assert_eq!((problem.kept, problem.since), (vec!["a".to_owned()], 2_000));
    assert!(shelf.reload().problems.is_empty());
    assert_eq!(shelf.registry.problems()[0].since, 2_000);
    shelf.write("a.yaml", &document("a", "3%"));
    assert_eq!(shelf.reload().changed, ["a"]);
    assert!(shelf.registry.problems().is_empty());
}

#[test]
fn one_name_in_two_files() {
    let mut shelf = Shelf::new();
    shelf.write("b.yaml", &document("shop", "1%"));
    shelf.reload();
    shelf.write("a.yaml", &document("shop", "2%"));
    let report = shelf.reload();
    assert!(
        report.changed.is_empty() && report.problems[0].contains("duplicate-policy"),
        "{report:?}"
    );
    assert_eq!(
        shelf.registry.get("shop").unwrap().policy.objectives[0].limit,
        Some(0.01)
    );
    fs::remove_file(shelf.folder.path().join("b.yaml")).unwrap();
    assert_eq!(shelf.reload().changed, ["shop"]);
    assert!(shelf.registry.problems().is_empty());
}

#[test]
fn a_mounted_config_map() {
    let mut shelf = Shelf::new();
    let root = shelf.folder.path().to_owned();
    shelf.write("..2026_1/a.yaml", &document("a", "1%"));
    shelf.write("..2026_2/a.yaml", &document("a", "2%"));
    std::os::unix::fs::symlink("..2026_1", root.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
    assert_eq!(shelf.reload().changed, ["a"]);
    assert!(shelf.registry.problems().is_empty());
    std::os::unix::fs::symlink("..2026_2", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    assert_eq!(shelf.reload().changed, ["a"]);
    assert_eq!(
        shelf.registry.get("a").unwrap().policy.objectives[0].limit,
        Some(0.02)
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut shelf = Shelf::new();
    let path = shelf.folder.path().join("only.yaml");
    fs::write(&path, document("only", "1%")).unwrap();
    let reload = |now| {
        shelf
            .registry
            .reload(std::slice::from_ref(&path), now, None)
    };
    assert_eq!(reload(1).changed, ["only"]);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(reload(2).problems[0].contains("UTF-8"));
    fs::write(&path, vec![b' '; MAX_FILE_BYTES + 2]).unwrap();
    assert!(reload(3).problems[0].contains("too-large"));
    assert!(shelf.registry.get("only").is_some());
    fs::remove_file(&path).unwrap();
    // a path of the configuration that is away keeps what was loaded, also when it is one file
    let report = reload(4);
    assert!(report.removed.is_empty(), "{report:?}");
    assert!(report.problems[0].contains("cannot be read"), "{report:?}");
    assert_eq!(shelf.registry.problems()[0].kept, ["only"]);
    fs::write(&path, document("only", "2%")).unwrap();
    assert_eq!(reload(5).changed, ["only"]);
    shelf.now = 5;
    assert!(shelf.registry.problems().is_empty());
}

#[test]
fn a_folder_that_is_away_for_a_moment_keeps_its_policies() {
    let mut shelf = Shelf::new();
    shelf.write("in/a.yaml", &document("a", "1%"));
    shelf.write("in/b.yaml", &document("b", "1%"));
    let (folder, away) = (
        shelf.folder.path().join("in"),
        shelf.folder.path().join("away"),
    );
    let look = |shelf: &mut Shelf| {
        shelf.now += 1_000;
        let paths = [folder.clone()];
        shelf.registry.reload(&paths, shelf.now, None)
    };
    assert_eq!(look(&mut shelf).changed, ["a", "b"]);
    fs::rename(&folder, &away).unwrap();
    for new in [1, 0] {
        let report = look(&mut shelf);
        assert_eq!((report.removed.len(), report.problems.len()), (0, new));
        assert_eq!(shelf.names(), ["a", "b"]);
        assert_eq!(shelf.registry.problems()[0].kept, ["a", "b"]);
    }
    fs::rename(&away, &folder).unwrap();
    assert_eq!(look(&mut shelf), ReloadReport::default());
    assert!(shelf.registry.problems().is_empty());
    // one file that is deleted goes at once, the last ones of a folder at the second look
    fs::remove_file(folder.join("a.yaml")).unwrap();
    assert_eq!(look(&mut shelf).removed, ["a"]);
    fs::remove_file(folder.join("b.yaml")).unwrap();
    assert_eq!(look(&mut shelf), ReloadReport::default());
    shelf.write("in/b.yaml", &document("b", "1%"));
    assert_eq!(look(&mut shelf), ReloadReport::default());
    fs::remove_file(folder.join("b.yaml")).unwrap();
    assert_eq!(look(&mut shelf), ReloadReport::default());
    assert_eq!(look(&mut shelf).removed, ["b"]);
}

#[test]
fn a_link_that_leads_nowhere_for_a_moment_keeps_its_policies() {
    let mut shelf = Shelf::new();
    let root = shelf.folder.path().to_owned();
    shelf.write("b.yaml", &document("b", "1%"));
    shelf.write("..1/a.yaml", &document("a", "1%"));
    std::os::unix::fs::symlink("..1/a.yaml", root.join("a.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("c.yaml")).unwrap();
    assert_eq!(shelf.reload().changed, ["a", "b"]);
    assert!(shelf.registry.problems().is_empty());
    fs::rename(root.join("..1"), root.join("..2")).unwrap();
    let report = shelf.reload();
    assert_eq!((report.removed.len(), report.problems.len()), (0, 1));
    assert_eq!(shelf.registry.problems()[0].kept, ["a"]);
    fs::rename(root.join("..2"), root.join("..1")).unwrap();
    assert_eq!(shelf.reload(), ReloadReport::default());
    assert!(shelf.registry.problems().is_empty());
    fs::remove_file(root.join("a.yaml")).unwrap();
    assert_eq!(shelf.reload().removed, ["a"]);
}
