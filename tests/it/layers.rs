//! The two laws of the layers, checked on the source itself.

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

#[test]
fn the_sandbox_is_built_without_an_sdk() {
    // That it does not know the product, the compiler holds: a circle of packages is an error.
    let tree = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "rdsproxy-sandbox",
            "--edges",
            "normal,dev",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("aws-smithy-runtime-api"), "{tree}");
    let sdks: Vec<&str> = tree.lines().filter(|line| line.starts_with("aws-sdk-")).collect();
    assert_eq!(sdks, [""; 0]);
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
fn no_sdk_type_leaves_the_cloud_room() {
    assert_eq!(holding(&["aws_sdk_"], &["cloud/", "cloud.rs"]), [""; 0]);
}

#[test]
fn only_commands_and_report_know_the_streams() {
    let words = ["stdout()", "stderr()", "println!", "eprintln!", "stdin()"];
    assert_eq!(holding(&words, &["commands/", "report/", "main.rs"]), [""; 0]);
}

#[test]
fn the_product_below_the_commands_does_not_know_the_sandbox() {
    assert_eq!(holding(&["sandbox::"], &["commands/"]), [""; 0]);
}
