//! Damaged gzip, zstandard, bzip2 and zip files, and decompression bombs.

use std::io::Write;
use std::path::Path;

use embert_data::{DataError, ReadOptions, TableReader, read_table};
use embert_hostile::{FuzzTarget, MemoryBound, damaged};

use crate::open;

/// The limits of the README: 64 MiB of rows plus 1,000 bytes per byte, with one chunk and a table that grows.
const LIMIT: MemoryBound = MemoryBound { times: 2048, plus: 224 << 20 };

const CSV: &str = "text,label\ngood,1\nbad \"x\",0\né 電影 😀,1\n";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

fn zstandard(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

/// Returns an archive with a member that is compressed with deflate. `size` is the uncompressed size that it states.
fn zip(name: &str, content: &[u8], size: u32) -> Vec<u8> {
    let mut compressed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    compressed.write_all(content).unwrap();
    let compressed = compressed.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let fields = [
        &[20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0][..], // version, flags, deflate, time, date
        &crc.sum().to_le_bytes(),
        &(compressed.len() as u32).to_le_bytes(),
        &size.to_le_bytes(),
        &(name.len() as u16).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &fields[..], name.as_bytes(), &compressed].concat();
    let central = [b"PK\x01\x02\x14\0", &fields[..], &[0; 14], name.as_bytes()].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(central.len() as u32).to_le_bytes(),
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ];
    [local, central, end.concat()].concat()
}

/// Reads all tables of a file and forgets them.
fn stream(file: &Path) -> Result<(), DataError> {
    TableReader::open(file, &ReadOptions::default())?.try_for_each(|table| table.map(drop))
}

/// Reads a table of all rows.
fn table(file: &Path) -> Result<(), DataError> {
    read_table(file, &ReadOptions::default()).map(drop)
}

#[test]
fn decompression_bombs_are_rejected_within_the_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), table).within(LIMIT);
    let megabyte = vec![b'x'; 1 << 20];
    for (what, compress) in [("zstandard", zstandard as fn(&[u8]) -> Vec<u8>), ("bzip2", bzip2)] {
        let file = [compress(b"text,label\n"), compress(&megabyte).repeat(100), compress(b",1\n")].concat();
        assert!(file.len() < 20_000, "{what}: {} bytes", file.len());
        let error = target.refused(what, file);
        assert!(error.contains("as in a decompression bomb"), "{what}: {error}");
    }
    let rows = [b"text,label\n".to_vec(), b",1\n".repeat(2_000_000)].concat();
    for (what, file) in [
        ("rows in zstandard", zstandard(&rows)),
        ("rows in gzip", gzip(&rows)),
        ("rows in zip", zip("a.csv", &rows, 5)),
    ] {
        assert!(file.len() < 20_000, "{what}: {} bytes", file.len());
        let error = target.refused(what, file);
        assert!(error.contains("as in a decompression bomb"), "{what}: {error}");
    }
    println!("{}", target.finish(5, 0));
}

#[test]
fn streaming_needs_the_memory_of_a_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let within = MemoryBound { times: 0, plus: 4 << 20 };
    let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), stream).within(within);
    let row = |number: usize| format!("a text of about forty bytes with number {number},{}\n", number % 2);
    let rows = "text,label\n".to_owned() + &(0..200_000).map(row).collect::<String>();
    target.file("nine megabytes of csv", &rows).unwrap();
    target.file("the same in gzip", gzip(rows.as_bytes())).unwrap();
    target.file("the same in bzip2", bzip2(rows.as_bytes())).unwrap();
    target.file("the same in zip", zip("a.csv", rows.as_bytes(), rows.len() as u32)).unwrap();
    println!("{}", target.finish(4, 0));
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), open).within(LIMIT);
    let csv = CSV.as_bytes();
    for (what, file) in [
        ("gzip", gzip(csv)),
        ("zstandard", zstandard(csv)),
        ("bzip2", bzip2(csv)),
        ("zip", zip("a.csv", csv, csv.len() as u32)),
        ("two members of gzip", [gzip(&csv[..20]), gzip(&csv[20..])].concat()),
    ] {
        target.file(what, &file).unwrap_or_else(|error| panic!("{what}: {error}"));
        for end in 1..file.len() {
            // A prefix of `BZh` is text, and gzip may end after a member.
            let result = target.file(&format!("{what}, cut to {end} bytes"), &file[..end]);
            assert!(result.is_err(), "{what}, cut to {end} bytes");
        }
    }
    for (what, file, expected) in [
        ("a wrong checksum", zip_with_wrong_checksum(), "damaged or truncated: the checksum differs"),
        ("a zip archive in gzip", gzip(&zip("a.csv", csv, 5)), "found a zip archive; unpack it first"),
        ("gzip in gzip", gzip(&gzip(csv)), "found a gzip archive; unpack it first"),
        ("no table", zip("a/", b"", 0), "must contain one table; found nothing"),
        ("a hidden file", zip(".a.csv", csv, 5), "must contain one table; found nothing"),
        ("parquet in gzip", gzip(b"PAR1"), "found a parquet file; name it .parquet"),
        ("an empty file in gzip", gzip(b""), "no rows"),
        ("an empty file in zip", zip("a.csv", b"", 0), "no rows"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(465, 0));
}

fn zip_with_wrong_checksum() -> Vec<u8> {
    let mut file = zip("a.csv", CSV.as_bytes(), 5);
    let at = file.windows(6).position(|bytes| bytes == b"PK\x01\x02\x14\0").unwrap();
    file[at + 16] ^= 1;
    file
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let csv = CSV.repeat(20).replace("1\ntext,label", "1");
    let csv = csv.as_bytes();
    for (seed, file) in
        (10..).zip([gzip(csv), zstandard(csv), bzip2(csv), zip("a.csv", csv, csv.len() as u32)])
    {
        let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), table).within(LIMIT);
        target.mutations(damaged(&file, 1000, seed));
        println!("{}", target.finish(0, 1000));
    }
}
