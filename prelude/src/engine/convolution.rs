//! A sum over windows in whichever way is quickest for its images: Winograd's, tap by tap, or, where
//! channels have nothing to do with each other, channel by channel.

use super::block::Block;
use super::channelwise::channelwise;
use super::conv::{Job, Sweep, sweep};
use super::pack::Conv;
use super::simd::Isa;
use super::weight_gradient::{WeightGradient, accumulate};
use super::winograd::{self, Scratch, Start, Winograd};
use rayon::prelude::*;

/// A way from one image to another, forward or back, with its weights in order.
pub(crate) enum Pass {
    Swept {
        sweeps: Vec<Sweep>,
        weights: Vec<f32>,
    },
    Winograd(Winograd),
    /// A number a channel, the same at each place of the window.
    Channelwise {
        sweeps: Vec<Sweep>,
        weights: Vec<f32>,
    },
}

impl Pass {
    /// From a convolution's input to `output`; `weights` are `(outputs, inputs, kernel)`.
    pub fn forward(conv: Conv, isa: Isa, weights: &[f32], input: Block, output: Block) -> Self {
        match conv.is_for_winograd() {
            true => Self::Winograd(Winograd::new(isa, input, output, |o, i, tap| {
                weights[(o * conv.inputs + i) * 9 + tap]
            })),
            false => Self::Swept {
                sweeps: vec![conv.forward(isa, input, output)],
                weights: conv.pack_forward(isa, weights),
            },
        }
    }

    /// From the gradient at a convolution's output, `slope`, to that at its input, `gradient`.
    pub fn backward(conv: Conv, isa: Isa, weights: &[f32], slope: Block, gradient: Block) -> Self {
        match conv.is_for_winograd() {
            // Seen from behind, inputs are outputs and the window is turned around.
            true => Self::Winograd(Winograd::new(isa, slope, gradient, |i, o, tap| {
                weights[(o * conv.inputs + i) * 9 + 8 - tap]
            })),
            false => Self::Swept {
                sweeps: conv.backward(isa, slope, gradient),
                weights: conv.pack_backward(isa, weights),
            },
        }
    }

    /// Each channel's sum over the window, times its number among `weights`, which are padded.
    pub fn channelwise(
        window: Conv,
        isa: Isa,
        weights: Vec<f32>,
        input: Block,
        output: Block,
    ) -> Self {
        Self::Channelwise { sweeps: vec![window.forward(isa, input, output)], weights }
    }

    /// The way back from such a sum.
    pub fn channelwise_back(
        window: Conv,
        isa: Isa,
        weights: Vec<f32>,
        slope: Block,
        gradient: Block,
    ) -> Self {
        Self::Channelwise { sweeps: window.backward(isa, slope, gradient), weights }
    }

    /// How many images should go together.
    pub fn images(&self) -> usize {
        match self {
            Self::Swept { .. } | Self::Channelwise { .. } => 1,
            Self::Winograd(winograd) => winograd.images(),
        }
    }

    /// Takes the images of all jobs this way.
    ///
    /// # Safety
    /// Each job's pointers must be valid for the images that the pass was made for.
    pub unsafe fn run(&self, isa: Isa, jobs: &[Job], scratch: &mut Scratch) {
        // The caller vouches for the pointers.
        unsafe {
            match self {
                Self::Winograd(winograd) => winograd.run(isa, jobs, scratch),
                Self::Swept { sweeps, weights } => each(jobs, sweeps, |job, part| {
                    sweep(isa, part, job.from, weights.as_ptr(), job.to, job.finish);
                }),
                Self::Channelwise { sweeps, weights } => each(jobs, sweeps, |job, part| {
                    channelwise(isa, part, job.from, weights.as_ptr(), job.to, job.finish);
                }),
            }
        }
    }
}

fn each(jobs: &[Job], sweeps: &[Sweep], run: impl Fn(&Job, &Sweep)) {
    for job in jobs {
        sweeps.iter().for_each(|sweep| run(job, sweep));
    }
}

/// A way to the gradient with respect to the weights: sums over images, then a share to be added up.
pub(crate) enum WeightPass {
    Tapped(WeightGradient),
    Winograd(winograd::Gradient),
}

impl WeightPass {
    /// From the image that comes in, `input`, and the gradient at the output, `slope`.
    pub fn new(conv: Conv, isa: Isa, input: Block, slope: Block) -> Self {
        match conv.is_for_winograd() {
            true => Self::Winograd(winograd::Gradient::new(isa, input, slope)),
            false => Self::Tapped(WeightGradient::new(conv, isa, input, slope)),
        }
    }

    /// How many images should be added at once.
    pub fn images(&self) -> usize {
        match self {
            Self::Tapped(_) => 1,
            Self::Winograd(gradient) => gradient.images(),
        }
    }

    /// How many floats the sums of a share are.
    pub fn sums(&self) -> usize {
        match self {
            Self::Tapped(gradient) => gradient.len(),
            Self::Winograd(gradient) => gradient.sums(),
        }
    }

    /// Adds images to zero or to `sums`: each the convolution's input, and the gradient at its output.
    ///
    /// # Safety
    /// The pointers must be valid for these images.
    pub unsafe fn add(
        &self,
        isa: Isa,
        images: &[(*const f32, *const f32)],
        start: Start,
        sums: &mut [f32],
        scratch: &mut Scratch,
    ) {
        match self {
            Self::Tapped(gradient) => {
                if start == Start::Zero {
                    sums.fill(0.0);
                }
                for &(input, slope) in images {
                    // The caller vouches for the images, and the sums have the length asked for.
                    unsafe { accumulate(isa, gradient, input, slope, sums.as_mut_ptr()) };
                }
            }
            // The caller vouches for the images.
            Self::Winograd(gradient) => unsafe { gradient.add(isa, images, start, sums, scratch) },
        }
    }

    /// Turns a share's sums into what can be added to other shares: the first [`Self::finished`] floats.
    pub fn finish(&self, isa: Isa, sums: &mut [f32]) {
        if let Self::Winograd(gradient) = self {
            gradient.back_to_weights(isa, sums);
        }
    }

    /// How many floats of a share's sums are left at the end.
    pub fn finished(&self) -> usize {
        match self {
            Self::Tapped(gradient) => gradient.len(),
            Self::Winograd(gradient) => gradient.weights(),
        }
    }

    /// The gradient in PyTorch's order, `(outputs, inputs, kernel)`.
    pub fn unpack(&self, conv: Conv, added: &[f32]) -> Vec<f32> {
        let place = |output, input, tap| match self {
            Self::Tapped(gradient) => gradient.place(output, input, tap),
            Self::Winograd(gradient) => gradient.place(output, input, tap),
        };
        let places = conv.places();
        let mut weights = vec![0.0; conv.outputs * conv.inputs * places];
        let outputs = weights.par_chunks_mut(conv.inputs * places).enumerate();
        outputs.for_each(|(output, weights)| {
            for (input, weights) in weights.chunks_mut(places).enumerate() {
                for (tap, weight) in weights.iter_mut().enumerate() {
                    *weight = added[place(output, input, tap)];
                }
            }
        });
        weights
    }
}

impl Conv {
    fn is_for_winograd(self) -> bool {
        let window = (self.kernel, self.stride, self.padding) == ([3, 3], 1, [1, 1]);
        window && winograd::fits(self.input())
    }
}
