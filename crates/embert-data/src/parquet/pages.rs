//! The sizes of a column's pages, from their headers, before any page is decoded.
//!
//! parquet 60.1 cannot bound a page itself: `get_next_page` allocates what the header states, `peek_next_page` leaves the sizes
//! out, and its `PageHeader` is private. The sizes in the footer are other numbers, which a damaged header need not keep.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Seek, SeekFrom};

/// How deep structures may lie in each other; those of a page's header lie three deep.
const DEEPEST: usize = 8;

/// The sizes of one page in bytes, its header left out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PageSizes {
    pub(super) uncompressed: u64,
    pub(super) compressed: u64,
}

/// The sizes of all pages between two places in a file.
pub(super) fn sizes<R: Read + Seek>(file: R, begin: u64, end: u64) -> io::Result<Vec<PageSizes>> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(begin))?;
    let mut pages = vec![];
    while file.stream_position()? < end {
        let page = header(&mut file)?;
        file.seek_relative(page.compressed.try_into().map_err(|_| damaged())?)?;
        pages.push(page);
    }
    Ok(pages)
}

/// A `PageHeader` of parquet.thrift in Thrift's compact protocol: its second and third fields are the sizes.
fn header(file: &mut impl BufRead) -> io::Result<PageSizes> {
    let mut page = PageSizes::default();
    let mut id = 0;
    while let Some((next, kind)) = field(file, id)? {
        id = next;
        match (id, kind) {
            (2, 5) => page.uncompressed = size(file)?,
            (3, 5) => page.compressed = size(file)?,
            _ => skip(file, kind, DEEPEST)?,
        }
    }
    Ok(page)
}

/// The number and the type of the next field; `None` at the end of a structure.
fn field(file: &mut impl BufRead, id: u64) -> io::Result<Option<(u64, u8)>> {
    let head = byte(file)?;
    match (head >> 4, head & 15) {
        (_, 0) => Ok(None),
        (0, kind) => Ok(Some((varint(file)? / 2, kind))),
        (more, kind) => Ok(Some((id.wrapping_add(more.into()), kind))),
    }
}

fn skip(file: &mut impl BufRead, kind: u8, depth: usize) -> io::Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(damaged)?;
    match kind {
        1 | 2 => Ok(()), // a boolean is its type
        3 => pass(file, 1),
        4..=6 => varint(file).map(drop),
        7 => pass(file, 8),
        8 => varint(file).and_then(|length| pass(file, length)),
        9 | 10 => skip_list(file, depth),
        12 => {
            let mut id = 0;
            while let Some((next, kind)) = field(file, id)? {
                id = next;
                skip(file, kind, depth)?;
            }
            Ok(())
        }
        _ => Err(damaged()), // no page's header has a map
    }
}

fn skip_list(file: &mut impl BufRead, depth: usize) -> io::Result<()> {
    let head = byte(file)?;
    let length = if head >> 4 == 15 { varint(file)? } else { u64::from(head >> 4) };
    (0..length).try_for_each(|_| match head & 15 {
        1 | 2 => pass(file, 1), // in a list, a boolean is a byte
        kind => skip(file, kind, depth),
    })
}

fn size(file: &mut impl BufRead) -> io::Result<u64> {
    let zigzag = varint(file)?;
    if zigzag % 2 == 0 { Ok(zigzag / 2) } else { Err(damaged()) } // odd ones are negative
}

fn varint(file: &mut impl BufRead) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(file)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(damaged())
}

fn byte(file: &mut impl BufRead) -> io::Result<u8> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn pass(file: &mut impl BufRead, length: u64) -> io::Result<()> {
    match io::copy(&mut file.take(length), &mut io::sink())? == length {
        true => Ok(()),
        false => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::InvalidData, "a page's header is damaged")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A dictionary page of 5 bytes that are 9, with a structure, a list and a text in its header.
    const PAGE: [u8; 22] =
        [0x15, 4, 0x15, 18, 0x15, 10, 0x4c, 0x15, 2, 0x11, 0, 0x18, 1, b'x', 0x19, 0x11, 1, 0, 1, 2, 3, 4];

    #[test]
    fn pages_follow_each_other() {
        let one = [&PAGE[..], &[5]].concat();
        let two = one.repeat(2);
        let expected = PageSizes { uncompressed: 9, compressed: 5 };
        assert_eq!(sizes(Cursor::new(&two), 0, 46).unwrap(), [expected; 2]);
        assert_eq!(sizes(Cursor::new(&two), 23, 46).unwrap(), [expected]);
        assert!(sizes(Cursor::new(&two[..30]), 0, 46).is_err());
    }

    #[test]
    fn what_is_no_header_is_an_error() {
        let endless = [0x1c; 100];
        let negative = [0x25, 1, 0];
        let long = [0x25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
        for bytes in [&endless[..], &negative, &long, &[0x1b, 1], &[0x18, 0xff, 0x7f], &[]] {
            assert!(header(&mut Cursor::new(bytes)).is_err(), "{bytes:?}");
        }
    }
}
