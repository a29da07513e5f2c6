//! Cosines and sines of the angles: α(p, t) = p · theta^(−2t/d).

use std::cell::RefCell;
use std::sync::Arc;

/// The number of tables that are kept: more than a model has different thetas.
const MAX_TABLES: usize = 4;

thread_local! {
    /// The tables of the last calls. All layers of a model use one or two tables.
    static TABLES: RefCell<Vec<Arc<RotaryTable>>> = RefCell::default();
}

/// Cosines and sines of the angles of all positions.
pub(super) struct RotaryTable {
    theta: f64,
    /// The number of angles of a position: d/2.
    half: usize,
    positions: usize,
    /// `[positions, d/2]`
    cos: Vec<f32>,
    /// `[positions, d/2]`
    sin: Vec<f32>,
}

impl RotaryTable {
    /// Returns a table of at least `positions` positions, for heads of `head_size` columns.
    pub(super) fn get(theta: f64, head_size: usize, positions: usize) -> Arc<Self> {
        TABLES.with_borrow_mut(|tables| {
            let is_same = |table: &Arc<Self>| table.theta == theta && 2 * table.half == head_size;
            if let Some(table) = tables.iter().find(|table| is_same(table) && positions <= table.positions) {
                return Arc::clone(table);
            }
            let table = Arc::new(Self::new(theta, head_size, positions));
            tables.retain(|table| !is_same(table));
            tables.truncate(MAX_TABLES - 1);
            tables.insert(0, Arc::clone(&table));
            table
        })
    }

    /// Rounds the frequency and the angle to fp32, as transformers does.
    fn new(theta: f64, head_size: usize, positions: usize) -> Self {
        let half = head_size / 2;
        let exponents = (0..half).map(|t| ((2 * t) as f32 / head_size as f32) as f64);
        let frequencies = exponents.map(|exponent| 1.0 / theta.powf(exponent) as f32).collect::<Vec<_>>();
        let angles = (0..positions).flat_map(|position| frequencies.iter().map(move |f| position as f32 * f));
        let (sin, cos) =
            angles.map(|angle| f64::from(angle).sin_cos()).map(|(s, c)| (s as f32, c as f32)).unzip();
        Self { theta, half, positions, cos, sin }
    }

    /// Returns the cosines and the sines of a position, `[d/2]` each.
    pub(super) fn position(&self, position: usize) -> (&[f32], &[f32]) {
        let angles = position * self.half..(position + 1) * self.half;
        (&self.cos[angles.clone()], &self.sin[angles])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // inv_freq = 1 / 10000 ** (torch.arange(0, 6, 2).float() / 6); (5 * inv_freq).cos() and .sin()
    #[test]
    fn angles_are_those_of_transformers() {
        let table = RotaryTable::get(10000.0, 6, 7);
        let (cos, sin) = table.position(5);
        let expected = ([0.283_662_2, 0.973_190_25, 0.999_942], [-0.958_924_3, 0.230_001_69, 0.010_771_963]);
        for (found, expected) in cos.iter().zip(expected.0).chain(sin.iter().zip(expected.1)) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_table_is_used_again_and_replaced_by_a_longer_one() {
        let first = RotaryTable::get(500.0, 8, 4);
        assert!(Arc::ptr_eq(&first, &RotaryTable::get(500.0, 8, 3)));
        let longer = RotaryTable::get(500.0, 8, 5);
        assert!(Arc::ptr_eq(&longer, &RotaryTable::get(500.0, 8, 4)));
        assert!(!Arc::ptr_eq(&longer, &RotaryTable::get(501.0, 8, 4)));
    }
}
