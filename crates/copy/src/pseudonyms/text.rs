//! A text with other names in it.

use std::collections::BTreeMap;

use super::aws;
use super::blocks::Blocks;
use super::tokens::Tokens;

/// Which words of a text stay, besides those whose place says what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// None.
    None,
    /// Those of connection strings.
    Connection,
    /// Those of AWS's and the product's sentences that are in no name.
    Sentence,
    /// Those of the product's own texts.
    Own,
}

/// What is known of the account's names.
#[derive(Debug)]
pub(super) struct Renamer {
    pub(super) tokens: Tokens,
    pub(super) blocks: Blocks,
    /// Names that are replaced as a whole, because a digest or a rule is in them.
    pub(super) whole: BTreeMap<String, String>,
    /// Passwords.
    pub(super) passwords: BTreeMap<String, String>,
}

/// How much of a text was read, and what stands for it.
type Piece = (usize, String);

impl Renamer {
    /// A name, an id, an ARN, a host, an address, or several of them.
    pub(super) fn name(&mut self, text: &str) -> String {
        self.text(text, Words::None)
    }

    pub(super) fn text(&mut self, text: &str, words: Words) -> String {
        let begin = aws::beginning(text);
        let mut new = text.get(..begin).unwrap_or_default().to_owned();
        new.push_str(&self.scan(text.get(begin..).unwrap_or_default(), new.chars().next_back(), words));
        new
    }

    fn scan(&mut self, text: &str, before: Option<char>, words: Words) -> String {
        let mut new = String::with_capacity(text.len());
        let mut before = before;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let behind = text.get(..text.len() - rest.len()).unwrap_or_default();
            let (length, piece) = self.piece(rest, first, (behind, before), words);
            let (done, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
            new.push_str(&piece);
            before = done.chars().next_back();
            rest = left;
        }
        new
    }

    fn piece(&mut self, rest: &str, first: char, (behind, before): (&str, Option<char>), words: Words) -> Piece {
        if let Some(piece) = self.as_a_whole(rest, before) {
            return piece;
        }
        if let Some(length) = aws::fixed(rest, before) {
            return (length, rest.get(..length).unwrap_or_default().to_owned());
        }
        if let Some(piece) = self.address(rest, before) {
            return piece;
        }
        if !first.is_alphanumeric() {
            // A character that is not ASCII may be a part of a script without letters.
            let shown = if first.is_ascii() { first } else { '_' };
            return (first.len_utf8(), shown.to_string());
        }
        if let Some(length) = aws::arn(rest) {
            let end = rest.get(..length).unwrap_or_default();
            let kept = |part: &str| part.len() != 12 || !part.chars().all(|c| c.is_ascii_digit());
            let parts: Vec<String> = end
                .split(':')
                .map(|part| if kept(part) { part.to_owned() } else { self.tokens.rename(part) })
                .collect();
            return (length, parts.join(":"));
        }
        if let Some(uuid) = rest.get(..36).filter(|text| recording::is_uuid(text) && aws::ends(rest, 36)) {
            return (36, self.tokens.rename(uuid));
        }
        if let Some((prefix, length)) = aws::id(rest) {
            let id = rest.get(prefix..length).unwrap_or_default();
            return (length, format!("{}{}", rest.get(..prefix).unwrap_or_default(), self.tokens.rename(id)));
        }
        if let Some(host) = aws::host(rest) {
            return (host.len(), self.host(host));
        }
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if aws::stays(token, before) || self.is_word(token, (behind, before), after, words) {
            return (length, token.to_owned());
        }
        (length, self.tokens.rename(token))
    }

    fn as_a_whole(&self, rest: &str, before: Option<char>) -> Option<Piece> {
        // The rest of a host says what it is, and its first label is looked at on its own.
        if before.is_some_and(|c| c.is_alphanumeric() || c == '-') || self.whole.is_empty() || aws::host(rest).is_some()
        {
            return None;
        }
        let here = self.whole.iter().filter(|(old, _)| rest.starts_with(old.as_str()) && aws::ends(rest, old.len()));
        here.max_by_key(|(old, _)| old.len()).map(|(old, new)| (old.len(), new.clone()))
    }

    fn is_word(&self, token: &str, (behind, before): (&str, Option<char>), after: &str, words: Words) -> bool {
        let known = || recording::is_known_word(token) || token.chars().count() == 1;
        match words {
            Words::None => false,
            Words::Connection => aws::of_connection(token, behind, before, after),
            Words::Sentence => known() && !self.tokens.has(token),
            Words::Own => known(),
        }
    }

    fn address(&mut self, rest: &str, before: Option<char>) -> Option<Piece> {
        if before.is_some_and(|c| c.is_alphanumeric() || c == '.') {
            return None;
        }
        if let Some((address, length)) = aws::address(rest) {
            let (block, bits) = aws::block(rest, address, length)?;
            let new = self.blocks.rename(block);
            return Some((length + bits.len(), format!("{new}{bits}")));
        }
        // Private names of hosts: `ip-10-0-1-5.ec2.internal`.
        let numbers = rest.strip_prefix("ip-")?;
        let length = numbers.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(numbers.len());
        let dotted = numbers.get(..length)?.replace('-', ".");
        let (address, _) = aws::address(&dotted).filter(|(_, read)| *read == length)?;
        let (block, _) = aws::block("", address, 0)?;
        Some((3 + length, format!("ip-{}", self.blocks.rename(block).replace('.', "-"))))
    }

    /// A host of AWS's: what names the service and the Region stays, and so does what says which endpoint it is.
    fn host(&mut self, host: &str) -> String {
        let labels: Vec<&str> = host.split('.').collect();
        let kept = labels.len() - aws::tail(&labels);
        let mut new = Vec::with_capacity(labels.len());
        for (place, label) in labels.iter().enumerate() {
            let prefix = match place {
                0 if kept > 1 => 0,
                _ => aws::kind_of_endpoint(label),
            };
            if place >= kept || prefix == label.len() {
                new.push((*label).to_owned());
                continue;
            }
            let (kind, name) = label.split_at_checked(prefix).unwrap_or(("", label));
            new.push(format!("{kind}{}", self.scan(name, None, Words::None)));
        }
        new.join(".")
    }
}
