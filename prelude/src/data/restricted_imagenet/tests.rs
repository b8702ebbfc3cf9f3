//! A small ImageNet of generated pictures, and folders that are none.

use std::fs;

use image::{ImageFormat, Rgb, RgbImage};
use ndarray::Axis;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::attack::{Norm, Pgd};
use crate::chart::gallery;
use crate::fixture::{Scratch, recipe, says};
use crate::net::{Architecture, Layer, Net};
use crate::show::interrupted_after;
use crate::train::Recipe;
use crate::{features, judge};

/// A folder with so many pictures of each of some synsets of each super-class, in either set.
fn imagenet(test: &str, synsets: usize, pictures: usize) -> Scratch {
    let scratch = Scratch::new(&format!("imagenet-{test}"));
    for part in ["train", "val"] {
        for (label, class) in SUPER_CLASSES.iter().enumerate() {
            for synset in class.folders().take(synsets) {
                let folder = scratch.path().join(part).join(&synset);
                fs::create_dir_all(&folder).unwrap();
                for picture in 0..pictures {
                    draw(&folder.join(format!("{synset}_{picture}.JPEG")), label, picture);
                }
            }
        }
    }
    scratch
}

/// A noisy picture of its class's colour, of a size and a format that the number decides.
fn draw(path: &Path, label: usize, number: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64((label * 1000 + number) as u64);
    let (width, height) = (60 + 13 * number as u32 % 40, 70 - number as u32 % 20);
    let mut noisy = |level: usize| (40 + 80 * level + rng.gen_range(0..30)) as u8;
    let colour = [label % 3, label / 3, 1];
    let picture = RgbImage::from_fn(width, height, |_, _| Rgb(colour.map(&mut noisy)));
    let format = if number.is_multiple_of(2) { ImageFormat::Jpeg } else { ImageFormat::Png };
    picture.save_with_format(path, format).unwrap();
}

fn small(folder: &Scratch) -> RestrictedImageNet {
    RestrictedImageNet::at(folder.path()).side(16)
}

/// The data with what is decoded kept in the folder itself.
fn data(of: &RestrictedImageNet) -> Result<Data> {
    of.data_by(&of.folder.join("kept"), None)
}

#[test]
fn a_folder_becomes_two_sets_of_nine_classes() {
    let folder = imagenet("whole", 2, 3);
    // What is none of the nine, or no picture, lies beside them in a real one.
    fs::create_dir_all(folder.path().join("train/n01440764")).unwrap();
    for other in
        ["train/n01440764/tench.JPEG", "train/n02085620/._x.JPEG", "val/n02123045/list.txt"]
    {
        fs::write(folder.path().join(other), "no picture").unwrap();
    }
    let data = data(&small(&folder)).unwrap();
    for (set, name) in [(&data.train, "train"), (&data.test, "test")] {
        set.check().unwrap();
        assert_eq!(set.name, format!("Restricted ImageNet {name}"));
        assert_eq!(set.images.shape(), [54, 3, 16, 16]);
        assert!(matches!(set.images, Images::Bytes(_)));
        assert_eq!(set.per_class().unwrap(), [6; 9]);
        assert_eq!((set.classes[0].as_str(), set.classes[8].as_str()), ("Dog", "Insect"));
        for (index, &label) in set.labels.iter().enumerate() {
            let picture = set.images.batch(&[index]);
            let level = |channel| picture.index_axis(Axis(1), channel).mean().unwrap() * 255.0;
            let expected = [label % 3, label / 3].map(|level| (40 + 80 * level) as f32 + 14.5);
            // The noise of 16² pixels, each the mean of several, and what a JPEG does to colours.
            assert!((level(0) - expected[0]).abs() < 5.0, "{label}: {}", level(0));
            assert!((level(1) - expected[1]).abs() < 5.0, "{label}: {}", level(1));
        }
    }
    // Sorted, the synsets are: two frogs, two turtles, two birds, two crabs, two dogs …
    let mut origin = data.train.origin.clone();
    let frogs = data.train.of_class(2).unwrap();
    assert!(frogs.origin.iter().all(|&place| place < 6));
    let dogs = data.train.of_class(0).unwrap();
    assert!(dogs.origin.iter().all(|place| (24..30).contains(place)), "{:?}", dogs.origin);
    origin.sort();
    assert_eq!(origin, (0..54).collect::<Vec<_>>());
    assert_ne!(data.train.origin, origin, "the order is drawn");
}

