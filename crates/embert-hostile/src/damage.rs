//! Damage to bytes: cuts, flipped bits, other bytes, values that readers stumble over, parts lost or doubled.

use fastrand::Rng;

/// What to put into a file where something else stood.
const STUMBLING_BLOCKS: [&[u8]; 26] = [
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

/// So many damaged copies of a file, each with what was done to it: a quarter are cut short, from nothing on in equal
/// steps. The same seed gives the same copies.
pub fn damaged(good: &[u8], count: usize, seed: u64) -> impl Iterator<Item = (String, Vec<u8>)> {
    let cuts = (count / 4).min(good.len());
    let cut = move |number: usize| {
        let length = number * good.len() / cuts;
        (format!("cut to {length} bytes"), good[..length].to_vec())
    };
    let mut draw = Rng::with_seed(seed);
    let change = move |number| {
        let (what, bytes) = changed(good, &mut draw);
        (format!("seed {seed}, number {number}: {what}"), bytes)
    };
    (0..cuts).map(cut).chain((cuts..count).map(change))
}

fn changed(good: &[u8], draw: &mut Rng) -> (String, Vec<u8>) {
    let mut bytes = good.to_vec();
    let places = 1 + draw.usize(..3);
    let done = (0..places).map(|_| change(&mut bytes, draw)).collect::<Vec<_>>();
    (done.join(", "), bytes)
}

fn change(bytes: &mut Vec<u8>, draw: &mut Rng) -> String {
    if bytes.is_empty() {
        return "nothing left".into();
    }
    let at = draw.usize(..bytes.len());
    let end = at + 1 + draw.usize(..64.min(bytes.len() - at));
    match draw.usize(..6) {
        0 => {
            bytes[at] ^= 1 << draw.usize(..8);
            format!("bit flipped at {at}")
        }
        1 => {
            bytes[at] = draw.u8(..);
            format!("byte {at} is {}", bytes[at])
        }
        2 => {
            bytes.drain(at..end);
            format!("{at}..{end} lost")
        }
        3 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
            format!("{at}..{end} twice")
        }
        4 => {
            let block = STUMBLING_BLOCKS[draw.usize(..STUMBLING_BLOCKS.len())];
            bytes.splice(at..at, block.iter().copied());
            format!("{:?} put in at {at}", block.escape_ascii().to_string())
        }
        _ => {
            let block = STUMBLING_BLOCKS[draw.usize(..STUMBLING_BLOCKS.len())];
            let end = bytes.len().min(at + block.len());
            bytes.splice(at..end, block.iter().copied());
            format!("{:?} put over {at}..{end}", block.escape_ascii().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_files_and_few_are_unharmed() {
        let good = (0..100).collect::<Vec<u8>>();
        let files = damaged(&good, 400, 7).collect::<Vec<_>>();
        assert_eq!(files, damaged(&good, 400, 7).collect::<Vec<_>>());
        assert_ne!(files, damaged(&good, 400, 8).collect::<Vec<_>>());
        assert_eq!((files.len(), &files[0].1, files[99].1.len()), (400, &vec![], 99));
        assert!(files.iter().filter(|(_, bytes)| *bytes == good).count() < 20);
    }
}
