//! Dropout on GPUs: the masks are bit-identical to those of the reference.

use burn::tensor::{Device, Tensor};
use embert_kernels::{SequenceLayout, reference};

use super::{check, gpu, site};

#[test]
fn dropout_masks_equal_those_of_the_reference() {
    let Some(gpu) = gpu() else { return };
    let layouts = [
        None,
        Some(SequenceLayout::packed(vec![5, 0, 1, 30, 7, 2])),
        Some(SequenceLayout::padded(vec![5, 1, 9], 15)),
    ];
    for layout in &layouts {
        for columns in [1, 6, 64] {
            let ones = |device: &Device| Tensor::<2>::ones([45, columns], device);
            let got = embert_kernels::dropout(ones(&gpu), layout.as_ref(), site(0.3));
            let expected = reference::dropout(ones(&Device::flex()), layout.as_ref(), site(0.3));
            let bits = |x: Tensor<2>| x.into_data().iter::<f32>().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(got), bits(expected), "{layout:?}, {columns} columns");
        }
    }
}

#[test]
fn dropout_matches_the_reference() {
    let layout = SequenceLayout::packed(vec![30, 15]);
    for layout in [None, Some(&layout)] {
        check(
            &format!("dropout, {layout:?}"),
            [[45, 12]],
            |[x]| embert_kernels::dropout(x, layout, site(0.3)),
            |[x]| reference::dropout(x, layout, site(0.3)),
        );
    }
}