#[test]
fn what_was_decoded_is_kept_until_the_files_or_the_numbers_change() {
    let folder = imagenet("kept", 1, 2);
    let maker = small(&folder).per_class(2, 1);
    let first = data(&maker).unwrap();
    assert_eq!((first.train.len(), first.test.len()), (18, 9));
    assert_eq!(fs::read_dir(folder.path().join("kept")).unwrap().count(), 2);
    let broken = folder.path().join("train/n02085620/n02085620_0.JPEG");
    let bytes = fs::read(&broken).unwrap();
    fs::write(&broken, vec![0; bytes.len()]).unwrap();
    // The listing is the same, so nobody looks into the files again.
    assert_eq!(data(&maker).unwrap(), first);
    for other in [maker.clone().side(15), maker.clone().seed(2)] {
        says(data(&other), &["n02085620_0.JPEG"]);
    }
    fs::write(&broken, &bytes[..bytes.len() - 1]).unwrap();
    says(data(&maker), &["n02085620_0.JPEG", "cut off"]);
    // A damaged file of the cache is written anew.
    fs::write(&broken, &bytes).unwrap();
    for kept in fs::read_dir(folder.path().join("kept")).unwrap() {
        fs::write(kept.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(data(&maker).unwrap(), first);
}

#[test]
fn a_limit_takes_so_many_of_each_class_and_a_seed_others() {
    let folder = imagenet("limit", 3, 3);
    let draw = |seed| data(&small(&folder).per_class(3, 2).seed(seed)).unwrap();
    let (one, two) = (draw(1), draw(2));
    assert_eq!(one.train.per_class().unwrap(), [3; 9]);
    assert_eq!(one.test.per_class().unwrap(), [2; 9]);
    // Three of a class are one of each of its three synsets, which have three files each.
    let mut synsets: Vec<_> = one.train.origin.iter().map(|place| place / 3).collect();
    synsets.sort();
    assert_eq!(synsets, (0..27).collect::<Vec<_>>());
    assert_ne!(one.train.origin, two.train.origin);
}

#[test]
fn a_folder_of_another_layout_is_an_error_that_shows_the_right_one() {
    let layout = "train/n02085620/n02085620_10026.JPEG";
    let folder = imagenet("layout", 1, 1);
    let path = |below: &str| folder.path().join(below);
    let refused = |parts: &[&str]| says(data(&small(&folder)), parts);
    says(data(&RestrictedImageNet::at(path("none"))), &["none: there is no such folder", layout]);
    fs::rename(path("val/n02123045"), path("cat")).unwrap();
    refused(&["val: there is no picture of a Cat", "281 to 285", "n02123045 to n02124075"]);
    fs::create_dir(path("val/n02123045")).unwrap();
    refused(&["no picture of a Cat"]);
    fs::rename(path("val"), path("validation")).unwrap();
    refused(&["val: there is no such folder", layout]);
    fs::create_dir(path("val")).unwrap();
    refused(&["val: the folder is empty", layout]);
    fs::write(path("val/ILSVRC2012_val_00000001.JPEG"), "flat").unwrap();
    refused(&["synset of the nine", "there is ILSVRC2012_val_00000001.JPEG", layout]);
    fs::rename(path("train"), path("training")).unwrap();
    refused(&["train: there is no such folder"]);
}

#[test]
fn numbers_out_of_range_and_too_little_memory_are_errors_before_any_work() {
    let folder = imagenet("range", 1, 2);
    says(data(&small(&folder).side(0)), &["at least one pixel"]);
    says(data(&small(&folder).per_class(0, 1)), &["at least one picture of each"]);
    says(data(&small(&folder).per_class(1, 0)), &["at least one picture of each"]);
    let kept = folder.path().join("kept");
    // 36 pictures of 3×16×16 bytes.
    says(small(&folder).data_by(&kept, Some(27_647)), &["36 pictures of 3×16×16", "`per_class`"]);
    assert!(!kept.exists(), "nothing was decoded");
    small(&folder).data_by(&kept, Some(27_648)).unwrap();
    let blocked =
        small(&folder).data_by(&folder.path().join("train/n02085620/n02085620_0.JPEG"), None);
    says(blocked, &["Make room"]);
}

#[test]
fn an_interrupt_stops_the_decoding() {
    let folder = imagenet("interrupt", 1, 1);
    let error = interrupted_after(0, || data(&small(&folder))).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert!(error.to_string().contains("decoding Restricted ImageNet train"), "{error}");
}

#[test]
fn it_says_what_it_makes() {
    let maker = RestrictedImageNet::at("/data/imagenet");
    let text = "Restricted ImageNet in /data/imagenet: 3×224×224, all of a class, seed 1";
    assert_eq!(maker.to_string(), text);
    let text = maker.side(96).per_class(1000, 50).seed(3).to_string();
    assert!(text.ends_with("3×96×96, at most 1000 and 50 of a class, seed 3"), "{text}");
}

/// Training, attacks, built sets, the judge and the gallery, on pictures of 48 pixels a side.
#[test]
fn everything_takes_pictures_of_this_size() {
    let folder = imagenet("pipeline", 1, 8);
    let data = data(&RestrictedImageNet::at(folder.path()).side(48)).unwrap();
    let layers = vec![Layer::unit("features.0", 4, 2), Layer::unit("features.1", 8, 2)];
    let make = |_, image, classes| Ok(Architecture::new("tiny", image, layers.clone(), classes));
    let mut net = Net::of(make, 4, &data.train, 1).unwrap();
    let recipe = Recipe { batch: 9, augment: Augment::crop_and_flip(), ..recipe() };
    net.train(&data.train, &recipe).unwrap();
    let clean = judge::accuracy(&net, &data.test).unwrap();
    assert!(clean > 0.5, "a colour a class is easily learned: {clean}");

    let attack = Pgd::l2(3.0).steps(5);
    let robust = judge::robust_accuracy(&net, &data.test, &attack).unwrap();
    assert!(robust < clean, "{robust} {clean}");
    let moved = attack.perturb(&net, &data.test.images, &data.test.labels).unwrap();
    let distance = judge::distance(&data.test.images, &moved, Norm::L2).unwrap();
    assert!(distance.within(3.0) && distance.largest > 1.0, "{distance}");

    let built = features::d_det(&net, &data.train, &attack).unwrap();
    assert_eq!(built.images.shape(), [72, 3, 48, 48]);
    let next = |label: &usize| (label + 1) % 9;
    assert_eq!(built.labels, data.train.labels.iter().map(next).collect::<Vec<_>>());
    net.train(&built, &recipe.clone().epochs(1)).unwrap();
    assert!(gallery(&built, 10).svg().unwrap().contains("image/png"));
    let path = folder.path().join("built");
    built.save(&path).unwrap();
    assert_eq!(Dataset::load(&path).unwrap(), built);
}
