//! Products of small matrices.

use super::matrix::Shape;

/// Adds the product of `a` and `b` to `sums`; all are row-major.
///
/// Products of 16-bit and TF32 factors are exact in f32. The sums are rounded to nearest in the order of k; those of
/// tensor cores are rounded differently.
pub(super) fn add_product(shape: Shape, a: &[f32], b: &[f32], sums: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has the features.
        return unsafe { with_avx2(shape, a, b, sums) };
    }
    by_rows(shape, a, b, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2(shape: Shape, a: &[f32], b: &[f32], sums: &mut [f32]) {
    by_rows(shape, a, b, sums);
}

#[inline(always)]
fn by_rows(shape: Shape, a: &[f32], b: &[f32], sums: &mut [f32]) {
    let Shape { m, n, k } = shape;
    for columns in (0..n).step_by(8) {
        for row in 0..m {
            let mut sum: [f32; 8] = std::array::from_fn(|column| sums[row * n + columns + column]);
            for at in 0..k {
                let left = a[row * k + at];
                let right = &b[at * n + columns..][..8];
                for column in 0..8 {
                    sum[column] += left * right[column];
                }
            }
            sums[row * n + columns..][..8].copy_from_slice(&sum);
        }
    }
}

/// The sum of `c` and the products of `a` with every `stride`-th element of `b`, which are integers.
pub(super) fn dot_integers(a: &[f32], b: &[f32], stride: usize, c: i32, saturates: bool) -> i32 {
    let products = a.iter().zip(b.iter().step_by(stride)).map(|(a, b)| *a as i64 * *b as i64);
    let sum = i64::from(c) + products.sum::<i64>();
    if saturates { sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32 } else { sum as i32 }
}
