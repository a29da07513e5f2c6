//! Operations on lists of tensors, which Burn's fusion runs in order. `backend_extension` has no lists.

use burn::backend::fusion::custom::{
    CustomOpIr, Float, FusionValueAdapter, HandleContainer, OperationFn, OperationIr, StreamId, TensorSpec,
};
use burn::backend::fusion::{FusionBackend, FusionRuntime};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, ExecutionError};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

type Adapter = Float;
type Handle = <<CubeBackend as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle;

/// Registers an operation with these inputs and outputs. `run` computes the outputs later.
///
/// An input has memory of its own in `run` if no other tensor shares it now.
pub(crate) fn list_op(
    name: &'static str,
    inputs: Vec<FloatTensor<Cube>>,
    outputs: &[TensorSpec],
    run: impl Fn(Vec<CubeTensor>) -> Vec<CubeTensor> + Send + Sync + 'static,
) -> Vec<FloatTensor<Cube>> {
    let client = inputs.first().expect("at least one input").client.clone();
    let (mut inputs_ir, mut outputs_ir) = (vec![], vec![]);
    let input = |x| <Adapter as FusionValueAdapter<CubeBackend>>::append_input_ir(x, &mut inputs_ir);
    let inputs = inputs.into_iter().map(input).collect::<Vec<_>>();
    let output = |spec| {
        let mut create = || client.create_empty_handle();
        <Adapter as FusionValueAdapter<CubeBackend>>::append_output_ir(spec, &mut outputs_ir, &mut create)
    };
    let outputs = outputs.iter().map(output).collect::<Vec<_>>();
    let operation = move |handles: &mut HandleContainer<Handle>| -> Result<(), ExecutionError> {
        let resolve =
            |input| <Adapter as FusionValueAdapter<CubeBackend>>::resolve_inputs(input, &mut *handles);
        let values = run(inputs.iter().map(resolve).collect());
        for (value, output) in values.into_iter().zip(&outputs) {
            <Adapter as FusionValueAdapter<CubeBackend>>::register_output_handles(value, output, handles);
        }
        Ok(())
    };
    let description = CustomOpIr { id: name.into(), inputs: inputs_ir, outputs: outputs_ir, scalars: vec![] };
    client.register(StreamId::current(), OperationIr::Custom(description), OperationFn(operation))
}
