//! The embedding kernels as operations of Burn, which its fusion runs in order.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::launch;
use super::sequences::Sequences;

#[backend_extension(Cube, Fusion)]
pub(super) trait EmbeddingKernels: Backend {
    /// Returns the embeddings of tokens. Without types, `token_type` is not read.
    #[fusion(meta = embeddings)]
    fn embed(
        ids: IntTensor<Self>,
        word: FloatTensor<Self>,
        position: FloatTensor<Self>,
        token_type: FloatTensor<Self>,
        sequences: Sequences,
        has_types: bool,
    ) -> FloatTensor<Self>;

    /// Returns the gradient of the word embeddings, `[vocab_size, hidden]`.
    #[fusion(meta = |gradient, _ids, _sequences, rows| table(gradient, *rows))]
    fn word_gradient(
        gradient: FloatTensor<Self>,
        ids: IntTensor<Self>,
        sequences: Sequences,
        vocab_size: usize,
    ) -> FloatTensor<Self>;

    /// Returns the gradient of the position embeddings, `[num_positions, hidden]`.
    #[fusion(meta = |gradient, _sequences, rows| table(gradient, *rows))]
    fn position_gradient(
        gradient: FloatTensor<Self>,
        sequences: Sequences,
        num_positions: usize,
    ) -> FloatTensor<Self>;

    /// Returns the gradient of the token type embeddings, `[num_types, hidden]`.
    #[fusion(meta = |gradient, _sequences, rows| table(gradient, *rows))]
    fn type_gradient(
        gradient: FloatTensor<Self>,
        sequences: Sequences,
        num_types: usize,
    ) -> FloatTensor<Self>;
}

fn embeddings(
    ids: &TensorSpec,
    word: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &Sequences,
    _: &bool,
) -> TensorSpec {
    let [num_rows] = ids.shape.dims();
    table(word, num_rows)
}

fn table(like: &TensorSpec, rows: usize) -> TensorSpec {
    let [_, hidden] = like.shape.dims();
    TensorSpec::new(Shape::from([rows, hidden]), like.dtype)
}

impl EmbeddingKernels for CubeBackend {
    fn embed(
        ids: CubeTensor,
        word: CubeTensor,
        position: CubeTensor,
        token_type: CubeTensor,
        sequences: Sequences,
        has_types: bool,
    ) -> CubeTensor {
        let tables = [word, position, token_type].map(into_contiguous);
        launch::forward(into_contiguous(ids), tables, &sequences, has_types)
    }

    fn word_gradient(
        gradient: CubeTensor,
        ids: CubeTensor,
        sequences: Sequences,
        vocab_size: usize,
    ) -> CubeTensor {
        launch::word_gradient(into_contiguous(gradient), into_contiguous(ids), &sequences, vocab_size)
    }

    fn position_gradient(gradient: CubeTensor, sequences: Sequences, num_positions: usize) -> CubeTensor {
        launch::position_gradient(into_contiguous(gradient), &sequences, num_positions)
    }

    fn type_gradient(gradient: CubeTensor, sequences: Sequences, num_types: usize) -> CubeTensor {
        launch::type_gradient(into_contiguous(gradient), &sequences, num_types)
    }
}
