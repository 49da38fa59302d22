//! Cells and rows of the table of figures.

use super::statistics::Spread;

/// Microseconds as milliseconds with one decimal.
pub fn ms(us: u64) -> String {
    format!("{}.{}", us / 1_000, us % 1_000 / 100)
}

/// A spread in milliseconds, or a dash.
pub fn spread_ms(spread: Option<&Spread>) -> String {
    spread.map_or_else(
        || "-".into(),
        |it| format!("{} [{}..{}]", ms(it.median), ms(it.min), ms(it.max)),
    )
}

/// A value, or a dash.
pub fn optional<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

/// A line: what, of which chain, and two figures.
pub fn row(cells: &[&str; 4]) -> String {
    let [what, target, one, two] = cells;
    format!("{what:<34} {target:<20} {one:<28} {two}")
        .trim_end()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_times_in_milliseconds() {
        assert_eq!(ms(0), "0.0");
        assert_eq!(ms(1_050), "1.0");
        assert_eq!(ms(12_345), "12.3");
        let spread = Spread::of([2_000, 1_000, 30_500]);
        assert_eq!(spread_ms(spread.as_ref()), "2.0 [1.0..30.5]");
        assert_eq!(spread_ms(None), "-");
    }

    #[test]
    fn rows_line_up() {
        let one = row(&["a", "tbsi", "1", "2"]);
        let two = row(&["longer", "anvil", "100", "2"]);
        assert_eq!(one.find("1 "), two.find("100"));
        assert_eq!(row(&["a", "", "", ""]), "a");
    }
}
