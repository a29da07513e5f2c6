//! The values of a tensor, copied from its device in pieces: a copy of a complete table may be larger than all else.

use burn::tensor::Tensor;

/// The number of values that are copied at a time: 16 MiB.
pub(crate) const VALUES_PER_PIECE: usize = 1 << 22;

/// Copies the values of a tensor from its device, at most 16 MiB at a time. Each piece waits for the device.
///
/// # Shapes
/// - `values`: `[elements]`
///
/// # Panics
/// If the values are not fp32.
pub fn values_in_pieces(values: Tensor<1>) -> impl Iterator<Item = Vec<f32>> {
    let [elements] = values.dims();
    (0..elements).step_by(VALUES_PER_PIECE).map(move |start| {
        let piece = values.clone().narrow(0, start, VALUES_PER_PIECE.min(elements - start));
        piece.into_data().try_into_vec().expect("the values are fp32")
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn pieces_have_all_values_in_order() {
        for elements in [0, 1, VALUES_PER_PIECE, VALUES_PER_PIECE + 3] {
            let values = (0..elements).map(|number| number as f32).collect::<Vec<_>>();
            let tensor = Tensor::from_data(TensorData::new(values.clone(), [elements]), &Device::flex());
            let pieces = values_in_pieces(tensor).collect::<Vec<_>>();
            assert_eq!(pieces.len(), elements.div_ceil(VALUES_PER_PIECE));
            assert!(pieces.concat() == values);
        }
    }
}
