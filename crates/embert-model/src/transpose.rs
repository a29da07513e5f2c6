//! Matrix transposition on slices.

/// Transposes `[rows, columns]` to `[columns, rows]`, in blocks that fit in the cache.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut transposed = vec![0.0; values.len()];
    for row in (0..rows).step_by(BLOCK) {
        for column in (0..columns).step_by(BLOCK) {
            for r in row..rows.min(row + BLOCK) {
                for c in column..columns.min(column + BLOCK) {
                    transposed[c * rows + r] = values[r * columns + c];
                }
            }
        }
    }
    transposed
}
