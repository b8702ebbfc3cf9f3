use erm::engine::{Isa, bench::Bench};
use std::time::Instant;
fn main() {
    let w: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let threads: usize = std::env::args().nth(2).map(|s| s.parse().unwrap()).unwrap_or(2);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let b = Bench::new(w, 128, Isa::detect()).unwrap();
    let mac = b.multiply_adds() as f64;
    for (name, work, n) in [
        ("train", Bench::training_step as fn(&Bench), 3.0),
        ("pgd", Bench::pgd_step, 2.0),
        ("fwd", Bench::forward, 1.0),
    ] {
        for _ in 0..3 {
            work(&b);
        }
        let mut t: Vec<f64> = (0..15)
            .map(|_| {
                let s = Instant::now();
                work(&b);
                s.elapsed().as_secs_f64()
            })
            .collect();
        t.sort_by(|a, b| a.total_cmp(b));
        println!(
            "{name} {:.0} img/s best {:.0} GF {:.0}",
            128.0 / t[7],
            128.0 / t[0],
            128.0 / t[7] * mac * n * 2e-9
        );
    }
}
