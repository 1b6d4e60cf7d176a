//! What is wrong with a file, and where.

use std::fmt;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub place: Place,
    /// What.
    pub text: String,
    /// What would be right.
    pub tips: Vec<String>,
}

impl Wrong {
    pub(crate) fn at(place: Place, text: impl Into<String>) -> Self {
        Self { place, text: text.into(), tips: Vec::new() }
    }

    pub(crate) fn tip(mut self, tip: impl Into<String>) -> Self {
        self.tips.push(tip.into());
        self
    }
}

/// As clap writes its own errors: the tips follow in lines of their own.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)?;
        for (at, tip) in self.tips.iter().enumerate() {
            let gap = if at == 0 { "\n\n" } else { "\n" };
            write!(f, "{gap}  tip: {tip}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Wrong {}

/// The known name that is most like a wrong one, if any is.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let like = |name: &str| strsim::jaro_winkler(&wrong.to_ascii_lowercase().replace('_', "-"), name);
    let scored = known.into_iter().map(|name| (like(name), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
