use std::process::Output;

use crate::support::erm;

fn bench(arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = erm().arg("bench").args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), said)
}

#[test]
fn the_bench_is_a_verb_that_measures_and_says_what_is_missing() {
    let quick = ["--", "--widths", "4", "--rounds", "1", "--seconds", "0.01"];
    let (is_fine, said) = bench(&[&quick[..], &["--python", "no-such-python"]].concat());
    assert!(is_fine, "{said}");
    for part in ["training step", "PGD step", "forward", "images/s", "the peer is missing"] {
        assert!(said.contains(part), "{part} in: {said}");
    }
    let (is_fine, said) = bench(&["--", "--width", "4"]);
    assert!(!is_fine && said.contains("an option of the bench"), "{said}");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_bench_on_a_gpu_wants_a_program_that_was_built_for_it() {
    let (is_fine, said) = bench(&["--device", "cuda"]);
    assert!(!is_fine, "{said}");
    let expected = ["--device asks for a GPU", "--features cuda", "--device=cpu"];
    expected.iter().for_each(|part| assert!(said.contains(part), "{said}"));
}
