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
    /// What the unit hands on, bordered, where it adds an earlier unit's output. What others hand on is
    /// made anew when it is needed.
    activation: Vec<f32>,
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
                activation: vec![0.0; unit.residual.map_or(0, |_| output.len())],
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

    /// Keeps what unit `index` hands on, if it adds an earlier unit's output.
    pub fn keep(&mut self, isa: Isa, index: usize, scalings: &[Scaling]) {
        let Some(residual) = scalings[index].residual else { return };
        let kept = self.units[index].activation.as_mut_ptr();
        let residual = match scalings[residual].residual {
            Some(_) => self.units[residual].activation.as_ptr(),
            None => {
                self.activate(isa, &scalings[residual], std::ptr::null(), kept);
                kept.cast_const()
            }
        };
        self.activate(isa, &scalings[index], residual, kept);
    }

    /// What the unit before `index` handed on, or the picture: made anew in `room`, unless it was kept.
    ///
    /// That spares its memory, and costs no more than to read it: it is as large as the convolution's
    /// output, which is read on the way back in any case.
    pub fn before(
        &self,
        isa: Isa,
        index: usize,
        scalings: &[Scaling],
        room: &mut [f32],
    ) -> *const f32 {
        let Some(before) = index.checked_sub(1) else { return self.picture.as_ptr() };
        if scalings[before].residual.is_some() {
            return self.units[before].activation.as_ptr();
        }
        assert!(room.len() >= scalings[before].bordered().len());
        self.activate(isa, &scalings[before], std::ptr::null(), room.as_mut_ptr());
        room.as_ptr()
    }

    /// From a unit's convolution to what it hands on, bordered; `residual` is added, unless it is null.
    fn activate(&self, isa: Isa, scaling: &Scaling, residual: *const f32, to: *mut f32) {
        let z = self.units[scaling.index].z.as_ptr();
        let (scale, shift) = (scaling.scale.as_ptr(), scaling.shift.as_ptr());
        // Every buffer was made for the unit's layout, and the scaling for its channels.
        unsafe { batch_norm::activate(isa, scaling.layout, z, scale, shift, residual, to) };
    }

    /// From what the unit before handed on, or the picture, to the convolution of unit `index`.
    pub fn convolve(&mut self, index: usize, from: *const f32) -> Job {
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
