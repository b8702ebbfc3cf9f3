//! Other light and other colours. Images hold their channels red, green, blue, one behind the other.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The eigenvectors of the colours of ImageNet's pixels, as columns, and their eigenvalues, in units of [0, 1]
/// (Krizhevsky et al., 2012; the numbers are those of the authors' library).
const VECTORS: [[f32; 3]; 3] =
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]];
const VALUES: [f32; 3] = [0.2175, 0.0188, 0.0045];

/// The standard deviation of what each eigenvalue is multiplied by.
pub(super) const LIGHTING: f32 = 0.05;

/// Changes brightness, contrast and saturation, in an order of its own for each image, by factors from
/// `1 − strength` to `1 + strength`.
pub(super) fn jitter(image: &mut [f32], strength: f32, rng: &mut ChaCha8Rng) {
    let mut changes: [fn(&mut [f32], f32); 3] = [brighten, contrast, saturate];
    changes.shuffle(rng);
    for change in changes {
        change(image, rng.gen_range(1.0 - strength..=1.0 + strength));
    }
}

/// Adds one colour to the whole image, drawn along the directions in which ImageNet's colours vary.
///
/// What leaves [0, 1] is clamped, which the authors' library does not: an image stays an image.
pub(super) fn light(image: &mut [f32], rng: &mut ChaCha8Rng) {
    let along: [f32; 3] =
        VALUES.map(|value| value * LIGHTING * rng.sample::<f32, _>(StandardNormal));
    add(image, VECTORS.map(|row| row.iter().zip(along).map(|(v, a)| v * a).sum()));
}

fn add(image: &mut [f32], colour: [f32; 3]) {
    let plane = image.len() / 3;
    for (channel, added) in image.chunks_mut(plane).zip(colour) {
        channel.iter_mut().for_each(|value| *value = (*value + added).clamp(0.0, 1.0));
    }
}

/// Away from black for a factor above 1.
fn brighten(image: &mut [f32], factor: f32) {
    image.iter_mut().for_each(|value| *value = (factor * *value).clamp(0.0, 1.0));
}

/// Away from the image's mean grey for a factor above 1.
fn contrast(image: &mut [f32], factor: f32) {
    let plane = image.len() / 3;
    let total: f64 = (0..plane).map(|place| f64::from(grey(image, place))).sum();
    let mean = (total / plane as f64) as f32;
    image.iter_mut().for_each(|value| *value = blend(*value, mean, factor));
}

/// Away from each pixel's grey for a factor above 1.
fn saturate(image: &mut [f32], factor: f32) {
    let plane = image.len() / 3;
    for place in 0..plane {
        let grey = grey(image, place);
        for value in image[place..].iter_mut().step_by(plane) {
            *value = blend(*value, grey, factor);
        }
    }
}

/// How light a pixel looks.
fn grey(image: &[f32], place: usize) -> f32 {
    let plane = image.len() / 3;
    0.2989 * image[place] + 0.587 * image[place + plane] + 0.114 * image[place + 2 * plane]
}

