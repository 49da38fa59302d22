//! Durations as Go writes them.

/// Milliseconds of a duration such as `300ms`, `1.5s` or `1m30s`, rounded down; `None` if it is
/// none.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut nanoseconds: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = unit_ns(unit)?;
        let whole: u64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        nanoseconds = nanoseconds
            .checked_add(whole.checked_mul(unit)?)?
            .checked_add(part(fraction, unit)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(nanoseconds / 1_000_000)
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// `0.fraction` of a unit.
fn part(fraction: &str, unit: u64) -> Option<u64> {
    let mut scale = unit;
    let mut sum: u64 = 0;
    for digit in fraction.bytes() {
        scale /= 10;
        sum = sum.checked_add(u64::from(digit - b'0') * scale)?;
    }
    Some(sum)
}

fn unit_ns(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, expected) in [
            ("300ms", 300),
            ("10s", 10_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1500us", 1),
            ("1500µs", 1),
            ("999ns", 0),
            ("1s1ms", 1_001),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        for none in [
            "",
            "10",
            "s",
            "-1s",
            "1 s",
            "1x",
            ".",
            "1.s2",
            "ms",
            "99999999999999h",
            "１s",
        ] {
            assert_eq!(milliseconds(none), None, "{none}");
        }
    }
}
