//! How the demo recipes were found: teachers, built sets and students, judged on held-out training
//! images alone. Each run leaves a record; the test set is never read.
//!
//! ```text
//! recipe_search WIDTH EPOCHS RATE IMAGES STEPS STEP_SIZE EPSILON STUDENT…
//! ```
//! A STUDENT is `set:width:epochs:rate:decay:augment`, such as `d_det:16:15:0.1:5e-4:none`.

use erm::prelude::*;

/// Images of the training set that neither teacher nor student sees.
const HELD_OUT: usize = 5000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [width, epochs, rate, images, steps, step_size, epsilon, students @ ..] = &arguments[..]
    else {
        return Err(Error::invalid(
            "seven numbers and students",
            "fewer",
            "See the top of the file.",
        ));
    };
    let (train, held_out) = Data::cifar10()?.train.split(HELD_OUT, 0)?;
    let mut teacher = Net::resnet(number(width), &train, 1)?;
    let mut recipe = Recipe::standard(Scale::Demo).epochs(number(epochs));
    (recipe.learning_rate, recipe.validation) = (number(rate), 0);
    let folder = std::path::PathBuf::from(std::env::var("ERM_CACHE").unwrap_or_default());
    let file = folder.join(format!("teacher-{width}-{epochs}-{rate}.safetensors"));
    if teacher.load(&file).is_err() {
        let log = teacher.train(&train, &recipe)?;
        teacher.save(&file)?;
        println!("teacher {width} {epochs} {rate}: {:.0} s", log.seconds());
    }
    println!("teacher on held-out images: {:.2} %", 100.0 * judge::accuracy(&teacher, &held_out)?);
    let attack = Pgd::l2(number(epsilon)).steps(number(steps)).step_size(number(step_size));
    let part = train.take(number(images))?;
    for student in students {
        run(&teacher, &part, &held_out, &attack, student)?;
    }
    Ok(())
}

fn run(
    teacher: &Net,
    part: &Dataset,
    held_out: &Dataset,
    attack: &Pgd,
    student: &str,
) -> Result<()> {
    let fields: Vec<&str> = student.split(':').collect();
    let [set, width, epochs, rate, decay, augment] = fields[..] else {
        return Err(Error::invalid("set:width:epochs:rate:decay:augment", student, "Correct it."));
    };
    let built = match set {
        "d_det" => features::d_det(teacher, part, attack)?,
        "d_rand" => features::d_rand(teacher, part, attack, 7)?,
        _ => features::d_other(teacher, part, attack, 7)?,
    };
    let reached = judge::accuracy(teacher, &built)?;
    let mut recipe = Recipe::d_det(Scale::Demo).epochs(number(epochs)).seed(3);
    (recipe.learning_rate, recipe.weight_decay) = (number(rate), number(decay));
    recipe.validation = 0;
    if augment == "crop" {
        recipe.augment = Augment::crop_and_flip();
    }
    if augment == "step" {
        recipe.schedule =
            Schedule::Step { every: number::<usize>(epochs).div_ceil(2), factor: 0.1 };
    }
    let mut net = Net::resnet(number(width), part, 2)?;
    let log = net.train(&built, &recipe)?;
    let next = held_out.relabelled(features::d_det_targets(held_out)?, "held out, y + 1")?;
    let (truth, next) = (judge::accuracy(&net, held_out)?, judge::accuracy(&net, &next)?);
    println!(
        "{student} from {} images, {attack}: reached {:.1} %, true {:.2} %, y + 1 {:.2} %, {:.0} s",
        part.len(),
        100.0 * reached,
        100.0 * truth,
        100.0 * next,
        log.seconds(),
    );
    log.record("recipe search")
        .with("student", student)
        .with("attack", attack.to_string())
        .with("images", part.len())
        .value("attack reached its target", reached)
        .value("held-out accuracy, true labels", truth)
        .value("held-out accuracy, labels y + 1", next)
        .save()?;
    Ok(())
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("a number instead of {text}"))
}
