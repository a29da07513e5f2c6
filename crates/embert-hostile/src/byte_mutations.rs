//! Mutations of bytes: truncation, flipped bits, other bytes, difficult values, removed and duplicated parts.

use fastrand::Rng;

/// Values that often break parsers.
const DIFFICULT_VALUES: [&[u8]; 26] = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\n",
    b"\r",
    b"\"",
    b"\\",
    b",",
    b"{",
    b"]",
    b"-1",
    b"0",
    b"1e308",
    b"1e999",
    b"NaN",
    b"null",
    b"99999999999999999999999999",
    b"18446744073709551615",
    b"\"\\ud800\"",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    &[0; 8],
    &[0xff; 8],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// Returns `count` mutations of a file, each with its description.
///
/// A quarter of them are truncations, in equal steps from zero bytes. The others have one to three random changes. The
/// same seed gives the same mutations.
pub fn damaged(good: &[u8], count: usize, seed: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    let cuts = (count / 4).min(good.len());
    let cut = move |number: usize| {
        let length = number * good.len() / cuts;
        (format!("cut to {length} bytes"), good[..length].to_vec())
    };
    let mut rng = Rng::with_seed(seed);
    let mutation = move |number| {
        let (what, bytes) = mutated(good, &mut rng);
        (format!("seed {seed}, number {number}: {what}"), bytes)
    };
    (0..cuts).map(cut).chain((cuts..count).map(mutation))
}

fn mutated(good: &[u8], rng: &mut Rng) -> (String, Vec<u8>) {
    let mut bytes = good.to_vec();
    let num_changes = 1 + rng.usize(..3);
    let changes = (0..num_changes).map(|_| mutate(&mut bytes, rng)).collect::<Vec<_>>();
    (changes.join(", "), bytes)
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) -> String {
    if bytes.is_empty() {
        return "no bytes left".into();
    }
    let at = rng.usize(..bytes.len());
    let end = at + 1 + rng.usize(..64.min(bytes.len() - at));
    match rng.usize(..6) {
        0 => {
            bytes[at] ^= 1 << rng.usize(..8);
            format!("bit flipped at {at}")
        }
        1 => {
            bytes[at] = rng.u8(..);
            format!("byte {at} is {}", bytes[at])
        }
        2 => {
            bytes.drain(at..end);
            format!("{at}..{end} removed")
        }
        3 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
            format!("{at}..{end} duplicated")
        }
        4 => {
            let value = DIFFICULT_VALUES[rng.usize(..DIFFICULT_VALUES.len())];
            bytes.splice(at..at, value.iter().copied());
            format!("{:?} inserted at {at}", value.escape_ascii().to_string())
        }
        _ => {
            let value = DIFFICULT_VALUES[rng.usize(..DIFFICULT_VALUES.len())];
            let end = bytes.len().min(at + value.len());
            bytes.splice(at..end, value.iter().copied());
            format!("{:?} written over {at}..{end}", value.escape_ascii().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_files_and_few_are_unchanged() {
        let good = (0..100).collect::<Vec<u8>>();
        let files = damaged(&good, 400, 7).collect::<Vec<_>>();
        assert_eq!(files, damaged(&good, 400, 7).collect::<Vec<_>>());
        assert_ne!(files, damaged(&good, 400, 8).collect::<Vec<_>>());
        assert_eq!((files.len(), &files[0].1, files[99].1.len()), (400, &vec![], 99));
        assert!(files.iter().filter(|(_, bytes)| *bytes == good).count() < 20);
    }
}
