//! The words and the spelling of STYLE.md, in everything that people read: string literals, comments and documents.

use std::path::{Path, PathBuf};

use crate::layers::sources;

/// What STYLE.md replaces, each with what stands for it.
fn replaced() -> Vec<(String, String)> {
    let style = std::fs::read_to_string(root().join("STYLE.md")).unwrap();
    let mut words = Vec::new();
    for table in style.split("<!-- words -->").skip(1) {
        let table = table.split("<!-- end -->").next().unwrap();
        for row in table.lines().filter(|line| line.starts_with('|')).skip(2) {
            let (not, but) = row.trim_matches('|').split_once('|').unwrap();
            words.extend(not.split(',').map(|word| (word.trim().to_lowercase(), but.trim().to_owned())));
        }
    }
    words
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The string literals and comments of a Rust file, each with its line.
fn readable(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    let line = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
    while let Some(at) = rest.find(['/', '"', '\'', 'r']) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        let number = line(rest);
        let end = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            found.push((number, rest[..end].to_owned()));
            end
        } else if rest.starts_with("r#\"") && before.is_none_or(|c| !c.is_alphanumeric()) {
            let end = rest[3..].find("\"#").map_or(rest.len(), |end| end + 5);
            found.push((number, rest[..end].to_owned()));
            end
        } else if let Some(inside) = rest.strip_prefix('"') {
            let mut escaped = false;
            let close = |c: char| {
                let this = escaped;
                escaped = c == '\\' && !this;
                c == '"' && !this
            };
            let end = inside.find(close).map_or(rest.len(), |end| end + 2);
            found.push((number, rest[..end].to_owned()));
            end
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") || rest.starts_with("'/'") {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else {
            1
        };
        rest = &rest[end..];
    }
    found
}

/// A text in lower case without code in backticks, and its words with one space between two.
fn words(text: &str) -> String {
    let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let unbroken = prose.replace("\\\n", " ").replace("\\n", " ");
    let split = unbroken.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '_' || c == '-'));
    format!(" {} ", split.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase())
}

/// What of a text STYLE.md replaces.
fn wrong(text: &str, replaced: &[(String, String)]) -> Vec<String> {
    let text = words(text);
    let one = |(not, but): &(String, String)| {
        text.contains(&format!(" {not} ")).then(|| format!("\"{not}\" (write: {but}) in {}", text.trim()))
    };
    replaced.iter().filter_map(one).collect()
}

#[test]
fn every_text_keeps_to_the_style() {
    let replaced = replaced();
    assert!(replaced.len() > 60, "{replaced:?}");
    let mut found = Vec::new();
    let mut files = Vec::new();
    for folder in ["src", "fuzz/src"] {
        sources(&root().join(folder), &mut files);
    }
    for package in std::fs::read_dir(root().join("crates")).unwrap() {
        sources(&package.unwrap().path().join("src"), &mut files);
    }
    for file in &files {
        for (line, text) in readable(&std::fs::read_to_string(file).unwrap()) {
            found.extend(wrong(&text, &replaced).into_iter().map(|what| format!("{}:{line}: {what}", file.display())));
        }
    }
    let documents = [root().to_owned(), root().join("docs")].into_iter().flat_map(|folder| {
        let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("STYLE.md"))
    });
    let documents: Vec<PathBuf> = documents.collect();
    assert!(documents.len() > 15, "{documents:?}");
    for path in &documents {
        for (at, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let name = path.display();
            found.extend(wrong(line, &replaced).into_iter().map(|what| format!("{name}:{}: {what}", at + 1)));
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

/// The widest line of prose.
const WIDEST: usize = 120;

/// The lines of a document that are wider than prose may be, by their numbers. Tables, code, what is generated, and
/// lines that have no place to be broken at may be.
fn too_wide(document: &str) -> Vec<usize> {
    let (mut is_code, mut is_generated) = (false, false);
    let mut found = Vec::new();
    for (at, line) in document.lines().enumerate() {
        let text = line.trim_start();
        is_code ^= text.starts_with("```");
        is_generated = !line.starts_with("<!-- end") && (is_generated || line.starts_with("<!-- generated"));
        let is_prose = !is_code && !is_generated && !text.starts_with(['|', '#', '<']);
        // A space outside of code, behind the mark of a list.
        let start: String = line.chars().take(WIDEST).collect();
        let breaks = start.split('`').step_by(2).any(|prose| prose.trim_start_matches([' ', '-']).contains(' '));
        if is_prose && breaks && line.chars().count() > WIDEST {
            found.push(at + 1);
        }
    }
    found
}

#[test]
fn prose_and_comments_are_wrapped() {
    let code = "```\nfour words of code\n```\n".replace("code", &"x".repeat(120));
    assert_eq!(too_wide(&code), [0; 0]);
    assert_eq!(too_wide(&format!("two words\n- {}\nand {0}\n", "x".repeat(120))), [3]);
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                let wide = too_wide(&std::fs::read_to_string(&path).unwrap()).into_iter();
                found.extend(wide.map(|line| format!("{}:{line}", path.display())));
            }
        }
    }
    let mut files = Vec::new();
    for folder in ["src", "crates", "tests", "fuzz"] {
        sources(&root().join(folder), &mut files);
    }
    for file in &files {
        for (at, line) in std::fs::read_to_string(file).unwrap().lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//") && !line.contains("://");
            if is_comment && line.chars().count() > WIDEST {
                found.push(format!("{}:{}", file.display(), at + 1));
            }
        }
    }
    assert!(files.len() > 300, "{} files", files.len());
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_check_sees_what_people_read_and_nothing_else() {
    let source =
        "// a colour\nlet colour = \"put \\\n back\"; let q = '\"'; // `colour`\n/// Told \"once\".\nr#\"anew\"#";
    let replaced = replaced();
    let seen: Vec<(usize, Vec<String>)> = readable(source)
        .into_iter()
        .map(|(line, text)| (line, wrong(&text, &replaced)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    assert_eq!(seen.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 4, 5], "{seen:?}");
    assert!(seen[1].1[0].starts_with("\"put back\""), "{seen:?}");
}
