//! The nine super-classes: ranges of ImageNet's 1000 classes, and the synsets in them. Paper: Table 2.

/// A class of Restricted ImageNet: neighbours among ImageNet's classes, which are numbered in the order
/// of their synsets' ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct SuperClass {
    pub name: &'static str,
    /// ImageNet's number of the first synset; the others follow it without a gap.
    pub first: usize,
    /// The synsets' numbers in WordNet 3.0: 2085620 for the folder `n02085620`.
    synsets: &'static [u32],
}

/// In the order of the paper's table, in which its authors number them too.
pub(super) const SUPER_CLASSES: [SuperClass; 9] = [
    SuperClass {
        name: "Dog",
        first: 151,
        synsets: &[
            2085620, 2085782, 2085936, 2086079, 2086240, 2086646, 2086910, 2087046, 2087394,
            2088094, 2088238, 2088364, 2088466, 2088632, 2089078, 2089867, 2089973, 2090379,
            2090622, 2090721, 2091032, 2091134, 2091244, 2091467, 2091635, 2091831, 2092002,
            2092339, 2093256, 2093428, 2093647, 2093754, 2093859, 2093991, 2094114, 2094258,
            2094433, 2095314, 2095570, 2095889, 2096051, 2096177, 2096294, 2096437, 2096585,
            2097047, 2097130, 2097209, 2097298, 2097474, 2097658, 2098105, 2098286, 2098413,
            2099267, 2099429, 2099601, 2099712, 2099849, 2100236, 2100583, 2100735, 2100877,
            2101006, 2101388, 2101556, 2102040, 2102177, 2102318, 2102480, 2102973, 2104029,
            2104365, 2105056, 2105162, 2105251, 2105412, 2105505, 2105641, 2105855, 2106030,
            2106166, 2106382, 2106550, 2106662, 2107142, 2107312, 2107574, 2107683, 2107908,
            2108000, 2108089, 2108422, 2108551, 2108915, 2109047, 2109525, 2109961, 2110063,
            2110185, 2110341, 2110627, 2110806, 2110958, 2111129, 2111277, 2111500, 2111889,
            2112018, 2112137, 2112350, 2112706, 2113023, 2113186, 2113624, 2113712, 2113799,
            2113978,
        ],
    },
    SuperClass { name: "Cat", first: 281, synsets: &[2123045, 2123159, 2123394, 2123597, 2124075] },
    SuperClass { name: "Frog", first: 30, synsets: &[1641577, 1644373, 1644900] },
    SuperClass {
        name: "Turtle",
        first: 33,
        synsets: &[1664065, 1665541, 1667114, 1667778, 1669191],
    },
    SuperClass {
        name: "Bird",
        first: 80,
        synsets: &[
            1795545, 1796340, 1797886, 1798484, 1806143, 1806567, 1807496, 1817953, 1818515,
            1819313, 1820546, 1824575, 1828970, 1829413, 1833805, 1843065, 1843383, 1847000,
            1855032, 1855672, 1860187,
        ],
    },
    SuperClass {
        name: "Primate",
        first: 365,
        synsets: &[
            2480495, 2480855, 2481823, 2483362, 2483708, 2484975, 2486261, 2486410, 2487347,
            2488291, 2488702, 2489166, 2490219, 2492035, 2492660, 2493509, 2493793, 2494079,
        ],
    },
    SuperClass {
        name: "Fish",
        first: 389,
        synsets: &[2514041, 2526121, 2536864, 2606052, 2607072, 2640242, 2641379, 2643566, 2655020],
    },
    SuperClass { name: "Crab", first: 118, synsets: &[1978287, 1978455, 1980166, 1981276] },
    SuperClass {
        name: "Insect",
        first: 300,
        synsets: &[
            2165105, 2165456, 2167151, 2168699, 2169497, 2172182, 2174001, 2177972, 2190166,
            2206856, 2219486, 2226429, 2229544, 2231487, 2233338, 2236044, 2256656, 2259212,
            2264363, 2268443,
        ],
    },
];

impl SuperClass {
    /// ImageNet's number of the last synset.
    pub fn last(&self) -> usize {
        self.first + self.synsets.len() - 1
    }

    /// The names of the synsets' folders, such as `n02085620`, in order.
    pub fn folders(&self) -> impl Iterator<Item = String> {
        self.synsets.iter().map(|number| format!("n{number:08}"))
    }
}

/// The label of the synset whose folder has this name, if it belongs to one of the nine.
pub(super) fn label_of(folder: &str) -> Option<usize> {
    let number = folder.strip_prefix('n').filter(|digits| digits.len() == 8)?.parse().ok()?;
    SUPER_CLASSES.iter().position(|class| class.synsets.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_those_of_the_papers_table() {
        let ranges = SUPER_CLASSES.map(|class| (class.name, class.first, class.last()));
        let table = [
            ("Dog", 151, 268),
            ("Cat", 281, 285),
            ("Frog", 30, 32),
            ("Turtle", 33, 37),
            ("Bird", 80, 100),
            ("Primate", 365, 382),
            ("Fish", 389, 397),
            ("Crab", 118, 121),
            ("Insect", 300, 319),
        ];
        assert_eq!(ranges, table);
    }

    /// A place among sorted ids rises with the id, across the gaps between the ranges too.
    #[test]
    fn ids_rise_with_the_place() {
        let mut classes = SUPER_CLASSES;
        classes.sort_by_key(|class| class.first);
        let ids: Vec<_> = classes.iter().flat_map(|class| class.folders()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.len() == 9));
    }

    /// Chihuahua, tabby, bullfrog, loggerhead, black grouse, orangutan, barracouta, Dungeness crab and
    /// tiger beetle are ImageNet's classes 151, 281, 30, 33, 80, 365, 389, 118 and 300; Mexican
    /// hairless, Egyptian cat and so on are 268, 285 …
    #[test]
    fn each_range_begins_and_ends_with_the_synset_that_imagenet_numbers_so() {
        let known = [
            ["n02085620", "n02113978"],
            ["n02123045", "n02124075"],
            ["n01641577", "n01644900"],
            ["n01664065", "n01669191"],
            ["n01795545", "n01860187"],
            ["n02480495", "n02494079"],
            ["n02514041", "n02655020"],
            ["n01978287", "n01981276"],
            ["n02165105", "n02268443"],
        ];
        for (label, (class, [first, last])) in SUPER_CLASSES.iter().zip(known).enumerate() {
            assert_eq!(class.folders().next().as_deref(), Some(first));
            assert_eq!(class.folders().last().as_deref(), Some(last));
            assert_eq!([first, last].map(label_of), [Some(label); 2]);
        }
        for other in ["n01440764", "2085620", "n2085620", "dogs", "n0208562x", ""] {
            assert_eq!(label_of(other), None, "{other}");
        }
    }
}
