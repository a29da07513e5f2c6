//! The relative position bias in kernels: b of a head and the distance i − j from key j to query i.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// The bias in device memory, if there is one.
pub(super) struct DeviceBias {
    /// `[2 · longest − 1, num_heads]`
    values: Option<CubeTensor>,
    /// True if its gradient is needed.
    pub(super) has_gradient: bool,
}

impl DeviceBias {
    pub(super) fn new(values: Option<CubeTensor>, has_gradient: bool) -> Self {
        Self { values, has_gradient }
    }

    /// Returns the number of distances, 2 · longest − 1, and the number of heads.
    pub(super) fn shape(&self) -> [usize; 2] {
        self.values.as_ref().map_or([1, 1], |values| values.shape().dims())
    }

    /// Returns the kernel argument.
    pub(super) fn launch(&self) -> RelativeBiasLaunch {
        let [distances, num_heads] = self.shape();
        let values = self.values.clone().map(CubeTensor::into_buffer_arg);
        RelativeBiasLaunch::new(values.into(), distances / 2, num_heads)
    }
}

/// The bias as an argument of a kernel.
#[derive(CubeType, CubeLaunch)]
pub(super) struct RelativeBias {
    /// `[2 · longest − 1, num_heads]`
    values: ComptimeOption<Box<[f32]>>,
    /// The largest distance, longest − 1.
    pub(super) last: usize,
    num_heads: usize,
}

#[cube]
impl RelativeBias {
    /// Returns score + bias. Rows after the longest sequence count as its last one.
    pub(super) fn add_to(&self, score: f32, head: usize, query: usize, key: usize) -> f32 {
        let mut sum = score;
        #[comptime]
        if let ComptimeOption::Some(values) = self.values.as_ref() {
            let distance = min(query, self.last) + self.last - min(key, self.last);
            sum += values[distance * self.num_heads + head];
        }
        sum
    }
}
