//! A short text that tells one data set from every other.

use super::{Dataset, Images};
use md5::{Digest, Md5};

impl Dataset {
    /// A fingerprint of every image and label: equal sets have equal ones, whatever their name.
    /// 32 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let mut md5 = Md5::new();
        md5.update(format!("{:?}", self.images.shape()));
        match &self.images {
            Images::Bytes(bytes) => match bytes.as_slice() {
                Some(bytes) => md5.update(bytes),
                None => bytes.iter().for_each(|v| md5.update([*v])),
            },
            Images::Floats(floats) => floats.outer_iter().for_each(|image| {
                let bytes: Vec<u8> = image.iter().flat_map(|v| v.to_le_bytes()).collect();
                md5.update(bytes);
            }),
        }
        self.labels.iter().for_each(|label| md5.update(label.to_le_bytes()));
        format!("{:x}", md5.finalize())
    }
}
