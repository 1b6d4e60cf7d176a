//! What packages ship: completions that a shell understands, pages that `man` understands, and what a build says of
//! itself.

use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use rdsproxy_setup::cli::Cli;

use crate::desk::Desk;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

fn offered() -> Vec<String> {
    Cli::command()
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect()
}

#[test]
fn every_shell_is_offered_every_command() {
    let desk = Desk::new();
    for shell in SHELLS {
        let shown = desk.run(&["completions", shell]);
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""), "{shell}");
        for command in offered() {
            assert!(shown.stdout.contains(&command), "{shell} is not offered {command}");
        }
        assert!(!shown.stdout.contains("\\u{"), "{shell}: what the shell reads is shown as people would read it");
    }
}

/// Asked of bash itself: what it would offer for words that are not complete.
#[cfg(unix)]
#[test]
fn bash_completes_commands_flags_and_values() {
    let desk = Desk::new();
    let script = desk.run(&["completions", "bash"]).stdout;
    let offers = |words: &str| {
        let at = words.split_whitespace().count() - 1;
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}; _rdsproxy__setup rdsproxy-setup \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            at - 1
        );
        let answer = Command::new("bash").args(["--norc", "-c", &ask]).stdin(Stdio::null()).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap()
    };
    assert_eq!(offers("rdsproxy-setup tear"), "teardown\n");
    assert_eq!(offers("rdsproxy-setup up --excl"), "--exclude-function\n--exclude-variable\n");
    assert_eq!(offers("rdsproxy-setup up --client-auth i"), "iam\n");
}

#[test]
fn every_command_has_a_page() {
    let desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("man1");
    let shown = desk.run(&["man", "--dir", into.to_str().unwrap()]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let command = Cli::command();
    for name in command.get_subcommands().map(clap::Command::get_name) {
        let page = std::fs::read_to_string(into.join(format!("rdsproxy-setup-{name}.1"))).unwrap();
        assert!(page.contains("Examples:"), "{name}");
    }
    assert!(into.join("rdsproxy-setup-sandbox-serve.1").exists());
    let first = desk.run(&["man"]).stdout;
    assert_eq!(first, std::fs::read_to_string(into.join("rdsproxy-setup.1")).unwrap());
    assert!(first.contains(".TH"), "{first}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "").unwrap();
    let shown = desk.run(&["man", "--dir", file.to_str().unwrap()]);
    assert_eq!(shown.code, Some(1), "{shown}");
    assert!(shown.stderr.contains("writing the manual (") && shown.stderr.contains("taken"), "{shown}");
}

/// The versions are the lock file's, which this program did not write.
#[test]
fn the_version_names_what_it_was_built_from() {
    let desk = Desk::new();
    let short = desk.run(&["--version"]).stdout;
    assert_eq!(short, format!("rdsproxy-setup {}\n", env!("CARGO_PKG_VERSION")));
    let long = desk.run(&["--version", "--verbose"]).stdout;
    assert_eq!(desk.run(&["-v", "-V"]).stdout, long);
    let lock = include_str!("../../Cargo.lock");
    let mut named = 0;
    for line in long.lines().filter(|line| line.starts_with("aws-sdk-")) {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{line}");
        named += 1;
    }
    let direct = include_str!("../../crates/cloud/Cargo.toml")
        .lines()
        .filter(|line| line.starts_with("aws-sdk-") && line.contains("version"))
        .count();
    assert_eq!(named, direct);
}

/// `cargo binstall` looks for the archives under the names that the release gives them.
#[test]
fn the_metadata_for_binstall_names_the_archives_of_a_release() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let found = &manifest["package"]["metadata"]["binstall"];
    let workflow = read(".github/workflows/release.yml");
    let name = workflow.lines().find_map(|line| line.trim().strip_prefix("NAME: ")).unwrap();
    assert_eq!(name, "rdsproxy-setup-${{ needs.version.outputs.version }}-${{ matrix.target }}");
    assert!(
        workflow.contains("7z a \"$NAME.zip\" \"$NAME\"") && workflow.contains("tar -czf \"$NAME.tar.gz\" \"$NAME\"")
    );
    let targets: Vec<&str> = workflow.split("{ target: ").skip(1).map(|rest| rest.split(',').next().unwrap()).collect();
    assert!(targets.len() >= 5, "{targets:?}");
    for target in targets {
        let format = found["overrides"].get(target).unwrap_or(found)["pkg-fmt"].as_str().unwrap();
        // A tgz is looked for as .tgz and as .tar.gz.
        let (suffix, binary) = if target.contains("windows") { (".zip", ".exe") } else { (".tar.gz", "") };
        assert_eq!(format, if suffix == ".zip" { "zip" } else { "tgz" }, "{target}");
        let fill = |template: &str| {
            [
                ("{ repo }", "https://github.com/OWNER/rdsproxy-setup"),
                ("{ name }", "rdsproxy-setup"),
                ("{ bin }", "rdsproxy-setup"),
                ("{ version }", "1.2.3"),
                ("{ target }", target),
                ("{ archive-suffix }", suffix),
                ("{ binary-ext }", binary),
            ]
            .iter()
            .fold(template.to_owned(), |text, (key, value)| text.replace(key, value))
        };
        let archive = format!("rdsproxy-setup-1.2.3-{target}");
        assert_eq!(
            fill(found["pkg-url"].as_str().unwrap()),
            format!("https://github.com/OWNER/rdsproxy-setup/releases/download/v1.2.3/{archive}{suffix}")
        );
        assert_eq!(fill(found["bin-dir"].as_str().unwrap()), format!("{archive}/rdsproxy-setup{binary}"));
    }
}
