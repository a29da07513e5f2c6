//! Products of fp32 matrices on GPUs: exact with multiply-add instructions, or as Burn computes them, which rounds the
//! operands to TF32 on tensor cores.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Cube, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::Scalar;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level::Strategy;
use cubek::matmul::routine::BlueprintStrategy;
use cubek::std::InputBinding;

use super::memory::uninitialized;
use crate::autodiff::custom_op;

/// Returns a·b of fp32 matrices, without rounding the operands.
///
/// # Shapes
/// - `a`: `[..., rows, inner]`, `b`: `[..., inner, columns]`, with the same leading dimensions
/// - output: `[..., rows, columns]`
pub(crate) fn exact_matmul<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    custom_op::<Cube, 2, D, _>([a.into_dispatch(), b.into_dispatch()], |[a, b], _| {
        let y = Cube::exact_matmul(a.clone(), b.clone());
        let backward_fn = move |g: FloatTensor<Cube>, [of_a, of_b]: [bool; 2]| {
            let da = of_a.then(|| Cube::exact_matmul(g.clone(), Cube::float_transpose(b.clone())));
            let db = of_b.then(|| Cube::exact_matmul(Cube::float_transpose(a.clone()), g));
            [da, db]
        };
        (y, backward_fn)
    })
}

#[backend_extension(Cube, Fusion)]
pub(crate) trait CubeProducts: Backend {
    /// See [`exact_matmul`].
    #[fusion(meta = product)]
    fn exact_matmul(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn product(a: &TensorSpec, b: &TensorSpec) -> TensorSpec {
    TensorSpec::new(product_shape(&a.shape, &b.shape), DType::F32)
}

fn product_shape(a: &Shape, b: &Shape) -> Shape {
    let (mut shape, last) = (a.clone(), a.num_dims() - 1);
    shape[last] = b[last];
    shape
}

impl CubeProducts for CubeBackend {
    fn exact_matmul(a: CubeTensor, b: CubeTensor) -> CubeTensor {
        let y = uninitialized(&a, product_shape(&a.shape(), &b.shape()));
        if y.shape().num_elements() > 0 {
            // A matrix with few rows or columns may not fit the tiles of the first kernel. The second takes every matrix.
            let tiled = Strategy::DoubleUnit(BlueprintStrategy::Inferred(Default::default()));
            launch(tiled, &a, &b, &y)
                .or_else(|_| launch(Strategy::Naive, &a, &b, &y))
                .expect("every matrix is supported");
        }
        y
    }
}

fn launch(strategy: Strategy, a: &CubeTensor, b: &CubeTensor, y: &CubeTensor) -> Result<(), String> {
    let fp32 = f32::elem_type_native();
    let mut elements = MatmulElems::from_globals(&MatmulGlobalElems { lhs: fp32, rhs: fp32, out: fp32 });
    let [a, b] = [a, b].map(|matrix| InputBinding::new(matrix.clone().binding(), fp32));
    let launched = launch_ref(&strategy.into(), &y.client, a, b, y.clone().binding(), &mut elements);
    launched.map_err(|error| format!("{error:?}"))
}
