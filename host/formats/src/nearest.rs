//! The known name that was probably meant.

/// The most names that are compared with a wrong one: the hint is a courtesy and must cost nothing to speak of.
const MOST: usize = 300;
/// The longest name that has a hint.
const LONGEST: usize = 100;

/// "did you mean `createdon`?" for the nearest of `known`, if one is near enough.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|meant| format!("did you mean `{meant}`?"))
}

/// The nearest of `known` that differs from `name` in at most a third of its characters (one in short names).
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().map(joint).take(LONGEST + 1).collect();
    // Nobody means a name of this length.
    if name.len() > LONGEST {
        return None;
    }
    let mut limit = (name.len() / 3).max(1);
    let mut best = None;
    let mut rows = [[0; LONGEST + 1]; 3];
    for known in known.into_iter().take(MOST) {
        if let Some(distance) = distance(known, &name, limit, &mut rows) {
            best = Some(known);
            // Only a nearer one is better; nothing is nearer than the name itself.
            match distance.checked_sub(1) {
                Some(nearer) => limit = nearer,
                None => break,
            }
        }
    }
    best
}

fn joint(character: char) -> char {
    if character == '-' { '_' } else { character }
}

/// How many characters must be changed, added, left out or swapped with their neighbour, if at most `limit`.
///
/// The rows of the table are lent, because clearing them would take longer than filling them.
fn distance(known: &str, name: &[char], limit: usize, rows: &mut [[usize; LONGEST + 1]; 3]) -> Option<usize> {
    // A character has at most four bytes: far longer ones need not be looked at.
    if known.len() > 4 * (name.len() + limit) || known.len() + limit < name.len() {
        return None;
    }
    let width = name.len() + 1;
    let (mut before, mut last, mut next) = (0, 1, 2);
    (0..width).for_each(|column| rows[last][column] = column);
    let mut previous = None;
    for (row, there) in known.chars().map(joint).enumerate() {
        rows[next][0] = row + 1;
        for column in 1..width {
            let here = name[column - 1];
            let changed = rows[last][column - 1] + usize::from(here != there);
            let mut least = changed.min(rows[last][column] + 1).min(rows[next][column - 1] + 1);
            if column > 1 && Some(here) == previous && there == name[column - 2] {
                least = least.min(rows[before][column - 2] + 1);
            }
            rows[next][column] = least;
        }
        // A swap reaches back over one row, so two of them must be out of reach.
        let reached = rows[last][..width].iter().chain(&rows[next][..width]).any(|distance| *distance <= limit);
        if !reached {
            return None;
        }
        (before, last, next) = (last, next, before);
        previous = Some(there);
    }
    Some(rows[last][width - 1]).filter(|distance| *distance <= limit)
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
            ("tilte", Some("title")),
            ("itle", Some("title")),
            ("", None),
        ] {
            assert_eq!(nearest(written, ["receipts", "attributes", "max-length", "title"]), meant, "{written}");
        }
    }
}
