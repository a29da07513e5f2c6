//! Reads the sizes of a column's pages from the page headers, before any page is decoded.
//!
//! The parquet crate (60.1) cannot limit the size of a page: `get_next_page` allocates what the header says,
//! `peek_next_page` does not return the sizes, and `PageHeader` is private. The sizes in the footer are separate
//! numbers, which a corrupt page header can contradict.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Seek, SeekFrom};

/// Maximum nesting of Thrift structs. A page header has three levels.
const MAX_DEPTH: usize = 8;

/// The sizes of one page in bytes, without its header, and its number of values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PageSizes {
    pub(super) uncompressed: u64,
    pub(super) compressed: u64,
    /// The number of values and nulls of a data page.
    pub(super) values: u64,
}

/// Returns the sizes of all pages between two offsets of a file.
pub(super) fn page_sizes<R: Read + Seek>(file: R, begin: u64, end: u64) -> io::Result<Vec<PageSizes>> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(begin))?;
    let mut pages = vec![];
    while file.stream_position()? < end {
        let page = read_header(&mut file)?;
        file.seek_relative(page.compressed.try_into().map_err(|_| corrupt_header())?)?;
        pages.push(page);
    }
    Ok(pages)
}

/// Reads a `PageHeader` (parquet.thrift) in Thrift's compact protocol. Fields 2 and 3 are the sizes.
/// Fields 5 and 8 are the headers of data pages.
fn read_header(file: &mut impl BufRead) -> io::Result<PageSizes> {
    let mut page = PageSizes::default();
    let mut id = 0;
    while let Some((next, thrift_type)) = read_field(file, id)? {
        id = next;
        match (id, thrift_type) {
            (2, 5) => page.uncompressed = read_size(file)?,
            (3, 5) => page.compressed = read_size(file)?,
            (5 | 8, 12) => page.values = read_num_values(file)?,
            _ => skip(file, thrift_type, MAX_DEPTH)?,
        }
    }
    Ok(page)
}

/// Reads a `DataPageHeader` or `DataPageHeaderV2`. Field 1 of both is the number of values, with nulls.
fn read_num_values(file: &mut impl BufRead) -> io::Result<u64> {
    let (mut values, mut id) = (0, 0);
    while let Some((next, thrift_type)) = read_field(file, id)? {
        id = next;
        match (id, thrift_type) {
            (1, 5) => values = read_size(file)?,
            _ => skip(file, thrift_type, MAX_DEPTH)?,
        }
    }
    Ok(values)
}

/// Reads the id and the type of the next field; `None` at the end of a struct.
fn read_field(file: &mut impl BufRead, id: u64) -> io::Result<Option<(u64, u8)>> {
    let head = read_byte(file)?;
    match (head >> 4, head & 15) {
        (_, 0) => Ok(None),
        (0, thrift_type) => Ok(Some((read_varint(file)? / 2, thrift_type))),
        (delta, thrift_type) => Ok(Some((id.wrapping_add(delta.into()), thrift_type))),
    }
}

fn skip(file: &mut impl BufRead, thrift_type: u8, depth: usize) -> io::Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(corrupt_header)?;
    match thrift_type {
        1 | 2 => Ok(()), // the type of a boolean field is its value
        3 => skip_bytes(file, 1),
        4..=6 => read_varint(file).map(drop),
        7 => skip_bytes(file, 8),
        8 => read_varint(file).and_then(|length| skip_bytes(file, length)),
        9 | 10 => skip_list(file, depth),
        12 => {
            let mut id = 0;
            while let Some((next, thrift_type)) = read_field(file, id)? {
                id = next;
                skip(file, thrift_type, depth)?;
            }
            Ok(())
        }
        _ => Err(corrupt_header()), // a page header has no map
    }
}

fn skip_list(file: &mut impl BufRead, depth: usize) -> io::Result<()> {
    let head = read_byte(file)?;
    let length = if head >> 4 == 15 { read_varint(file)? } else { u64::from(head >> 4) };
    (0..length).try_for_each(|_| match head & 15 {
        1 | 2 => skip_bytes(file, 1), // in a list, a boolean is one byte
        thrift_type => skip(file, thrift_type, depth),
    })
}

fn read_size(file: &mut impl BufRead) -> io::Result<u64> {
    let zigzag = read_varint(file)?;
    if zigzag % 2 == 0 { Ok(zigzag / 2) } else { Err(corrupt_header()) } // odd numbers encode negative sizes
}

fn read_varint(file: &mut impl BufRead) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = read_byte(file)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(corrupt_header())
}

fn read_byte(file: &mut impl BufRead) -> io::Result<u8> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn skip_bytes(file: &mut impl BufRead, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut file.take(length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { Err(corrupt_header()) }
}

fn corrupt_header() -> Error {
    Error::new(ErrorKind::InvalidData, "corrupt page header")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Header of a dictionary page: 5 compressed and 9 uncompressed bytes, with a struct, a list and a text.
    const PAGE: [u8; 22] =
        [0x15, 4, 0x15, 18, 0x15, 10, 0x4c, 0x15, 2, 0x11, 0, 0x18, 1, b'x', 0x19, 0x11, 1, 0, 1, 2, 3, 4];

    #[test]
    fn sizes_of_consecutive_pages_are_read() {
        let one = [&PAGE[..], &[5]].concat();
        let two = one.repeat(2);
        let expected = PageSizes { uncompressed: 9, compressed: 5, values: 0 };
        assert_eq!(page_sizes(Cursor::new(&two), 0, 46).unwrap(), [expected; 2]);
        assert_eq!(page_sizes(Cursor::new(&two), 23, 46).unwrap(), [expected]);
        assert!(page_sizes(Cursor::new(&two[..30]), 0, 46).is_err());
    }

    #[test]
    fn values_of_data_pages_are_counted() {
        for (delta, header) in [(0x2c, [0x15, 0xd8, 4, 0x15, 0]), (0x5c, [0x15, 0xd8, 4, 0x15, 2])] {
            let page = [&[0x15, 0, 0x15, 18, 0x15, 10, delta][..], &header, &[0, 0]].concat();
            let expected = PageSizes { uncompressed: 9, compressed: 5, values: 300 };
            assert_eq!(read_header(&mut Cursor::new(&page)).unwrap(), expected, "{delta:#x}");
        }
    }

    #[test]
    fn corrupt_headers_are_errors() {
        let endless = [0x1c; 100];
        let negative = [0x25, 1, 0];
        let long = [0x25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
        for bytes in [&endless[..], &negative, &long, &[0x1b, 1], &[0x18, 0xff, 0x7f], &[]] {
            assert!(read_header(&mut Cursor::new(bytes)).is_err(), "{bytes:?}");
        }
    }
}
