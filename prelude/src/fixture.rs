//! What tests share: small data, a small net that has learned it, a folder of one test.

use crate::data::{Augment, Data, SeeFar};
use crate::net::{Architecture, Layer, Net};
use crate::train::{Recipe, Schedule};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A little of See-Far.
pub(crate) static DATA: LazyLock<Data> =
    LazyLock::new(|| SeeFar::new(1).data(400, 150).expect("no count is zero"));

/// A [`net`] that has seen `DATA.train` a few times.
pub(crate) static TRAINED: LazyLock<Net> = LazyLock::new(|| {
    let mut net = net(1);
    net.train(&DATA.train, &recipe()).expect("the recipe suits the set");
    net
});

/// Two convolutions: an image takes microseconds.
pub(crate) fn net(seed: u64) -> Net {
    let layers = vec![Layer::unit("features.0", 8, 2), Layer::unit("features.1", 16, 2)];
    let architecture = Architecture::new("two convolutions", [3, 32, 32], layers, 10);
    Net::new(architecture, vec![0.5; 3], vec![0.2; 3], seed).expect("the layers fit")
}

/// A few epochs that a [`net`] learns something in.
pub(crate) fn recipe() -> Recipe {
    Recipe {
        name: "small".into(),
        epochs: 6,
        batch: 20,
        learning_rate: 0.1,
        schedule: Schedule::OneCycle { warm_up: 0.25 },
        momentum: 0.9,
        weight_decay: 5e-4,
        augment: Augment::none(),
        adversary: None,
        validation: 0,
        seed: 1,
        checkpoint: None,
    }
}

/// Makes sure that there is an error, and that it says all of this.
pub(crate) fn says<T>(result: crate::Result<T>, parts: &[&str]) {
    let error = match result {
        Ok(_) => panic!("no error that says {parts:?}"),
        Err(error) => error.to_string(),
    };
    parts.iter().for_each(|part| assert!(error.contains(part), "`{part}` is not in: {error}"));
}

/// A folder of one test, gone when the test is over.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("erm-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
