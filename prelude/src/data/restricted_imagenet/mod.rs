//! Restricted ImageNet: nine super-classes of ImageNet (Tsipras et al., 2019). Paper: Table 2.
//!
//! ImageNet itself may not be passed on; whoever has it on disk, or some of its folders, names the folder.
//! Its layout is the usual one, `train/n02085620/*.JPEG` and `val/n02085620/*.JPEG`, with a folder for each
//! synset; those of other classes may lie beside them.
//!
//! | label | super-class | ImageNet's classes |
//! |---|---|---|
//! | 0 | Dog | 151–268 |
//! | 1 | Cat | 281–285 |
//! | 2 | Frog | 30–32 |
//! | 3 | Turtle | 33–37 |
//! | 4 | Bird | 80–100 |
//! | 5 | Primate | 365–382 |
//! | 6 | Fish | 389–397 |
//! | 7 | Crab | 118–121 |
//! | 8 | Insect | 300–319 |
//!
//! Every picture is decoded once, to 3×side×side bytes. All of them at the paper's 224 pixels are 257 748
//! for training and 10 150 to test by, and need 40 GB of memory; a set built from them by an attack holds
//! floats, and needs four times as much. [`RestrictedImageNet::per_class`] and [`RestrictedImageNet::side`]
//! make less of it.
//!
//! The training pictures are the middles of their files here, where the authors' library crops each file
//! anew in every epoch; [`Augment::resized_crop`] crops these middles.

mod choice;
mod classes;
mod listing;
mod picture;
mod room;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use ndarray::Array4;
use rayon::prelude::*;

use self::classes::SUPER_CLASSES;
use self::listing::File;
use super::{Augment, Data, Dataset, Images};
use crate::show::{Progress, shows_as_text};
use crate::{Error, Result, cache};

shows_as_text!(RestrictedImageNet);

/// How the folder of ImageNet has to look.
const LAYOUT: &str = "Name the folder that holds train/ and val/, and in each a folder a synset, as in \
                      train/n02085620/n02085620_10026.JPEG";

/// How many pictures are decoded between two looks at whether the user still wants them.
const BATCH: usize = 256;

/// What decides which pictures are taken, unless [`RestrictedImageNet::seed`] says otherwise.
const SEED: u64 = 1;

/// Restricted ImageNet in a folder of this machine.
///
/// ```no_run
/// # fn cell() -> erm::Result<()> {
/// use erm::prelude::*;
/// let data = RestrictedImageNet::at("/data/imagenet").side(96).per_class(1000, 50).data()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictedImageNet {
    folder: PathBuf,
    side: usize,
    train: usize,
    test: usize,
    seed: u64,
}

impl RestrictedImageNet {
    /// All pictures of the nine super-classes in a folder with ImageNet's `train` and `val`, 224 pixels a
    /// side.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let (train, test) = (usize::MAX, usize::MAX);
        Self { folder: folder.into(), side: 224, train, test, seed: SEED }
    }

    /// Pictures of so many pixels a side: the shorter side of each file is resized to 8/7 of it (256 for
    /// 224), and the middle is taken.
    pub fn side(self, side: usize) -> Self {
        Self { side, ..self }
    }

    /// At most so many training and test pictures of each super-class, spread over its synsets as evenly as
    /// they allow. A dog is 118 synsets and a frog three, so a limit also balances the classes.
    pub fn per_class(self, train: usize, test: usize) -> Self {
        Self { train, test, ..self }
    }

    /// Another draw of the pictures that a limit takes, and of the order of the sets; 1 unless said.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The pictures of `train` to learn from and those of `val` to judge by, in an order that the seed
    /// draws. `origin` is a picture's place in the sorted list of all files of its set.
    ///
    /// What was decoded is kept in the cache folder, one file a set, and is read from there as long as the
    /// listing of the files (names and lengths) and the numbers above are the same.
    ///
    /// # Errors
    /// If the folder has another layout, a super-class has no pictures, a file is no whole picture, the
    /// memory does not hold them all, the cache cannot be written, or the user interrupts it.
    pub fn data(&self) -> Result<Data> {
        self.data_by(&cache::folder()?.join("restricted-imagenet"), room::free())
    }

    /// The same with decoded pictures kept in a folder, and so much memory free, if that is known.
    fn data_by(&self, kept: &Path, free: Option<u64>) -> Result<Data> {
        self.check()?;
        let parts = [
            Part::list(self, "train", "Restricted ImageNet train", self.train)?,
            Part::list(self, "val", "Restricted ImageNet test", self.test)?,
        ];
        let images = parts.iter().map(|part| part.places.len()).sum();
        room::check(images, self.side, free)?;
        let [train, test] = parts;
        Ok(Data {
            train: train.set(kept)?,
            test: test.set(kept)?,
            augment: Augment::resized_crop(),
        })
    }

    fn check(&self) -> Result<()> {
        let (expected, found) = if self.side == 0 {
            ("pictures of at least one pixel a side", self.side)
        } else if self.train == 0 || self.test == 0 {
            ("at least one picture of each super-class in either set", 0)
        } else {
            return Ok(());
        };
        Err(Error::invalid(expected, found.to_string(), "Ask for 1000 pictures of 96 pixels, say"))
    }
}

