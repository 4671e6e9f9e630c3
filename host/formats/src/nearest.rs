//! The known name that was probably meant.

/// "did you mean `createdon`?" for the nearest of `known`, if one is near enough.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|meant| format!("did you mean `{meant}`?"))
}

/// The nearest of `known` that differs from `name` in at most a third of its characters (one in short names).
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody means a name of this length, and the comparison is quadratic.
    if name.len() > 100 {
        return None;
    }
    let limit = (name.chars().count() / 3).max(1);
    let folded = name.to_lowercase().replace('-', "_");
    let near = known.into_iter().map(|known| (distance(&folded, &known.replace('-', "_")), known));
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How many characters must be changed, added, left out or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, here) in from.chars().enumerate() {
        let mut next = vec![row + 1];
        for (column, there) in to.iter().enumerate() {
            let changed = last[column] + usize::from(here != *there);
            let mut least = changed.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped = column > 0 && previous == Some(*there) && here == to[column - 1];
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
        previous = Some(here);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_name_that_was_meant() {
        for (written, meant) in [
            ("reciepts", Some("receipts")),
            ("attribtes", Some("attributes")),
            ("max_length", Some("max-length")),
            ("Title", Some("title")),
            ("colour", None),
        ] {
            assert_eq!(nearest(written, ["receipts", "attributes", "max-length", "title"]), meant, "{written}");
        }
    }
}
