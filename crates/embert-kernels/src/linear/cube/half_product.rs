//! y = x·W in half precision on tensor cores, with fp32 weights. dW = xᵀ·g is written in fp32, without a cast of its own.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Cube, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::tensor::CubeTensor;

use crate::autodiff::custom_op;

/// Returns x·W in the type of x.
///
/// # Shapes
/// - `x`: `[rows, in]`, bf16 or fp16
/// - `weight` (W): `[in, out]`
/// - output: `[rows, out]`
pub(super) fn half_product(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let dtype = x.dtype();
    custom_op::<Cube, 2, 2, _>([x.into_dispatch(), weight.into_dispatch()], |[x, weight], tracked| {
        let weight = cast(weight, dtype);
        let y = Cube::float_matmul(x.clone(), weight.clone());
        let (x, weight) = (tracked[1].then_some(x), tracked[0].then_some(weight));
        let backward_fn = move |g: FloatTensor<Cube>, _: [bool; 2]| {
            let dx =
                weight.clone().map(|weight| Cube::float_matmul(g.clone(), Cube::float_transpose(weight)));
            let dw = x.clone().map(|x| Cube::weight_gradient(x, g));
            [dx, dw]
        };
        (y, backward_fn)
    })
}

/// Returns x in another type; x itself if it has that type.
pub(crate) fn cast(x: FloatTensor<Cube>, dtype: DType) -> FloatTensor<Cube> {
    if x.dtype() == dtype { x } else { Cube::float_cast(x, dtype.into()) }
}

#[backend_extension(Cube, Fusion)]
pub(crate) trait WeightGradient: Backend {
    /// Returns xᵀ·g in fp32, for operands of one type: `[rows, in]`, `[rows, out]` -> `[in, out]`.
    #[fusion(meta = weight)]
    fn weight_gradient(x: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn weight(x: &TensorSpec, g: &TensorSpec) -> TensorSpec {
    let ([_, input], [_, output]) = (x.shape.dims(), g.shape.dims());
    TensorSpec::new(Shape::from([input, output]), DType::F32)
}

impl WeightGradient for CubeBackend {
    fn weight_gradient(x: CubeTensor, g: CubeTensor) -> CubeTensor {
        let x = CubeBackend::float_transpose(x);
        matmul(x, g, None, MatmulStrategy::default(), DType::F32).expect("every matrix is supported")
    }
}
