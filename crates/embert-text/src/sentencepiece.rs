//! Reads a SentencePiece model: the fields of `ModelProto` (sentencepiece_model.proto) that a tokenizer needs.
//!
//! The format is protobuf: each field is a key, field number · 8 + wire type, and a value. Unknown fields are skipped.

use std::path::Path;

use crate::{Result, TextError};

/// The type of a piece with the unknown token's role, and of pieces that texts match as a whole.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;
/// `ModelType` of `TrainerSpec`.
const UNIGRAM: u64 = 1;

/// A Unigram model of SentencePiece.
#[derive(Debug, PartialEq)]
pub(crate) struct SentencePieceModel {
    /// The pieces by id.
    pub(crate) pieces: Vec<Piece>,
    /// The id of the unknown piece.
    pub(crate) unk_id: usize,
    /// The compiled rules of the normalizer; empty without rules.
    pub(crate) precompiled_charsmap: Vec<u8>,
}

/// A piece of the vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// The logarithm of its probability.
    pub(crate) score: f32,
    kind: u64,
}

impl Piece {
    /// Returns true if the piece is matched as a whole, before the normalizer.
    pub(crate) fn is_added_token(&self) -> bool {
        matches!(self.kind, CONTROL | USER_DEFINED)
    }

    /// Returns true if the piece is a special token.
    pub(crate) fn is_special(&self) -> bool {
        self.kind == CONTROL
    }
}

impl SentencePieceModel {
    /// Parses a file. Fails for models of another type than Unigram.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let malformed = |reason| TextError::Malformed {
            origin: path.display().to_string(),
            reason: format!("not a SentencePiece model: {reason}"),
        };
        let mut parser = Parser::default();
        parser.model(bytes).map_err(malformed)?;
        if parser.model_type != UNIGRAM {
            return Err(TextError::Unsupported {
                origin: path.display().to_string(),
                part: "the SentencePiece model_type".to_owned(),
                found: parser.model_type.to_string(),
                supported: format!("{UNIGRAM} (Unigram)"),
            });
        }
        let Parser { model, .. } = parser;
        if model.unk_id >= model.pieces.len() {
            return Err(malformed(format!(
                "unk_id {} is not one of {} pieces",
                model.unk_id,
                model.pieces.len()
            )));
        }
        Ok(model)
    }
}

/// A value of a field.
enum Field<'a> {
    Varint(u64),
    Fixed32([u8; 4]),
    Bytes(&'a [u8]),
    Other,
}

/// The state of parsing, with the defaults of the format.
struct Parser {
    model: SentencePieceModel,
    model_type: u64,
}

impl Default for Parser {
    fn default() -> Self {
        let model = SentencePieceModel { pieces: vec![], unk_id: 0, precompiled_charsmap: vec![] };
        Self { model, model_type: UNIGRAM }
    }
}

impl Parser {
    /// Parses `ModelProto`: pieces = 1, trainer_spec = 2, normalizer_spec = 3.
    fn model(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((number, field)) = next_field(&mut bytes)? {
            match (number, field) {
                (1, Field::Bytes(piece)) => {
                    let index = self.model.pieces.len();
                    let piece = parse_piece(piece).map_err(|reason| format!("piece {index}: {reason}"))?;
                    self.model.pieces.push(piece);
                }
                (2, Field::Bytes(spec)) => self.trainer_spec(spec)?,
                (3, Field::Bytes(spec)) => self.normalizer_spec(spec)?,
                (1..=3, _) => return Err(format!("field {number} is not a message")),
                _ => (),
            }
        }
        Ok(())
    }

    /// Parses `TrainerSpec`: model_type = 3, unk_id = 40.
    fn trainer_spec(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((number, field)) = next_field(&mut bytes)? {
            match (number, field) {
                (3, Field::Varint(model_type)) => self.model_type = model_type,
                (40, Field::Varint(id)) => self.model.unk_id = usize::try_from(id).unwrap_or(usize::MAX),
                (3 | 40, _) => return Err(format!("field {number} of trainer_spec is not a number")),
                _ => (),
            }
        }
        Ok(())
    }