fn blend(value: f32, toward: f32, factor: f32) -> f32 {
    (factor * value + (1.0 - factor) * toward).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::uneven;
    use super::*;
    use rand::SeedableRng;

    /// A few roundings of numbers below 2, and the sixth digit of the literals.
    const ROUNDING: f32 = 1.5e-6;

    /// ```python
    /// import torch
    /// from torchvision.transforms import functional as f
    /// def picture(w, h):
    ///     y, x, c = torch.meshgrid(torch.arange(h), torch.arange(w), torch.arange(3), indexing="ij")
    ///     return ((x * 7 + y * 13 + c * 50 + x * y % 31 * 3) % 256).permute(2, 0, 1) / 255
    /// at = [(0, 1, 2), (1, 9, 11), (2, 4, 7), (0, 8, 3)]
    /// for g in [f.adjust_brightness, f.adjust_contrast, f.adjust_saturation]:
    ///     for k in [0.75, 1.25]:
    ///         print([round(g(picture(12, 10), k)[a].item(), 6) for a in at])
    /// ```
    #[test]
    fn each_change_is_torchvisions() {
        type Change = fn(&mut [f32], f32);
        let rows: [(Change, f32, [f32; 4]); 6] = [
            (brighten, 0.75, [0.097059, 0.017647, 0.085294, 0.579412]),
            (brighten, 1.25, [0.161765, 0.029412, 0.142157, 0.965686]),
            (contrast, 0.75, [0.236203, 0.156791, 0.224438, 0.718556]),
            (contrast, 1.25, [0.022621, 0.0, 0.003013, 0.826542]),
            (saturate, 0.75, [0.16936, 0.089483, 0.277988, 0.783869]),
            (saturate, 1.25, [0.089464, 0.0, 0.0, 0.761229]),
        ];
        for (index, (change, factor, expected)) in rows.into_iter().enumerate() {
            let mut image = uneven([3, 10, 12]);
            change(&mut image, factor);
            let at = [(0, 1, 2), (1, 9, 11), (2, 4, 7), (0, 8, 3)];
            let found = at.map(|(c, y, x)| image[(c * 10 + y) * 12 + x]);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < ROUNDING, "{index}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_jitter_stays_within_its_strength() {
        let still = uneven([3, 6, 5]);
        let jittered = |seed| {
            let mut image = still.clone();
            jitter(&mut image, 0.25, &mut ChaCha8Rng::seed_from_u64(seed));
            image
        };
        assert_eq!(jittered(1), jittered(1));
        for seed in 0..50 {
            let image = jittered(seed);
            assert!(image != still && image.iter().all(|v| (0.0..=1.0).contains(v)));
        }
        // A grey image has neither contrast nor saturation: what is left is its brightness. The weights of
        // a grey sum to 0.9999, which may move it by a quarter of a ten-thousandth.
        let levels = (0..200).map(|seed| {
            let mut grey = vec![0.5; 3 * 4];
            jitter(&mut grey, 0.25, &mut ChaCha8Rng::seed_from_u64(seed));
            assert!(grey.iter().all(|v| (v - grey[0]).abs() < 1e-6));
            grey[0]
        });
        let (low, high) = levels.fold((1.0_f32, 0.0_f32), |(l, h), v| (l.min(v), h.max(v)));
        assert!((0.3749..0.39).contains(&low) && (0.61..0.6251).contains(&high), "{low} {high}");
    }

    /// Stronger contrast leaves black black and cuts white off at 1, too near the greys. Less brightness
    /// behind it takes white below 1; less brightness before it leaves white room, and nothing is cut off.
    #[test]
    fn the_parts_of_a_jitter_come_in_any_order() {
        let contrast_first = (0..200).filter(|&seed| {
            let mut image = [1.0, 0.6, 0.5, 0.0].repeat(3);
            jitter(&mut image, 0.25, &mut ChaCha8Rng::seed_from_u64(seed));
            let [white, light, middle, black] = [0, 1, 2, 3].map(|pixel| image[pixel]);
            black == 0.0 && white < 0.999 && white - light < 4.0 * (light - middle) - 1e-3
        });
        // Contrast comes before brightness in half of the orders, is stronger in half of those, and
        // brightness less in half of these: 25 of 200, give or take 5.
        assert!((10..40).contains(&contrast_first.count()));
    }

    /// The three numbers drawn are Gaussian and independent, so the variance of a channel is
    /// 0.05² Σ (vector · value)².
    #[test]
    fn light_moves_each_channel_as_much_as_the_colours_of_imagenet_vary() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let moved: Vec<[f32; 3]> = (0..20_000)
            .map(|_| {
                let mut image = vec![0.5; 6];
                light(&mut image, &mut rng);
                assert!(image.chunks(2).all(|channel| channel[0] == channel[1]));
                [image[0] - 0.5, image[2] - 0.5, image[4] - 0.5]
            })
            .collect();
        for channel in 0..3 {
            let variance = moved.iter().map(|m| m[channel].powi(2)).sum::<f32>() / 20_000.0;
            let along = |k: usize| (VECTORS[channel][k] * VALUES[k] * LIGHTING).powi(2);
            let expected: f32 = (0..3).map(along).sum();
            // A variance of n draws is known to √(2/n), one percent: five of those.
            assert!((variance / expected - 1.0).abs() < 0.05, "{channel}: {variance} {expected}");
        }
        let mut bright = vec![1.0; 3];
        add(&mut bright, [0.1, -0.1, 0.0]);
        assert_eq!(bright, [1.0, 0.9, 1.0]);
    }
}
