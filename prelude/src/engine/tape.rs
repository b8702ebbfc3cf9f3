//! The engine as one operation on dfdx's tape, so that dfdx's losses drive it.

use super::{Frozen, Training, Weights};
use dfdx::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Pictures `(n, pixels)` or logits `(n, classes)` on dfdx's CPU.
pub type Batch<T = NoneTape> = Tensor<(usize, usize), f32, Cpu, T>;

/// The tape of a CPU graph.
pub type CpuTape = OwnedTape<f32, Cpu>;

/// Logits of pictures; the tape learns their gradient with respect to the pictures.
pub(crate) fn frozen(net: &Arc<Frozen>, pictures: Batch<CpuTape>) -> Batch<CpuTape> {
    let (pictures, mut tape) = pictures.split_tape();
    let (logits, masks) = net.logits_and_masks(&values(&pictures));
    let logits = batch(logits, pictures.shape().0);
    let (net, output) = (Arc::clone(net), logits.clone());
    tape.add_backward_op(move |gradients| {
        let slope = values(&gradients.get(&output));
        add(gradients.get_or_alloc_mut(&pictures)?, &net.picture_gradient(&masks, &slope));
        Ok(())
    });
    logits.put_tape(tape)
}

/// A net in training: its weights, and the buffers its steps reuse.
pub(crate) struct Learner {
    pub weights: Weights,
    pub training: Training,
}

/// A parameter as a dfdx tensor, flat; it names the gradient that a backward pass leaves.
pub(crate) type Parameter = Tensor<(usize,), f32, Cpu>;

/// Dfdx tensors of the weights' parameters, in their order.
pub(crate) fn parameters(weights: &Weights) -> Vec<Parameter> {
    let device = Cpu::default();
    let tensor = |p: &[f32]| device.tensor_from_vec(p.to_vec(), (p.len(),));
    weights.parameters().into_iter().map(tensor).collect()
}

/// Logits of pictures with batch statistics; the tape learns their gradients with respect to the
/// parameters, and to `wanted`: the pictures, where somebody wants theirs.
pub(crate) fn training(
    learner: &Arc<Mutex<Learner>>,
    parameters: &[Parameter],
    pictures: Batch<CpuTape>,
    wanted: Option<Batch>,
) -> Batch<CpuTape> {
    let (pictures, mut tape) = pictures.split_tape();
    let logits = {
        let mut learner = learner.lock().unwrap_or_else(PoisonError::into_inner);
        let Learner { weights, training } = &mut *learner;
        training.forward(weights, &values(&pictures))
    };
    let logits = batch(logits, pictures.shape().0);
    let (learner, output, parameters) = (Arc::clone(learner), logits.clone(), parameters.to_vec());
    tape.add_backward_op(move |gradients| {
        let slope = values(&gradients.get(&output));
        let mut learner = learner.lock().unwrap_or_else(PoisonError::into_inner);
        let Learner { weights, training } = &mut *learner;
        let mut of_pictures = vec![0.0; wanted.as_ref().map_or(0, |x| x.shape().num_elements())];
        let asked = wanted.is_some().then_some(&mut of_pictures[..]);
        let found = training.backward(weights, &slope, asked);
        if let Some(pictures) = &wanted {
            add(gradients.get_or_alloc_mut(pictures)?, &of_pictures);
        }
        for (parameter, gradient) in parameters.iter().zip(&found) {
            add(gradients.get_or_alloc_mut(parameter)?, gradient);
        }
        Ok(())
    });
    logits.put_tape(tape)
}

/// Rows of equal length as a tensor `(rows, …)`.
pub(crate) fn batch(values: Vec<f32>, rows: usize) -> Batch {
    let columns = values.len() / rows.max(1);
    Cpu::default().tensor_from_vec(values, (rows, columns))
}

/// The numbers of a tensor that lies in memory as it was made.
pub(crate) fn values<S: Shape>(tensor: &Tensor<S, f32, Cpu>) -> Vec<f32> {
    let mut values = vec![0.0; tensor.shape().num_elements()];
    tensor.copy_into(&mut values);
    values
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The mean cross-entropy between logits and the classes `labels`.
pub(crate) fn cross_entropy(
    logits: Batch<CpuTape>,
    labels: &[usize],
) -> Tensor<Rank0, f32, Cpu, CpuTape> {
    let targets = batch(one_hot(labels, logits.shape().1), labels.len());
    cross_entropy_with_logits_loss(logits, targets)
}

/// `(n, classes)`: 1 at each image's label, 0 elsewhere.
pub(crate) fn one_hot(labels: &[usize], classes: usize) -> Vec<f32> {
    let mut targets = vec![0.0; labels.len() * classes];
    for (row, &label) in targets.chunks_mut(classes).zip(labels) {
        row[label] = 1.0;
    }
    targets
}
