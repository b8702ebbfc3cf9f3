//! Which of the pictures are taken, and in which order.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::classes::SUPER_CLASSES;
use super::listing::File;

/// The places of the pictures that are taken, in an order drawn by `seed`, so that any part of the set has
/// pictures of every kind; `limit`: of each super-class.
///
/// A limited super-class takes as many of each of its synsets as it can: first one of each, in an order
/// drawn by the seed, then a second of each. A larger limit takes what a smaller one does, and more.
pub(super) fn places(files: &[File], limit: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places = Vec::new();
    for label in 0..SUPER_CLASSES.len() {
        let of_class: Vec<usize> = (0..files.len()).filter(|&i| files[i].label == label).collect();
        let synsets = of_class.chunk_by(|a, b| files[*a].synset == files[*b].synset);
        let mut synsets: Vec<Vec<usize>> = synsets.map(<[usize]>::to_vec).collect();
        synsets.shuffle(&mut rng);
        synsets.iter_mut().for_each(|synset| synset.shuffle(&mut rng));
        let most = synsets.iter().map(Vec::len).max().unwrap_or_default();
        let rounds =
            (0..most).flat_map(|round| synsets.iter().filter_map(move |synset| synset.get(round)));
        places.extend(rounds.take(limit));
    }
    places.shuffle(&mut rng);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// So many pictures in each of some synsets of a class.
    fn files(synsets: &[(usize, usize)]) -> Vec<File> {
        let mut files = Vec::new();
        for (number, &(label, count)) in synsets.iter().enumerate() {
            let file = |picture| File {
                synset: format!("n{number:08}"),
                name: format!("{picture}.JPEG"),
                bytes: 1,
                label,
            };
            files.extend((0..count).map(file));
        }
        files
    }

    /// How many of the places are of each synset.
    fn counts(files: &[File], places: &[usize], synsets: usize) -> Vec<usize> {
        let of = |synset: usize| {
            let name = format!("n{synset:08}");
            places.iter().filter(|&&place| files[place].synset == name).count()
        };
        (0..synsets).map(of).collect()
    }

    #[test]
    fn a_limit_is_spread_over_the_synsets_as_evenly_as_they_allow() {
        let files = files(&[(0, 10), (0, 2), (0, 10), (4, 3)]);
        let counts = |limit| counts(&files, &places(&files, limit, 1), 4);
        assert_eq!(counts(6), [2, 2, 2, 3]);
        assert_eq!(counts(12), [5, 2, 5, 3]);
        assert_eq!(counts(usize::MAX), [10, 2, 10, 3]);
        let mut odd = counts(7);
        odd[..3].sort();
        assert_eq!(odd, [2, 2, 3, 3]);
    }

    #[test]
    fn a_larger_limit_takes_what_a_smaller_one_does() {
        let files = files(&[(0, 30), (1, 30), (1, 30)]);
        let set = |limit| places(&files, limit, 7).into_iter().collect::<HashSet<_>>();
        assert!(set(5).is_subset(&set(20)));
        assert_eq!((set(5).len(), set(20).len()), (10, 40));
    }

    #[test]
    fn the_order_mixes_the_classes_and_is_the_seeds() {
        let files = files(&[(0, 50), (1, 50), (2, 50)]);
        let all = places(&files, usize::MAX, 1);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 150);
        let early: HashSet<_> = all[..15].iter().map(|&place| files[place].label).collect();
        assert_eq!(early.len(), 3);
        assert_eq!(all, places(&files, usize::MAX, 1));
        assert_ne!(all, places(&files, usize::MAX, 2));
        // Which synsets a limit below their number takes is drawn too.
        let twenty: Vec<_> = (0..20).map(|_| (0, 1)).collect();
        let files = self::files(&twenty);
        assert_ne!(places(&files, 5, 1).iter().max(), Some(&4));
    }
}
