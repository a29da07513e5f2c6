//! f16 as bits.

/// Widens an f16.
#[inline]
pub(super) fn f16_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff);
    // A product with 2^112 moves the exponent, and is exact also for subnormal numbers.
    let finite = (f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000)).to_bits();
    let value = if magnitude < 0x7c00 { finite } else { (magnitude << 13) | 0x7f80_0000 };
    f32::from_bits(value | sign)
}

/// Rounds to the nearest f16, ties to even.
pub(super) fn f32_to_f16(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return 0x7fff;
    }
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    if magnitude < f32::from_bits(0x3880_0000) {
        // Subnormal: adding 2^-1 leaves multiples of 2^-24 in the lowest bits.
        return sign | ((magnitude + 0.5).to_bits() - 0x3f00_0000) as u16;
    }
    let bits = magnitude.to_bits() - (112 << 23);
    sign | ((bits + 0xfff + (bits >> 13 & 1)) >> 13) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_f16_is_kept() {
        for bits in 0..=u16::MAX {
            let reference = half::f16::from_bits(bits);
            let value = f16_to_f32(bits);
            assert!(value == reference.to_f32() || reference.is_nan() && value.is_nan(), "{bits:x}");
            assert!(reference.is_nan() || f32_to_f16(value) == bits, "{bits:x}");
        }
    }

    #[test]
    fn rounding_is_to_nearest_even() {
        for bits in (0x3000_0000u32..0x4900_0000).step_by(997) {
            let value = f32::from_bits(bits);
            assert_eq!(f32_to_f16(value), half::f16::from_f32(value).to_bits(), "{value}");
        }
    }
}
