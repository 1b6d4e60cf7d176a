//! Reads a stack as JSON on stdin and writes its files into a folder: `export terraform|cloudformation FOLDER`.
use std::io::Read as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(to), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: export KIND FOLDER".into());
    };
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let stack: export::Stack = serde_json::from_str(&text)?;
    let files = if to == "terraform" { export::terraform(&stack)? } else { export::cloudformation(&stack)? };
    for file in files {
        std::fs::write(std::path::Path::new(&folder).join(file.name), file.text)?;
    }
    Ok(())
}
