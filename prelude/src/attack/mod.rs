//! attack
use crate::engine::*;
use std::sync::Arc;
use dfdx::prelude::*;
pub(crate) fn bench_step(f: &Arc<Frozen>, x: &[f32], y: &[usize]) -> Vec<f32> {
    let t = batch(x.to_vec(), y.len());
    let l = cross_entropy(frozen(f, t.leaky_trace()), y);
    let g = l.backward();
    values(&g.get(&t))
}