/// `Restricted ImageNet in /data/imagenet: 3×96×96, at most 1000 and 50 of a class, seed 1`
impl fmt::Display for RestrictedImageNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (folder, side) = (self.folder.display(), self.side);
        write!(f, "Restricted ImageNet in {folder}: 3×{side}×{side}, ")?;
        match (self.train, self.test) {
            (usize::MAX, usize::MAX) => write!(f, "all of a class")?,
            (train, test) => write!(f, "at most {train} and {test} of a class")?,
        }
        write!(f, ", seed {}", self.seed)
    }
}

/// One of the two sets, before its pictures are decoded.
struct Part {
    name: &'static str,
    folder: PathBuf,
    files: Vec<File>,
    /// Which of the files are taken, in order.
    places: Vec<usize>,
    side: usize,
}

impl Part {
    fn list(
        of: &RestrictedImageNet,
        folder: &str,
        name: &'static str,
        limit: usize,
    ) -> Result<Self> {
        if !of.folder.is_dir() {
            return Err(Error::file(&of.folder, "there is no such folder", LAYOUT));
        }
        let folder = of.folder.join(folder);
        let files = listing::files(&folder)?;
        let places = choice::places(&files, limit, of.seed);
        Ok(Self { name, folder, files, places, side: of.side })
    }

    /// The set, from the file in which it was kept or else from its pictures.
    fn set(&self, kept: &Path) -> Result<Dataset> {
        let path = kept.join(format!("{}.safetensors", self.key()));
        // A damaged file is written anew.
        if let Ok(set) = Dataset::load(&path) {
            return Ok(set);
        }
        let set = self.decode()?;
        set.save(&path)?;
        Ok(set)
    }

    /// Everything the set depends on, as a name.
    fn key(&self) -> String {
        let mut md5 = Md5::new();
        md5.update(format!("{} {} {}\n", env!("CARGO_PKG_VERSION"), self.name, self.side));
        for &place in &self.places {
            let file = &self.files[place];
            md5.update(format!("{place} {} {}\n", file.path().display(), file.bytes));
        }
        let key = format!("{:x}", md5.finalize());
        format!("{}-{}", cache::plain(self.name), &key[..16])
    }

    fn decode(&self) -> Result<Dataset> {
        let (n, side, pixels) = (self.places.len(), self.side, 3 * self.side * self.side);
        let mut bytes = vec![0; n * pixels];
        let progress = Progress::start(&format!("decoding {}", self.name), "images", n);
        for (batch, places) in bytes.chunks_mut(BATCH * pixels).zip(self.places.chunks(BATCH)) {
            progress.check_interrupt()?;
            let pictures = batch.par_chunks_mut(pixels).zip(places);
            let read = pictures.map(|(picture, &place)| {
                picture::read(&self.folder.join(self.files[place].path()), side, picture)?;
                progress.advance(1);
                Ok(())
            });
            // Of several broken files it is always the first that is named.
            read.collect::<Vec<Result<()>>>().into_iter().collect::<Result<()>>()?;
        }
        let images = Array4::from_shape_vec((n, 3, side, side), bytes);
        Ok(Dataset {
            name: self.name.into(),
            images: Images::Bytes(images.expect("the length is the shape's")),
            labels: self.places.iter().map(|&place| self.files[place].label).collect(),
            classes: SUPER_CLASSES.map(|class| class.name.to_owned()).to_vec(),
            origin: self.places.clone(),
        })
    }
}
