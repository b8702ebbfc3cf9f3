//! One image in a training step: what is kept of it, and how it goes from unit to unit.

use super::statistics::Scaling;
use crate::engine::batch_norm::{self, Slopes};
use crate::engine::conv::{Finish, Job};
use crate::engine::plan::{Unit, Weights, padded};
use crate::engine::simd::Isa;

/// What a step keeps of one image.
pub(super) struct Image {
    pub picture: Vec<f32>,
    pub units: Vec<UnitImage>,
    pub features: Vec<f32>,
    pub logits: Vec<f32>,
}

pub(super) struct UnitImage {
    /// The convolution's output, flat.
    pub z: Vec<f32>,
    /// What the unit hands on, bordered.
    pub activation: Vec<f32>,
    /// The gradient with respect to what the unit hands on, flat.
    pub gradient: Vec<f32>,
}

impl Image {
    /// Buffers for one image on its way through a net.
    pub fn new(weights: &Weights) -> Self {
        let unit = |unit: &Unit| {
            let output = unit.conv.output();
            UnitImage {
                z: vec![0.0; output.flat().len()],
                activation: vec![0.0; output.len()],
                gradient: vec![0.0; output.flat().len()],
            }
        };
        Self {
            picture: vec![0.0; weights.units[0].conv.input().len()],
            units: weights.units.iter().map(unit).collect(),
            features: padded(&vec![0.0; weights.head.features()]),
            logits: vec![0.0; weights.head.classes()],
        }
    }

    /// From a unit's convolution to what it hands on.
    pub fn activate(&mut self, isa: Isa, scaling: &Scaling) {
        let (before, after) = self.units.split_at_mut(scaling.index);
        let unit = &mut after[0];
        let residual = scaling.residual.map_or(std::ptr::null(), |r| before[r].activation.as_ptr());
        // Every buffer was made for the unit's layout, and the scaling for its channels.
        unsafe {
            batch_norm::activate(
                isa,
                scaling.layout,
                unit.z.as_ptr(),
                scaling.scale.as_ptr(),
                scaling.shift.as_ptr(),
                residual,
                unit.activation.as_mut_ptr(),
            );
        }
    }

    /// What the unit before `index` handed on, or the picture.
    pub fn before(&self, index: usize) -> &[f32] {
        index.checked_sub(1).map_or(&self.picture, |before| &self.units[before].activation)
    }

    /// From what the unit before handed on, or the picture, to the convolution of unit `index`.
    pub fn convolve(&mut self, index: usize) -> Job {
        let from = self.before(index).as_ptr();
        Job { from, to: self.units[index].z.as_mut_ptr(), finish: Finish::Store }
    }

    /// Adds the sums that a unit's batch norm needs on the way back.
    pub fn gated_moments(&self, isa: Isa, scaling: &Scaling, sums: &mut [f32]) {
        let unit = &self.units[scaling.index];
        // Every buffer was made for the unit's layout, the scaling and the sums for its channels.
        unsafe {
            batch_norm::gated_moments(
                isa,
                scaling.layout,
                unit.gradient.as_ptr(),
                unit.z.as_ptr(),
                scaling.scale.as_ptr(),
                scaling.shift.as_ptr(),
                scaling.minus_mean.as_ptr(),
                sums.as_mut_ptr(),
            );
        }
    }

    /// Writes the gradient at a unit's convolution to the bordered `to`.
    pub fn close(&self, isa: Isa, scaling: &Scaling, slopes: &Slopes, to: &mut [f32]) {
        let unit = &self.units[scaling.index];
        let (scale, shift) = (scaling.scale.as_ptr(), scaling.shift.as_ptr());
        let (gradient, z, to) = (unit.gradient.as_ptr(), unit.z.as_ptr(), to.as_mut_ptr());
        // Every buffer was made for the unit's layout, the scaling and the slopes for its channels.
        unsafe {
            batch_norm::gradient(isa, scaling.layout, gradient, z, scale, shift, slopes, to);
        }
    }

    /// From the gradient at the convolution behind unit `index` to that of what the unit handed on.
    pub fn go_back(&mut self, index: usize, adder: Option<usize>, gradient: *const f32) -> Job {
        let add = adder.map_or(std::ptr::null(), |adder| self.units[adder].gradient.as_ptr());
        let finish = Finish::Gate { mask: std::ptr::null(), add, open: std::ptr::null_mut() };
        Job { from: gradient, to: self.units[index].gradient.as_mut_ptr(), finish }
    }
}
