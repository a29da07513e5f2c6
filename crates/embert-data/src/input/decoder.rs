//! Decodes bytes of an encoding to UTF-8 while they are read.

use std::io::{self, Read};

use encoding_rs::{Decoder as Transcoder, DecoderResult};

use super::encoding::TextEncoding;
use super::failure::ReadFailure;

const BUFFER: usize = 64 << 10;

/// The text of `bytes` as UTF-8. An undecodable byte is an error after all text before it was read.
pub(super) struct Decoder<R> {
    bytes: R,
    encoding: TextEncoding,
    transcoder: Transcoder,
    input: Vec<u8>,
    /// The part of `input` that is not decoded yet.
    pending: std::ops::Range<usize>,
    output: Vec<u8>,
    /// The part of `output` that is not returned yet.
    decoded: std::ops::Range<usize>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Reading,
    Finished,
    Failed,
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(bytes: R, encoding: TextEncoding) -> Self {
        Self {
            bytes,
            encoding,
            transcoder: encoding.encoding().new_decoder_without_bom_handling(),
            input: vec![0; BUFFER],
            pending: 0..0,
            output: vec![0; BUFFER],
            decoded: 0..0,
            state: State::Reading,
        }
    }

    /// Decodes the next bytes into the output, all of which was returned.
    fn fill(&mut self) -> io::Result<()> {
        let mut last = false;
        if self.pending.is_empty() {
            let count = self.bytes.read(&mut self.input)?;
            self.pending = 0..count;
            last = count == 0;
        }
        let source = &self.input[self.pending.clone()];
        let (result, read, written) =
            self.transcoder.decode_to_utf8_without_replacement(source, &mut self.output, last);
        self.pending.start += read;
        self.decoded = 0..written;
        match result {
            DecoderResult::InputEmpty if last => self.state = State::Finished,
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => self.state = State::Failed,
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoded.is_empty() {
            match self.state {
                State::Reading => self.fill()?,
                State::Finished => return Ok(0),
                State::Failed => return Err(ReadFailure::Undecodable(self.encoding).into()),
            }
        }
        let count = (&self.output[self.decoded.clone()]).read(buffer)?;
        self.decoded.start += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte per call.
    struct OneByOne<'a>(&'a [u8]);

    impl Read for OneByOne<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn decoded(bytes: &[u8], encoding: &str) -> (String, bool) {
        let encoding = encoding.parse().unwrap();
        let mut all = Vec::new();
        let failed = Decoder::new(bytes, encoding).read_to_end(&mut all).is_err();
        let mut slow = Vec::new();
        assert_eq!(Decoder::new(OneByOne(bytes), encoding).read_to_end(&mut slow).is_err(), failed);
        assert_eq!(all, slow);
        (String::from_utf8(all).unwrap(), failed)
    }

    #[test]
    fn text_is_decoded_up_to_the_first_undecodable_byte() {
        for (bytes, encoding, expected) in [
            (&b"caf\xe9"[..], "latin-1", ("café", false)),
            (b"\x93a\x94", "cp1252", ("“a”", false)),
            (b"\x83e\x83X\x83g", "shift_jis", ("テスト", false)),
            (b"\xb5\xe7\xd3\xb0\x81\x39\xef\x31", "gb18030", ("电影㐂", false)),
            (b"a\0\x3d\xd8\0\xde", "utf-16", ("a😀", false)),
            (b"\0a", "utf-16be", ("a", false)),
            (b"a\0b", "utf-16", ("a", true)),
            (b"a\0\x3d\xd8", "utf-16", ("a", true)),
            (b"ok\x83", "shift_jis", ("ok", true)),
            (b"ok\xff\xffmore", "gb18030", ("ok", true)),
            (b"", "latin-1", ("", false)),
        ] {
            assert_eq!(decoded(bytes, encoding), (expected.0.to_owned(), expected.1), "{encoding}");
        }
        let long = b"\xe9".repeat(3 * BUFFER);
        assert_eq!(decoded(&long, "latin-1").0, "é".repeat(3 * BUFFER));
    }
}
