//! The types of PTX instructions.

/// How the bits of a value are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Unsigned,
    Signed,
    Bits,
    Float,
    Bfloat,
    Tf32,
    Predicate,
    /// Two 16-bit values in 32 bits.
    UnsignedPair,
    SignedPair,
    FloatPair,
    BfloatPair,
}

/// A type: what the bits are and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    pub(crate) bits: u32,
}

impl Type {
    pub(crate) const PREDICATE: Type = Type { kind: Kind::Predicate, bits: 1 };
    pub(crate) const U32: Type = Type { kind: Kind::Unsigned, bits: 32 };
    pub(crate) const U64: Type = Type { kind: Kind::Unsigned, bits: 64 };
    pub(crate) const B32: Type = Type { kind: Kind::Bits, bits: 32 };

    /// Reads a type without its dot, such as `f32`.
    pub(crate) fn parse(name: &str) -> Option<Type> {
        let (kind, bits) = match name {
            "pred" => (Kind::Predicate, 1),
            "bf16" => (Kind::Bfloat, 16),
            "bf16x2" => (Kind::BfloatPair, 32),
            "f16x2" => (Kind::FloatPair, 32),
            "u16x2" => (Kind::UnsignedPair, 32),
            "s16x2" => (Kind::SignedPair, 32),
            "tf32" => (Kind::Tf32, 32),
            _ => {
                let kind = match name.chars().next()? {
                    'u' => Kind::Unsigned,
                    's' => Kind::Signed,
                    'b' => Kind::Bits,
                    'f' => Kind::Float,
                    _ => return None,
                };
                (kind, name[1..].parse().ok()?)
            }
        };
        let smallest = if kind == Kind::Float { 16 } else { 8 };
        let valid = kind == Kind::Predicate || (matches!(bits, 8 | 16 | 32 | 64 | 128) && bits >= smallest);
        valid.then_some(Type { kind, bits })
    }

    pub(crate) const fn new(kind: Kind, bits: u32) -> Type {
        Type { kind, bits }
    }

    pub(crate) fn bytes(self) -> usize {
        (self.bits as usize).div_ceil(8)
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(self.kind, Kind::Unsigned | Kind::Signed | Kind::Bits)
    }

    pub(crate) fn is_signed(self) -> bool {
        self.kind == Kind::Signed
    }

    /// Any floating-point type, also a pair of them.
    pub(crate) fn is_float(self) -> bool {
        matches!(self.kind, Kind::Float | Kind::Bfloat | Kind::FloatPair | Kind::BfloatPair)
    }

    /// The type of one half of a pair.
    pub(crate) fn half(self) -> Option<Type> {
        let kind = match self.kind {
            Kind::UnsignedPair => Kind::Unsigned,
            Kind::SignedPair => Kind::Signed,
            Kind::FloatPair => Kind::Float,
            Kind::BfloatPair => Kind::Bfloat,
            _ => return None,
        };
        Some(Type { kind, bits: 16 })
    }

    /// The suffix of the C helper functions of a floating-point type, such as `f32`.
    pub(crate) fn float_suffix(self) -> Option<&'static str> {
        Some(match (self.kind, self.bits) {
            (Kind::Float, 16) => "f16",
            (Kind::Float, 32) => "f32",
            (Kind::Float, 64) => "f64",
            (Kind::Bfloat, 16) => "bf16",
            _ => return None,
        })
    }

    /// The C type that carries a value of this type in an expression. 16-bit floats are carried as bits.
    pub(crate) fn c(self) -> &'static str {
        match (self.kind, self.bits) {
            (Kind::Predicate, _) => "bool",
            (Kind::Float, 32) => "float",
            (Kind::Float, 64) => "double",
            (Kind::Signed, 8) => "i8",
            (Kind::Signed, 16) => "i16",
            (Kind::Signed, 32) => "i32",
            (Kind::Signed, 64) => "i64",
            (Kind::Signed, _) => "i128",
            (_, 8) => "u8",
            (_, 16) => "u16",
            (_, 32) => "u32",
            (_, 64) => "u64",
            _ => "u128",
        }
    }
}
