//! The probe's code as Lambda takes it: one Python file in a zip.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The handler. It needs nothing but what Lambda's Python runtime brings along.
pub(super) const HANDLER: &str = include_str!("../../templates/probe/handler.py");
/// Where Lambda enters it.
pub(super) const ENTRY: &str = "handler.handler";

/// The zip: the same bytes whenever and wherever it is built, so that a name can stand for them.
#[must_use]
pub fn package() -> Vec<u8> {
    // Writing to memory does not fail, as a test holds; and Lambda would refuse an empty zip.
    zipped().unwrap_or_default()
}

fn zipped() -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("handler.py", options)?;
    writer.write_all(HANDLER.as_bytes())?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_zip_holds_the_handler_and_is_the_same_every_time() {
        let code = package();
        assert_eq!(code, package());
        let mut archive = zip::ZipArchive::new(Cursor::new(code)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("handler.py").unwrap();
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o644));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, HANDLER);
        let (module, function) = ENTRY.split_once('.').unwrap();
        assert!(module == "handler" && text.contains(&format!("\ndef {function}(")), "{ENTRY}");
    }
}
