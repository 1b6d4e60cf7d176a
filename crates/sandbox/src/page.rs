//! Paging of lists by their sorted key.

/// The items after the marker, at most `size`, and the marker of the next page if there is one.
///
/// The marker is the key of the last item given, so that changes between two pages shift nothing.
pub(super) fn page<T>(items: Vec<(String, T)>, marker: Option<&str>, size: usize) -> (Vec<T>, Option<String>) {
    let mut items = items;
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut rest = items.into_iter().filter(|(key, _)| marker.is_none_or(|marker| key.as_str() > marker)).peekable();
    let mut found = Vec::new();
    let mut last = None;
    while found.len() < size {
        let Some((key, item)) = rest.next() else { return (found, None) };
        last = Some(key);
        found.push(item);
    }
    let next = rest.peek().and(last);
    (found, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once_and_the_last_has_no_marker() {
        let items = || (0..5).map(|n| (format!("k{n}"), n)).collect::<Vec<_>>();
        assert_eq!(page(items(), None, 2), (vec![0, 1], Some("k1".to_owned())));
        assert_eq!(page(items(), Some("k1"), 3), (vec![2, 3, 4], None));
        assert_eq!(page(items(), Some("k1x"), 9), (vec![2, 3, 4], None));
        assert_eq!(page(items(), Some("k4"), 2), (vec![], None));
    }
}
