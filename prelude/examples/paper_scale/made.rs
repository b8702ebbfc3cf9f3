//! The nets and sets of the experiments. Each is kept in the cache folder, and is there at once the next
//! time.

use erm::prelude::*;

/// Of a teacher's first weights, and of a student's.
pub const TEACHER_SEED: u64 = 1;
pub const STUDENT_SEED: u64 = 2;
/// Of the targets of D_rand.
pub const TARGET_SEED: u64 = 7;

/// What the experiments are made from.
pub struct Made {
    pub data: Data,
    pub sizes: Sizes,
    /// Of the training set and the test set; a large one takes a second.
    pub fingerprints: String,
}

impl Made {
    /// At these sizes.
    pub fn of(data: Data, sizes: Sizes) -> Self {
        let fingerprints = data.train.fingerprint() + " " + &data.test.fingerprint();
        Self { data, sizes, fingerprints }
    }

    /// The standard net, and how it learned.
    pub fn standard(&self) -> Result<(Net, Log)> {
        self.trained(&self.data.train, &self.sizes.teacher, TEACHER_SEED)
    }

    /// The robust net.
    pub fn robust(&self) -> Result<(Net, Log)> {
        self.trained(&self.data.train, &self.sizes.robust, TEACHER_SEED)
    }

    /// A student of a built set.
    pub fn student(&self, set: &Dataset, recipe: &Recipe) -> Result<(Net, Log)> {
        self.trained(set, recipe, STUDENT_SEED)
    }

    /// D_det of the standard net.
    pub fn d_det(&self) -> Result<Dataset> {
        features::d_det(&self.standard()?.0, &self.part(self.sizes.images)?, &self.sizes.attack)
    }

    /// D_rand of the standard net.
    pub fn d_rand(&self) -> Result<Dataset> {
        let (net, part) = (self.standard()?.0, self.part(self.sizes.images)?);
        features::d_rand(&net, &part, &self.sizes.attack, TARGET_SEED)
    }

    /// D_rand less the images whose target was their own class.
    pub fn d_rand_wrong(&self) -> Result<Dataset> {
        let (part, d_rand) = (self.part(self.sizes.images)?, self.d_rand()?);
        let kept: Vec<bool> = part.labels.iter().zip(&d_rand.labels).map(|(y, t)| y == t).collect();
        features::without(&d_rand, &kept)
    }

    /// D_R of the robust net.
    pub fn d_r(&self) -> Result<Dataset> {
        let (net, part) = (self.robust()?.0, self.part(self.sizes.inverted)?);
        features::d_r(&net, &part, &self.sizes.inversion)
    }

    /// D_NR of the standard net.
    pub fn d_nr(&self) -> Result<Dataset> {
        let (net, part) = (self.standard()?.0, self.part(self.sizes.inverted)?);
        features::d_nr(&net, &part, &self.sizes.inversion)
    }

    fn part(&self, images: usize) -> Result<Dataset> {
        self.data.train.take(images)
    }

    /// A net that has learned a set to the end.
    fn trained(&self, set: &Dataset, recipe: &Recipe, seed: u64) -> Result<(Net, Log)> {
        let mut net = self.sizes.net(set, seed)?;
        let log = net.train_once(set, recipe)?;
        let Some(interruption) = &log.interrupted else {
            return Ok((net, log));
        };
        let images = set.len() - recipe.validation;
        Err(Error::Interrupted {
            what: format!("training on {}", set.name),
            done: (interruption.epochs * images as f64).round() as usize,
            total: recipe.epochs * images,
            unit: "images".into(),
            remedy: "Train again to go on there.".into(),
        })
    }
}