    /// Parses `NormalizerSpec`: precompiled_charsmap = 2.
    fn normalizer_spec(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((number, field)) = next_field(&mut bytes)? {
            match (number, field) {
                (2, Field::Bytes(charsmap)) => self.model.precompiled_charsmap = charsmap.to_vec(),
                (2, _) => return Err("precompiled_charsmap is not bytes".to_owned()),
                _ => (),
            }
        }
        Ok(())
    }
}

/// Parses `SentencePiece`: piece = 1, score = 2, type = 3. The default type is 1, a normal piece.
fn parse_piece(mut bytes: &[u8]) -> Result<Piece, String> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: 1 };
    while let Some((number, field)) = next_field(&mut bytes)? {
        match (number, field) {
            (1, Field::Bytes(text)) => {
                piece.text = std::str::from_utf8(text).map_err(|_| "the text is not UTF-8")?.to_owned();
            }
            (2, Field::Fixed32(score)) => piece.score = f32::from_le_bytes(score),
            (3, Field::Varint(kind)) => piece.kind = kind,
            (1..=3, _) => return Err(format!("field {number} has the wrong type")),
            _ => (),
        }
    }
    if piece.text.is_empty() {
        return Err("it has no text".to_owned());
    }
    if !piece.score.is_finite() {
        return Err(format!("its score is {}", piece.score));
    }
    Ok(piece)
}

/// Removes the next field from the front of the bytes; `None` at the end.
fn next_field<'a>(bytes: &mut &'a [u8]) -> Result<Option<(u64, Field<'a>)>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = varint(bytes)?;
    let field = match key & 7 {
        0 => Field::Varint(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Field::Other)?,
        2 => {
            let length = varint(bytes)?;
            Field::Bytes(take(bytes, length)?)
        }
        5 => Field::Fixed32(take(bytes, 4)?.try_into().expect("four bytes")),
        wire_type => return Err(format!("wire type {wire_type} is unknown")),
    };
    Ok(Some((key >> 3, field)))
}

/// Removes a number of 7 bits per byte, lowest first.
fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number has more than 64 bits".to_owned())
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], String> {
    let length = usize::try_from(length).ok().filter(|length| *length <= bytes.len());
    let Some(length) = length else { return Err("the file is truncated".to_owned()) };
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A piece "a" with score -1, an unknown field, and unk_id 0.
    const MODEL: &[u8] = b"\x0a\x08\x0a\x01a\x15\x00\x00\x80\xbf\x12\x03\xc0\x02\x00\x22\x01x";

    fn error(bytes: &[u8]) -> String {
        SentencePieceModel::parse(bytes, Path::new("spm.model")).unwrap_err().to_string()
    }

    #[test]
    fn pieces_and_settings_are_read() {
        let model = SentencePieceModel::parse(MODEL, Path::new("spm.model")).unwrap();
        assert_eq!(model.pieces, [Piece { text: "a".to_owned(), score: -1.0, kind: 1 }]);
        assert_eq!((model.unk_id, model.precompiled_charsmap.len()), (0, 0));
    }

    #[test]
    fn a_malformed_model_is_an_error_with_the_file_and_the_cause() {
        let cases: [(&[u8], &str); 9] = [
            (b"", "unk_id 0 is not one of 0 pieces"),
            (&MODEL[..7], "the file is truncated"),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "the file is truncated"),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "more than 64 bits"),
            (b"\x0b", "wire type 3 is unknown"),
            (b"\x08\x01", "field 1 is not a message"),
            (b"\x0a\x03\x0a\x01\xff", "piece 0: the text is not UTF-8"),
            (b"\x0a\x08\x0a\x01a\x15\x00\x00\xc0\x7f", "piece 0: its score is NaN"),
            (b"\x0a\x02\x18\x01", "piece 0: it has no text"),
        ];
        for (bytes, expected) in cases {
            let error = error(bytes);
            assert!(
                error.starts_with("spm.model: ") && error.contains(expected),
                "{error:?} lacks {expected:?}"
            );
        }
        let bpe = error(&[MODEL, b"\x12\x02\x18\x02"].concat());
        assert!(bpe.contains("model_type is 2, but only 1 (Unigram) is supported"), "{bpe}");
    }
}
