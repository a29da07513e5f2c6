//! exp and erf on SIMD vectors, accurate to 2 units in the last place, and the normal distribution.

use std::f32::consts::FRAC_1_SQRT_2;

use pulp::Simd;

/// Below this, e^x is not a normal number and becomes 0.
const MIN_INPUT: f32 = -87.3;
/// Above this, e^x would be infinite.
const MAX_INPUT: f32 = 88.3;
/// 1.5 · 2²³. Adding it rounds a small number to an integer, which ends up in the lowest bits.
const ROUNDING_SHIFT: f32 = 12_582_912.0;
/// ln 2 as the sum of two numbers. The first has few bits, so that its product with an integer is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;

/// e^x. It is 0 for x < -87.3 and at most e^88.3. NaN is not preserved.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let tiny = simd.less_than_f32s(x, simd.splat_f32s(MIN_INPUT));
    let x = simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(MAX_INPUT)), simd.splat_f32s(MIN_INPUT));
    let shifted =
        simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUNDING_SHIFT));
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUNDING_SHIFT));
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-LN_2[0]), x);
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-LN_2[1]), r); // |r| <= ln 2 / 2
    // The minimax polynomial of Cephes' expf (Moshier)
    let p = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];
    let p = polynomial(simd, 1.987_569_1e-4, p, r);
    let y = simd.add_f32s(simd.mul_add_e_f32s(simd.mul_f32s(r, r), p, r), simd.splat_f32s(1.0));
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.add_u32s(exponent, simd.splat_u32s(1.0f32.to_bits())); // 2^n
    simd.select_f32s(tiny, simd.splat_f32s(0.0), simd.mul_f32s(y, simd.transmute_f32s_u32s(power)))
}

/// erf(x) = 2/√π ∫₀ˣ e^(−t²) dt: an odd polynomial near 0, 1 − e^polynomial elsewhere (coefficients: N.
/// Juffa).
#[inline(always)]
pub(crate) fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let magnitude = simd.abs_f32s(x);
    let near = {
        let c = [4.991_194_2e-3, -2.676_813_5e-2, 1.128_199_25e-1, -3.761_253_4e-1, 1.283_791_7e-1];
        let r = polynomial(simd, -5.967_617e-4, c, simd.mul_f32s(x, x));
        simd.mul_add_e_f32s(r, x, x)
    };
    let far = {
        let c = [
            3.831_971_3e-4,
            -3.883_964_4e-3,
            2.425_462_2e-2,
            -1.067_778_8e-1,
            -6.348_467e-1,
            -1.287_175_1e-1,
        ];
        let r = polynomial(simd, -1.728_534_7e-5, c, magnitude);
        let r = simd.sub_f32s(simd.mul_f32s(r, magnitude), magnitude);
        let sign = simd.and_f32s(x, simd.splat_f32s(-0.0));
        simd.or_f32s(simd.sub_f32s(simd.splat_f32s(1.0), exp(simd, r)), sign)
    };
    simd.select_f32s(simd.less_than_f32s(magnitude, simd.splat_f32s(0.927_734_4)), near, far)
}

/// Φ(h) = ½(1 + erf(h/√2)), the normal distribution function.
#[inline(always)]
pub(crate) fn normal_cdf<S: Simd>(simd: S, h: S::f32s) -> S::f32s {
    let erf = erf(simd, simd.mul_f32s(h, simd.splat_f32s(FRAC_1_SQRT_2)));
    simd.mul_add_e_f32s(erf, simd.splat_f32s(0.5), simd.splat_f32s(0.5))
}

/// φ(h) = e^(−h²/2)/√(2π), the normal density.
#[inline(always)]
pub(crate) fn normal_pdf<S: Simd>(simd: S, h: S::f32s) -> S::f32s {
    let e = exp(simd, simd.mul_f32s(simd.mul_f32s(h, h), simd.splat_f32s(-0.5)));
    simd.mul_f32s(e, simd.splat_f32s(FRAC_1_SQRT_2PI))
}

/// (...(first·x + c₀)·x + c₁)..., by Horner's method.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, first: f32, c: [f32; N], x: S::f32s) -> S::f32s {
    let mut y = simd.splat_f32s(first);
    for c in c {
        y = simd.mul_add_e_f32s(y, x, simd.splat_f32s(c));
    }
    y
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::cpu::simd::Cpu;
    use crate::precision::Precision;

    struct Apply<'a>(&'a [f32], bool);

    impl WithSimd for Apply<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut out = vec![0.0; self.0.len()];
            for (out, x) in out.chunks_mut(S::F32_LANES).zip(self.0.chunks(S::F32_LANES)) {
                let x = simd.partial_load_f32s(x);
                simd.partial_store_f32s(out, if self.1 { exp(simd, x) } else { erf(simd, x) });
            }
            out
        }
    }

    fn max_error_in_ulp(exp: bool, xs: &[f32], truth: fn(f64) -> f64) -> f64 {
        let max_error = |cpu: Cpu| {
            let got = cpu.vectorize(Apply(xs, exp));
            let error = |(&x, got): (&f32, f32)| {
                let truth = truth(f64::from(x));
                let ulp = f64::from((truth as f32).abs().next_up()) - f64::from((truth as f32).abs());
                (f64::from(got) - truth).abs() / ulp
            };
            xs.iter().zip(got).map(error).fold(0.0, f64::max)
        };
        Cpu::all(Precision::Fp32).into_iter().map(max_error).fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_within_two_ulp() {
        let xs = (0..=400_000).map(|i| -87.0 + i as f32 * 175e-6 * 2.5).collect::<Vec<_>>();
        assert!(max_error_in_ulp(true, &xs, f64::exp) < 2.0, "{}", max_error_in_ulp(true, &xs, f64::exp));
    }

    #[test]
    fn erf_is_within_two_ulp() {
        let xs = (0..=400_000).map(|i| -5.0 + i as f32 * 25e-6).collect::<Vec<_>>();
        assert!(max_error_in_ulp(false, &xs, libm::erf) < 2.0, "{}", max_error_in_ulp(false, &xs, libm::erf));
    }

    #[test]
    fn exp_underflows_to_zero_and_never_overflows() {
        for cpu in Cpu::all(Precision::Fp32) {
            let got =
                cpu.vectorize(Apply(&[f32::NEG_INFINITY, -1e30, -88.0, 0.0, 1000.0, f32::INFINITY], true));
            assert_eq!(got[..4], [0.0, 0.0, 0.0, 1.0]);
            assert!(got[4].is_finite() && got[4] == got[5]);
        }
    }
}
