//! Stochastic gradient descent with momentum and weight decay, as PyTorch does it.

/// One momentum buffer a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sgd {
    pub velocity: Vec<Vec<f32>>,
}

/// What one step goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub rate: f32,
    pub momentum: f32,
    pub weight_decay: f32,
}

impl Sgd {
    /// At rest, for parameters of these lengths.
    pub fn new(parameters: &[&[f32]]) -> Self {
        Self { velocity: parameters.iter().map(|p| vec![0.0; p.len()]).collect() }
    }

    /// `v ← momentum · v + gradient + weight_decay · p`, then `p ← p − rate · v`, for parameter `index`.
    pub fn step(&mut self, step: Step, index: usize, parameter: &mut [f32], gradient: &[f32]) {
        let velocity = &mut self.velocity[index];
        for ((p, v), g) in parameter.iter_mut().zip(velocity).zip(gradient) {
            *v = step.momentum * *v + g + step.weight_decay * *p;
            *p -= step.rate * *v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literals are PyTorch's:
    /// ```python
    /// p = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    /// o = torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01)
    /// for g in ([0.5, 1.0], [-0.25, 2.0], [0.0, 0.0]):
    ///     p.grad = torch.tensor(g); o.step()
    /// print(p.data)  # [0.90655977, -2.63920975]
    /// ```
    #[test]
    fn three_steps_go_where_pytorch_goes() {
        let mut p = [1.0, -2.0];
        let mut sgd = Sgd::new(&[&p]);
        let step = Step { rate: 0.1, momentum: 0.9, weight_decay: 0.01 };
        for gradient in [[0.5, 1.0], [-0.25, 2.0], [0.0, 0.0]] {
            sgd.step(step, 0, &mut p, &gradient);
        }
        for (p, expected) in p.iter().zip([0.906_559_8, -2.639_209_7]) {
            assert!((p - expected).abs() < 1e-6, "{p} instead of {expected}");
        }
    }
}
