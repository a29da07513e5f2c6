//! Some rows of a table, such as the word embeddings that a step reads; the other rows of its gradient are zero.

use std::sync::Arc;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::backend::is_asynchronous;

/// The numbers of some rows of a table: sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows(Arc<[u32]>);

impl TableRows {
    /// Returns the rows that `ids` name. Their order does not matter.
    pub fn new(ids: impl IntoIterator<Item = u32>) -> Self {
        let mut rows = ids.into_iter().collect::<Vec<_>>();
        rows.sort_unstable();
        rows.dedup();
        Self(rows.into())
    }

    /// Returns the numbers.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// Returns the rows of this and of `other`.
    pub fn union(&self, other: &Self) -> Self {
        if self == other { self.clone() } else { Self::new(self.0.iter().chain(&*other.0).copied()) }
    }

    /// Returns the place of each id among the rows.
    ///
    /// # Panics
    /// If an id is not among the rows.
    pub fn places(&self, ids: &[u32]) -> Vec<u32> {
        let place = |id| self.0.binary_search(id).expect("the rows contain each id") as u32;
        ids.iter().map(place).collect()
    }

    /// Returns these rows of a table.
    ///
    /// # Shapes
    /// - `table`: `[table_rows, columns]`
    /// - output: `[rows, columns]`
    ///
    /// # Panics
    /// If a row is not in the table.
    pub fn of_table<const D: usize>(&self, table: Tensor<D>) -> Tensor<D> {
        let numbers = indices(&self.0, &table.device());
        table.select(0, numbers)
    }

    /// Returns the values of these rows among `more` rows, which contain them. The values of the others are zero.
    ///
    /// # Shapes
    /// - `values`: `[rows · columns]`
    /// - output: `[more · columns]`
    ///
    /// # Panics
    /// If `more` does not contain a row.
    pub fn spread(&self, values: Tensor<1>, more: &Self) -> Tensor<1> {
        if self == more {
            return values;
        }
        let (device, [elements]) = (values.device(), values.dims());
        let columns = elements / self.0.len();
        let zeros = Tensor::<2>::zeros([more.0.len(), columns], (&device, values.dtype()));
        let places = indices(&more.places(&self.0), &device);
        let values = values.reshape([self.0.len(), columns]);
        zeros.select_assign(0, places, values, IndexingUpdateOp::Add).flatten(0, 1)
    }
}

/// Returns true if [`adamw_rows`](crate::adamw_rows) is faster than [`adamw`](crate::adamw) of the complete table.
pub fn prefers_table_rows(device: &Device) -> bool {
    !is_asynchronous(device)
}

fn indices(numbers: &[u32], device: &Device) -> Tensor<1, Int> {
    let numbers = numbers.iter().map(|&number| number as i32).collect::<Vec<_>>();
    let length = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [length]), &device.clone().inner())
}
