//! Who may know whom, checked on the source itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// What a package is built with and tested with: the names, itself first.
fn built_with(package: &str, depth: &str) -> Vec<String> {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal,dev", "--prefix", "none"])
        .args(["--package", package, "--depth", depth])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    tree.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

/// The packages of this repository, without the product itself.
fn packages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
    folders.map(|name| format!("rdsproxy-{}", name.to_string_lossy())).collect()
}

/// That none of them knows the product, the compiler holds: a circle of packages is an error.
#[test]
fn only_one_package_is_built_with_an_sdk() {
    let is_sdk = |name: &String| name.starts_with("aws-sdk-");
    assert!(built_with("rdsproxy-cloud", "1").iter().any(is_sdk));
    // The product links them, and by way of that package alone.
    assert!(!built_with("rdsproxy-setup", "1").iter().any(is_sdk));
    let packages = packages();
    assert!(packages.len() > 12, "{packages:?}");
    for package in packages.iter().filter(|name| *name != "rdsproxy-cloud") {
        assert_eq!(built_with(package, "99").into_iter().find(is_sdk), None, "{package}");
    }
}

/// Neither AWS nor the thirteen steps: of this repository, it knows the clock.
#[test]
fn the_engine_knows_no_account_and_no_step() {
    let of_ours = |name: &String| name.starts_with("rdsproxy-") || name.starts_with("aws-");
    let known: Vec<String> = built_with("rdsproxy-engine", "99").into_iter().filter(of_ours).collect();
    assert_eq!(known, ["rdsproxy-engine", "rdsproxy-clock"]);
}

/// What every simulated service consists of, besides one file a resource.
#[test]
fn every_simulated_service_has_the_same_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/sandbox/src");
    let mut services = 0;
    for entry in std::fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("dispatch.rs").is_file() {
            continue;
        }
        services += 1;
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        // STS remembers nothing.
        for (file, what) in [("dispatch.rs", "fn handle("), ("needs.rs", "fn needs("), ("state.rs", "")] {
            assert!(text(file).contains(what) && (!text(file).is_empty() || name == "sts"), "{name}/{file}");
        }
        let code: Vec<String> =
            text("mod.rs").lines().map(str::to_owned).filter(|line| !line.starts_with("//")).collect();
        assert!(
            !code.iter().any(|line| line.contains("fn ") || line.contains("struct ")),
            "{name}/mod.rs holds more than names"
        );
    }
    // As many as the account has services.
    let account = std::fs::read_to_string(root.join("account.rs")).unwrap();
    let (_, variants) = account.split_once("pub enum Service {").unwrap();
    let variants = variants.split_once("\n}").unwrap().0;
    let variants =
        variants.lines().filter(|line| line.trim_end().ends_with(',') && !line.trim_start().starts_with("//")).count();
    assert_eq!(services, variants);
}

/// Files of `src` that hold one of the words, outside the rooms that may.
fn holding(words: &[&str], rooms: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "the source was not found");
    let mut offenders = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&file).unwrap();
        if !rooms.iter().any(|room| name.starts_with(room)) && words.iter().any(|word| text.contains(word)) {
            offenders.push(name);
        }
    }
    offenders
}

#[test]
fn only_commands_and_report_know_the_streams() {
    let words = ["stdout()", "stderr()", "println!", "eprintln!", "stdin()"];
    assert_eq!(holding(&words, &["commands/", "commands.rs", "report/", "report.rs", "main.rs"]), [""; 0]);
}

#[test]
fn the_product_below_the_commands_does_not_know_the_sandbox() {
    // A rehearsal is a run over the simulated account, and knows nothing else of it than the copy.
    assert_eq!(holding(&["sandbox::"], &["commands/", "commands.rs", "rehearse/", "rehearse.rs"]), [""; 0]);
}

/// What each folder or file of `src` refers to in the others, outside its unit tests.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let room = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join(" ");
        let known = rooms.entry(room.clone()).or_default();
        for after in code.split("crate::").skip(1) {
            let names: Vec<&str> = match after.strip_prefix('{') {
                // use crate::{a, b::c};
                Some(list) => list.split(';').next().unwrap().split(',').collect(),
                None => vec![after],
            };
            let first = |text: &str| -> String {
                text.trim_start()
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_' || c.is_ascii_digit())
                    .collect()
            };
            known.extend(names.into_iter().map(first).filter(|other| *other != room && !other.is_empty()));
        }
    }
    let all: BTreeSet<String> = rooms.keys().cloned().collect();
    for known in rooms.values_mut() {
        known.retain(|other| all.contains(other));
    }
    assert!(rooms["commands"].contains("teardown") && rooms["resources"].contains("engine"), "{rooms:?}");
    rooms
}

#[test]
fn no_room_knows_itself_by_way_of_another() {
    let mut rooms = rooms();
    // Whoever knows nobody that is left stands on firm ground; what remains stands in a circle.
    loop {
        let ground: Vec<String> = rooms
            .iter()
            .filter(|(_, known)| known.iter().all(|other| !rooms.contains_key(other)))
            .map(|(room, _)| room.clone())
            .collect();
        if ground.is_empty() {
            break;
        }
        rooms.retain(|room, _| !ground.contains(room));
    }
    assert_eq!(rooms, BTreeMap::new());
}

#[test]
fn the_map_of_the_rooms_is_whole() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let table: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let unmapped = packages()
        .into_iter()
        .filter(|package| !table.contains(&format!("`{}`", package.replace("rdsproxy-", "crates/")).as_str()));
    assert_eq!(unmapped.collect::<Vec<_>>(), [""; 0], "not in the table of docs/architecture.md");
    let on_the_map: BTreeSet<String> = table
        .iter()
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| !name.starts_with("crates/"))
        .map(|name| name.split('/').next().unwrap().trim_end_matches(".rs").to_owned())
        .collect();
    let there: BTreeSet<String> = rooms().into_keys().collect();
    let missing: Vec<&String> = there.difference(&on_the_map).collect();
    assert_eq!(missing, [""; 0], "not in the table of docs/architecture.md");
    let tests = |name: &String| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/{name}.rs")).exists();
    let gone: Vec<&String> = on_the_map.difference(&there).filter(|name| !tests(name)).collect();
    assert_eq!(gone, [""; 0], "in the table, but not in src or tests/it");
}
