//! A short text that tells one net from every other.

use super::Net;
use md5::{Digest, Md5};

impl Net {
    /// A fingerprint of the layers and every number of the net: equal nets have equal ones.
    pub(crate) fn fingerprint(&self) -> String {
        let mut md5 = Md5::new();
        md5.update(format!("{:?}", self.architecture));
        let mut numbers = |values: &[f32]| values.iter().for_each(|v| md5.update(v.to_le_bytes()));
        numbers(&self.weights.normalisation.mean);
        numbers(&self.weights.normalisation.deviation);
        self.weights.parameters().into_iter().for_each(&mut numbers);
        for norm in self.weights.norms() {
            numbers(&norm.running_mean);
            numbers(&norm.running_var);
        }
        format!("{:x}", md5.finalize())
    }
}
