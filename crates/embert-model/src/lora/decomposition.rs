//! A and B of PiSSA and OLoRA from a decomposition of W, in f64.
//!
//! With W = Σ σᵢ·uᵢ·vᵢᵀ, PiSSA has the columns √(σᵢ/s)·uᵢ in A and the rows √(σᵢ/s)·vᵢᵀ in B for the r largest σᵢ.
//! With QR = Wᵀ, OLoRA has the transposes of the first r columns of Q in B, and of the first r rows of R in A.

use nalgebra::{DMatrix, QR, SymmetricEigen};

use crate::lora::matrices::LoraMatrices;

/// Returns A and B of PiSSA.
///
/// The eigenvectors of WWᵀ or WᵀW, whichever is smaller, are the singular vectors. A matrix of 768 × 768 takes about
/// a second.
pub(super) fn pissa(weight: &DMatrix<f64>, rank: usize, scaling: f64) -> LoraMatrices {
    let [left, right] = principal_parts(weight, rank);
    let factor = scaling.sqrt().recip();
    LoraMatrices::new(&(left * factor), &(right * factor).transpose())
}

/// Returns A and B of PiSSA from an approximation of the singular vectors (Halko et al., 2011).
///
/// Each iteration multiplies an orthonormal basis by WWᵀ. `random`, `[out, r]`, is the start.
pub(super) fn approximate_pissa(
    weight: &DMatrix<f64>,
    random: DMatrix<f64>,
    iterations: usize,
    scaling: f64,
) -> LoraMatrices {
    let (transpose, rank) = (weight.transpose(), random.ncols());
    let mut basis = QR::new(weight * random).q(); // [in, r]
    for _ in 0..iterations {
        basis = QR::new(weight * QR::new(&transpose * basis).q()).q();
    }
    let [left, right] = principal_parts(&(basis.transpose() * weight), rank); // [r, r], [out, r]
    let factor = scaling.sqrt().recip();
    LoraMatrices::new(&(basis * left * factor), &(right * factor).transpose())
}

/// Returns A and B of OLoRA. The first r columns of Wᵀ determine the first r columns of Q, and R = QᵀWᵀ.
pub(super) fn olora(weight: &DMatrix<f64>, rank: usize) -> LoraMatrices {
    let q = QR::new(weight.rows(0, rank).transpose()).q(); // [out, r]
    LoraMatrices::new(&(weight * &q), &q.transpose())
}

/// Returns √σᵢ·uᵢ and √σᵢ·vᵢ for the r largest singular values, `[in, r]` and `[out, r]`.
fn principal_parts(weight: &DMatrix<f64>, rank: usize) -> [DMatrix<f64>; 2] {
    if weight.nrows() > weight.ncols() {
        let [right, left] = principal_parts(&weight.transpose(), rank);
        return [left, right];
    }
    let transpose = weight.transpose();
    let eigen = SymmetricEigen::new(weight * &transpose);
    let mut order = (0..weight.nrows()).collect::<Vec<_>>();
    order.sort_by(|&i, &j| eigen.eigenvalues[j].total_cmp(&eigen.eigenvalues[i]));
    let mut left = eigen.eigenvectors.select_columns(&order[..rank]); // uᵢ
    let mut right = transpose * &left; // σᵢ·vᵢ
    for (mut left, mut right) in left.column_iter_mut().zip(right.column_iter_mut()) {
        let root = right.norm().sqrt();
        left *= root;
        right *= if root > 0.0 { root.recip() } else { 0.0 };
    }
    [left, right]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a matrix with known singular values.
    fn weight(rows: usize, columns: usize, singular_values: &[f64]) -> DMatrix<f64> {
        let orthonormal = |rows, shift: usize| {
            let value = |i: usize, j: usize| ((i * 7 + j * 13 + shift) as f64).sin();
            QR::new(DMatrix::from_fn(rows, singular_values.len(), value)).q()
        };
        let diagonal = DMatrix::from_diagonal(&singular_values.to_vec().into());
        orthonormal(rows, 1) * diagonal * orthonormal(columns, 5).transpose()
    }

    fn norm_of_rest(weight: &DMatrix<f64>, matrices: &LoraMatrices, scaling: f64) -> f64 {
        matrices.subtracted_from(weight, scaling).iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn pissa_leaves_the_smaller_singular_values() {
        for (rows, columns) in [(6, 9), (9, 6), (7, 7)] {
            let weight = weight(rows, columns, &[5.0, 3.0, 0.4, 0.3]);
            assert!((norm_of_rest(&weight, &pissa(&weight, 2, 0.7), 0.7) - 0.5).abs() < 1e-5);
            assert!(norm_of_rest(&weight, &pissa(&weight, 4, 2.0), 2.0) < 1e-5);
            assert!(norm_of_rest(&weight, &pissa(&weight, 6, 2.0), 2.0) < 1e-5, "two singular values are 0");
        }
    }

    #[test]
    fn iterations_approach_pissa() {
        let weight = weight(9, 6, &[5.0, 3.0, 0.4, 0.3]);
        let random = DMatrix::from_fn(6, 2, |i, j| ((i * 3 + j * 5) as f64).cos());
        let rest = |iterations| {
            norm_of_rest(&weight, &approximate_pissa(&weight, random.clone(), iterations, 0.7), 0.7)
        };
        assert!(rest(0) > 0.500001 && (rest(8) - 0.5).abs() < 1e-5, "{} {}", rest(0), rest(8));
    }

    #[test]
    fn olora_has_orthonormal_rows_in_b_and_reproduces_the_first_rows_of_the_weight() {
        let weight = weight(9, 6, &[5.0, 3.0, 2.0, 1.0, 0.4, 0.3]);
        let found = olora(&weight, 3);
        let b = DMatrix::from_row_slice(3, 6, &found.b);
        assert!((&b * b.transpose() - DMatrix::identity(3, 3)).norm() < 1e-5);
        let rest = found.subtracted_from(&weight, 1.0);
        assert!(rest[..3 * 6].iter().all(|value| value.abs() < 1e-5), "{rest:?}");
    }
}
