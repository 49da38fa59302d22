//! Inputs made from seeds, the same ones in every run.

/// Bytes that no mutant exceeds: some decoders have larger maxima, but none a branch there.
pub(crate) const MUTANT_BYTES_MAX: usize = 64 * 1024;

/// Changes that one mutant has, at most.
const CHANGES_MAX: u64 = 6;

/// Numbers at which decoders go wrong, as they are written.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_fffe,
    u64::MAX,
];

/// A sequence of numbers that looks random (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Another sequence for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// An index of something with `length` elements, which is not 0.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }
}

/// The seeds, then `count` changed ones.
pub fn mutants<'a>(
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
    seed: u64,
    count: usize,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let mut random = Random::new(seed);
    let changed = (0..count).map(move |_| mutant(seeds, words, &mut random));
    seeds.iter().cloned().chain(changed)
}

fn mutant(seeds: &[Vec<u8>], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.index(seeds.len())].clone();
    for _ in 0..=random.below(CHANGES_MAX) {
        change(&mut bytes, seeds, words, random);
    }
    bytes.truncate(MUTANT_BYTES_MAX);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str], random: &mut Random) {
    // One place more than there are bytes: the end is one too.
    let at = random.index(bytes.len() + 1);
    match random.below(if words.is_empty() { 9 } else { 11 }) {
        0 => flip(bytes, at, random),
        1 => put(bytes, at, &[random.next_u64().to_le_bytes()[0]]),
        2 => put(bytes, at, &edge(random)),
        3 => insert(bytes, at, &edge(random)),
        4 => bytes.truncate(at),
        5 => {
            let end = at + random.index(bytes.len() - at + 1);
            bytes.drain(at..end);
        }
        6 => {
            let end = at + random.index((bytes.len() - at).min(256) + 1);
            let copy = bytes[at..end].to_vec();
            let to = random.index(bytes.len() + 1);
            insert(bytes, to, &copy);
        }
        7 => {
            let other = &seeds[random.index(seeds.len())];
            let from = random.index(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        8 => {
            // Neighbouring values: lengths and counts that are almost right.
            if let Some(byte) = bytes.get_mut(at) {
                *byte = byte.wrapping_add(if random.below(2) == 0 { 1 } else { 255 });
            }
        }
        _ => {
            let word = words[random.index(words.len())].as_bytes().to_vec();
            insert(bytes, at, &word);
        }
    }
}

fn flip(bytes: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    for (old, new) in bytes[at..].iter_mut().zip(new) {
        *old = *new;
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() + new.len() <= MUTANT_BYTES_MAX {
        bytes.splice(at..at, new.iter().copied());
    }
}

/// A number of 1, 2, 4 or 8 bytes, in either order.
fn edge(random: &mut Random) -> Vec<u8> {
    let number = EDGES[random.index(EDGES.len())];
    let width = 1 << random.below(4);
    let mut bytes = number.to_le_bytes()[..width].to_vec();
    if random.below(2) == 0 {
        bytes.reverse();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_mutants() {
        let seeds = [b"abcdefgh".to_vec(), vec![0; 40]];
        let run = |seed| mutants(&seeds, &["word"], seed, 500).collect::<Vec<_>>();
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let distinct: std::collections::BTreeSet<_> = run(1).into_iter().collect();
        assert!(distinct.len() > 400, "only {} differ", distinct.len());
    }

    #[test]
    fn an_empty_seed_has_mutants_too() {
        let seeds = [Vec::new()];
        assert!(mutants(&seeds, &[], 1, 200).any(|bytes| !bytes.is_empty()));
    }
}
