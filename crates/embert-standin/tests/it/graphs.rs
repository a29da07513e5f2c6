//! Graphs: recorded work is done at each launch of the graph.

use embert_standin::driver::graph::{
    cuGraphDestroy, cuGraphExecDestroy, cuGraphGetNodes, cuGraphInstantiateWithFlags, cuGraphLaunch,
    cuStreamBeginCapture_v2, cuStreamEndCapture,
};
use embert_standin::driver::stream::cuStreamCreate;
use embert_standin::driver::{CuResult, copy};

use crate::gpu::{Buffer, is_ready};

#[test]
fn a_graph_repeats_its_work() {
    if !is_ready() {
        return;
    }
    let (from, to) = (Buffer::new(&[7u32; 4]), Buffer::zeros::<u32>(4));
    let address = |buffer: &Buffer| u64::from_le_bytes(buffer.parameter().try_into().unwrap());
    let none = std::ptr::null_mut();
    let (mut stream, mut graph, mut executable, mut nodes) = (none, none, none, 0);
    // SAFETY: all targets are valid for writes, handles are used after they were made, and copies fit the buffers.
    unsafe {
        assert_eq!(cuStreamCreate(&raw mut stream, 0), CuResult::SUCCESS);
        assert_eq!(cuStreamBeginCapture_v2(stream, 0), CuResult::SUCCESS);
        copy::cuMemcpyDtoDAsync_v2(address(&to), address(&from), 16, stream);
        copy::cuMemsetD8Async(address(&to), 1, 4, stream);
        assert_eq!(cuStreamEndCapture(stream, &raw mut graph), CuResult::SUCCESS);
        assert_eq!(cuGraphGetNodes(graph, std::ptr::null_mut(), &raw mut nodes), CuResult::SUCCESS);
        assert_eq!(cuGraphInstantiateWithFlags(&raw mut executable, graph, 0), CuResult::SUCCESS);
        cuGraphDestroy(graph);
    }
    assert_eq!((nodes, to.read::<u32>()), (2, vec![0; 4]));
    for _ in 0..2 {
        // SAFETY: as above.
        unsafe {
            copy::cuMemsetD8_v2(address(&to), 0, 16);
            assert_eq!(cuGraphLaunch(executable, stream), CuResult::SUCCESS);
        }
        assert_eq!(to.read::<u32>(), [0x0101_0101, 7, 7, 7]);
    }
    // SAFETY: as above.
    unsafe { cuGraphExecDestroy(executable) };
}
