//! Reads facts as JSON from standard input, and prints the advice as JSON.

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let facts: advice::Facts = serde_json::from_str(&text)?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&advice::advise(&facts))?)
}
