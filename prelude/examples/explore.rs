use erm::attack::Apgd;
use erm::features::Inversion;
use erm::prelude::*;
fn rel(net: &Net, set: &Dataset, im: &Images) -> Result<f64> {
    let a = judge::representations(net, &set.take(im.len())?.images)?;
    let b = judge::representations(net, im)?;
    let mut s = 0.0;
    for (a, b) in a.outer_iter().zip(b.outer_iter()) {
        let d = &b - &a;
        s += (d.dot(&d).sqrt() / a.dot(&a).sqrt()) as f64;
    }
    Ok(s / a.nrows() as f64)
}
fn main() -> Result<()> {
    let data = Data::see_far();
    let sizes = Scale::Demo.sizes(&data);
    let t = std::time::Instant::now();
    let (train, held) = data.train.split(1000, 99)?;
    let mut standard = Net::resnet(sizes.width, &data.train, 1)?;
    standard.train_once(&train, &sizes.teacher)?;
    println!("std {:?} {}", judge::accuracy(&standard, &held)?, t.elapsed().as_secs());
    for eps in [0.25, 0.5, 1.0] {
        let mut robust = Net::resnet(sizes.width, &data.train, 1)?;
        let r = Recipe {
            adversary: Some(Pgd::l2(eps).steps(7).step_size(eps / 5.0)),
            epochs: 8,
            ..sizes.robust.clone()
        };
        let log = robust.train_once(&train, &r)?;
        println!(
            "robust {eps} nat {:.3} {:?} {}",
            judge::accuracy(&robust, &held)?,
            log.robust(),
            t.elapsed().as_secs()
        );
        for e in [0.1, 0.25, 0.5] {
            let h = held.take(300)?;
            println!(
                "   at {e}: std {:.3} robust {:.3}",
                judge::robust_accuracy(&standard, &h, &Apgd::l2(e).restarts(1).steps(40))?,
                judge::robust_accuracy(&robust, &h, &Apgd::l2(e).restarts(1).steps(40))?
            );
        }
        for (steps, size) in [(0, 0.1), (60, 0.1), (60, 0.3), (200, 0.1), (200, 0.3)] {
            let inv = Inversion::from_images(3).steps(steps).step_size(size);
            let noise = Inversion::from_noise(3).steps(steps).step_size(size);
            println!(
                "  {steps} {size}: rel robust {:.3} std {:.3}; noise {:.3} {:.3} t {}",
                rel(&robust, &train, &inv.invert(&robust, &train, 100)?)?,
                rel(&standard, &train, &inv.invert(&standard, &train, 100)?)?,
                rel(&robust, &train, &noise.invert(&robust, &train, 100)?)?,
                rel(&standard, &train, &noise.invert(&standard, &train, 100)?)?,
                t.elapsed().as_secs()
            );
        }
        let part = train.take(3000)?;
        let inv = Inversion::from_images(3).steps(100).step_size(0.2);
        for (name, net) in [("D_R", &robust), ("D_NR", &standard)] {
            let built = if name == "D_R" {
                features::d_r(net, &part, &inv)?
            } else {
                features::d_nr(net, &part, &inv)?
            };
            let mut s = Net::resnet(sizes.width, &built, 2)?;
            s.train(&built, &sizes.d_r)?;
            let h = held.take(300)?;
            println!(
                "  {name}: nat {:.3} at .1 {:.3} at .25 {:.3} t {}",
                judge::accuracy(&s, &held)?,
                judge::robust_accuracy(&s, &h, &Apgd::l2(0.1).restarts(1).steps(40))?,
                judge::robust_accuracy(&s, &h, &Apgd::l2(0.25).restarts(1).steps(40))?,
                t.elapsed().as_secs()
            );
        }
    }
    Ok(())
}
