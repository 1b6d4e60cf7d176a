//! Tables on a terminal: lines break between words, and what follows is indented.

/// The width of a page where the terminal does not say one.
const PAGE: usize = 100;
/// Where the cells of a row begin that does not fit beside its title.
const BELOW: usize = 6;
/// The fewest columns that cells stand beside a title in: in less, a sentence would be a column of single words.
const NARROW: usize = 24;

/// The columns of the terminal that results go to. Elsewhere lines stay whole: other programs read them.
#[must_use]
pub(super) fn columns() -> Option<usize> {
    columns_of(&console::Term::stdout())
}

fn columns_of(terminal: &console::Term) -> Option<usize> {
    let (_, columns) = terminal.size_checked()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

/// The width that prose is broken at.
#[must_use]
pub(super) fn page(columns: Option<usize>) -> usize {
    columns.map_or(PAGE, |columns| columns.min(PAGE))
}

/// The words of a text. A command at its end is one word, so that it can be copied from the screen.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let command = ["rdsproxy-setup ", "aws "].iter().filter_map(|program| text.find(&format!(": {program}"))).min();
    let (prose, command) = command.map_or((text, None), |at| (&text[..=at], Some(&text[at + 2..])));
    prose.split(' ').chain(command)
}

/// A text after `start`, broken between words; what does not fit goes on below, from column `indent` on.
pub(super) fn hang(start: &str, text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut row = start.to_owned();
    let mut empty = true;
    for word in words(text) {
        if !empty && console::measure_text_width(&row) + 1 + console::measure_text_width(word) > width {
            lines.push(std::mem::replace(&mut row, " ".repeat(indent)));
            empty = true;
        }
        if !empty {
            row.push(' ');
        }
        row.push_str(word);
        empty = false;
    }
    lines.push(row);
    lines
}

/// Breaks a line between words; all but the first begin two columns further right.
fn broken(line: &str, width: usize) -> Vec<String> {
    if console::measure_text_width(line) <= width {
        return vec![line.to_owned()];
    }
    let text = line.trim_start_matches(' ');
    let start = &line[..line.len() - text.len()];
    hang(start, text, start.len() + 2, width)
}

/// A sentence of a result, broken between words where that goes to a terminal.
pub(super) fn sentence(text: &str) -> String {
    within(text, columns())
}

/// A sentence for stderr, broken between words where that is a terminal.
pub(super) fn prose(text: &str) -> String {
    within(text, columns_of(&console::Term::stderr()))
}

/// A text broken between words where it is wider than the terminal.
pub(super) fn within(text: &str, columns: Option<usize>) -> String {
    columns.map_or_else(|| text.to_owned(), |columns| broken(text, columns).join("\n"))
}

/// Whether each line can be broken so that it fits.
fn fits(lines: &[String], width: usize) -> bool {
    let fits = |line: &String| {
        let hanging = line.len() - line.trim_start_matches(' ').len() + 2;
        let longest = words(line.trim_start_matches(' ')).map(|word| word.chars().count()).max();
        line.chars().count() <= width || longest.unwrap_or(0) + hanging <= width
    };
    lines.iter().all(fits)
}

/// A row: its title, and `lines` beside it from column `beside` on, or below it where they would not fit.
///
/// `lines` is asked with the column that they begin at.
pub(super) fn row(
    title: &str,
    beside: usize,
    columns: Option<usize>,
    lines: impl Fn(usize) -> Vec<String>,
) -> Vec<String> {
    let mut cells = lines(beside);
    let mut indent = beside;
    if let Some(columns) = columns {
        let room = columns.saturating_sub(beside);
        if room < NARROW || !fits(&cells, room) {
            indent = BELOW.min(beside);
            cells = lines(indent);
        }
        let width = columns.saturating_sub(indent).max(NARROW);
        cells = cells.iter().flat_map(|line| broken(line, width)).collect();
    }
    let mut rows: Vec<String> = Vec::new();
    if indent == beside {
        let first = if cells.is_empty() { String::new() } else { cells.remove(0) };
        rows.push(format!("{title:<beside$}{first}").trim_end().to_owned());
    } else {
        rows.push(title.trim_end().to_owned());
    }
    rows.extend(cells.into_iter().map(|line| format!("{:indent$}{line}", "")));
    rows
}

/// A text cut to `width` columns, with `…` where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(lines: &[&str]) -> impl Fn(usize) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        move |_| lines.clone()
    }

    #[test]
    fn what_fits_stays_beside_its_title() {
        assert_eq!(
            row("= 1  Role", 12, Some(80), cells(&["in place", "why"])),
            ["= 1  Role   in place", "            why"]
        );
    }

    #[test]
    fn what_would_stand_in_a_narrow_column_stands_below() {
        let rows = row("  terraform -chdir=/tmp/proxy init", 40, Some(60), cells(&["get the AWS provider"]));
        assert_eq!(rows, ["  terraform -chdir=/tmp/proxy init", "      get the AWS provider"]);
    }

    #[test]
    fn words_are_never_broken() {
        let text = "create my-instance-proxy in three Availability Zones of the database's subnet group";
        let rows = row("+ 3  RDS Proxy", 16, Some(40), cells(&[text]));
        assert!(rows.iter().all(|row| row.chars().count() <= 40), "{rows:?}");
        let words: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
        assert_eq!(words.join(" "), format!("+ 3 RDS Proxy {text}"));
        assert!(rows[1].starts_with("                  "), "hanging: {rows:?}");
    }

    #[test]
    fn a_sentence_hangs_and_its_command_stays_whole() {
        let text = "  hint: Restore it with: aws secretsmanager restore-secret --secret-id my-cluster/app";
        let command = "    aws secretsmanager restore-secret --secret-id my-cluster/app";
        assert_eq!(within(text, Some(60)), format!("  hint: Restore it with:\n{command}"));
        assert_eq!(within(text, None), text);
        let text = "error: finding the function (nope): there is none of this name";
        assert_eq!(within(text, Some(40)), "error: finding the function (nope):\n  there is none of this name");
    }

    #[test]
    fn a_long_name_goes_below_its_title() {
        let host = "my-instance-proxy.proxy-b92f229c498d.eu-central-1.rds.amazonaws.com:3306";
        let rows = row("    -> proxy", 38, Some(80), cells(&[host]));
        assert_eq!(rows, ["    -> proxy".to_owned(), format!("      {host}")]);
        assert_eq!(row("    -> proxy", 17, None, cells(&[host])), [format!("    -> proxy     {host}")]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("waiting for the target", 10), "waiting f…");
    }
}
