use std::fs;

use serde_json::json;

use crate::support::{notebook, run};

#[test]
fn tensors_of_three_cells_have_one_gradient_and_statics_go_on() {
    let gradients = "let traced = a.clone().trace(Gradients::leaky());\n\
                     let product = traced * b.clone() * c.clone();\n\
                     let g = product.sum::<Rank0, _>().backward();\n\
                     (g.get(&a).array(), g.get(&b).array(), g.get(&c).array())";
    let first = "use erm::dfdx::prelude::*;\nlet dev: Cpu = Cpu::default();\n".to_owned();
    let cells = [
        first + &a_tensor("a", "[1.0, 2.0, 3.0]"),
        a_tensor("b", "[4.0, 5.0, 6.0]"),
        a_tensor("c", "[7.0, 8.0, 9.0]"),
        gradients.to_owned(),
    ];
    let path = notebook("gradients", &cells.each_ref().map(String::as_str));
    let ran = run(&path, &[]).ok();
    // The derivative of Σ abc by one of the three is the product of the other two.
    let expected = "([28.0, 40.0, 54.0], [7.0, 16.0, 27.0], [4.0, 10.0, 18.0])";
    assert_eq!(ran.text(3), expected);
    let lines = [0, 1, 2].map(|index| ran.text(index).trim().to_owned());
    let ids = lines.clone().map(|line| line.split(' ').next().unwrap_or_default().to_owned());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    let jobs = lines.map(|line| line.split(' ').next_back().unwrap_or_default().to_owned());
    assert_eq!(jobs, ["1", "2", "3"]);
}

#[test]
fn variables_are_kept_whatever_their_types_and_from_the_first_cell_on() {
    let path = notebook(
        "types",
        &[
            // What the compiler says of the first is no name that a cell knows.
            "let image = erm::image::RgbImage::new(2, 3); let (mut count, é) = (1, [\"é\"]);\n\
             struct Own(f32); let own = vec![Some(Own(0.5))]; count += 1; count",
            "let Own(half) = own.into_iter().flatten().next().ok_or(\"none\")?;\n\
             let words: Vec<_> = é[0].chars().map(|c| c.to_string()).collect(); count += 1;",
            // An inner variable of the same name, integers whose type nothing says, and types of
            // crates that the cell does not name.
            "let delta = erm::ndarray::Array1::from(vec![half; 2]);\n\
             let times = vec![(Some(std::time::Instant::now()), std::collections::BTreeMap::from([(\"a\", 1)]))];\n\
             if count > 0 { let delta = 1u8; println!(\"{delta}\"); }",
            "println!(\"{} {count} {words:?} {} {:?}\", image.height(), delta.sum(), times[0].1);",
        ],
    );
    let ran = run(&path, &[]).ok();
    assert_eq!(ran.text(0), "2");
    assert_eq!(ran.text(3), "3 3 [\"é\"] 1 {\"a\": 1}\n");
}

#[test]
fn a_type_out_of_the_library_is_found_without_its_sources() {
    // The first cell comes before the sources have been read, if there are any.
    let first = "let start = std::time::Instant::now();";
    let path = notebook("library-type", &[first, "println!(\"{}\", start <= start);"]);
    assert_eq!(run(&path, &[]).ok().text(1), "true\n");
}

#[test]
fn a_mistake_beside_variables_is_shown_in_its_place() {
    let shown = |name: &str, cell: &str| run(&notebook(name, &[cell]), &[]).said();
    let value = shown("mistake-value", "let é = 1; let b = 2; é + b + \"x\"");
    let carets = format!("     | {}^ no implementation", " ".repeat(28));
    assert!(value.contains(&carets), "{value}");
    let borrowed =
        shown("mistake-borrowed", "let text = String::new();\nlet part = text.as_str();");
    let carets = format!("   2 | let part = text.as_str();\n         | {}^^^^\n", " ".repeat(4));
    assert!(borrowed.contains(&carets), "{borrowed}");
}

/// Makes a tensor and prints dfdx's number of it and the prelude's number of a job.
fn a_tensor(name: &str, values: &str) -> String {
    format!(
        "let {name}: Tensor<Rank1<3>, f32, Cpu> = dev.tensor({values});\n\
         let text = format!(\"{{{name}:?}}\");\n\
         let id = text.split(['(', ')']).nth(1).unwrap().to_owned();\n\
         println!(\"{{id}} {{}}\", erm::show::Progress::start(\"a\", \"b\", 1).id());"
    )
}

#[test]
fn an_expression_as_last_line_costs_one_build_and_looks_as_evcxr_shows_it() {
    let path = notebook(
        "last-line",
        &[
            HAD_A_SECOND_BUILD,
            "vec![Some(\"a\\n\"), None]",
            "for number in 0..2 { println!(\"{number}\"); }",
            "show::display(&show::html(\"<b>x</b>\"));\n\"last\"",
            "let table = Table::new([\"net\"]).row([\"teacher\"]);\ntable",
            "struct Plain;\nPlain",
        ],
    );
    let ran = run(&path, &[]);
    assert_eq!(ran.text(0), "false");
    assert_eq!(ran.text(1), r#"[Some("a\n"), None]"#);
    assert_eq!(ran.text(2), "0\n1\n", "nothing is shown of a loop itself");
    assert!(ran.text(3).ends_with("\"last\""), "{}", ran.text(3));
    let table = ran.cell(4)["outputs"][0]["data"].clone();
    assert!(table["text/html"].to_string().contains("<table>"), "{table}");
    assert!(ran.said().contains("`Plain` doesn't implement `Debug`"), "{}", ran.said());
}

#[test]
fn a_value_that_moves_a_variable_is_shown_as_any_other() {
    let make = "let table = Table::new([\"net\"]).row([\"teacher\"]); let other = table.clone();\n\
                table.title(\"one\")";
    let ran = run(
        &notebook("moved", &[make, "other.title(\"two\") // of an earlier cell", "other"]),
        &[],
    );
    for cell in 0..2 {
        let data = ran.cell(cell)["outputs"][0]["data"].clone();
        assert!(data["text/html"].to_string().contains("<table>"), "{data}");
    }
    assert!(ran.said().contains("cannot find value `other`"), "{}", ran.said());
}

#[test]
fn the_first_question_mark_of_a_session_changes_nothing_about_the_last_line() {
    let path = notebook("first-question", &["Some(show::html(\"<b>x</b>\")).ok_or(\"none\")?"]);
    let data = run(&path, &[]).ok().cell(0)["outputs"][0]["data"].clone();
    assert_eq!(data["text/html"], json!(["<b>x</b>"]), "{data}");
}

/// Says of the running cell itself whether evcxr gave up on `.evcxr_display()` and built it again.
const HAD_A_SECOND_BUILD: &str = r#"{
    let libraries = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let built = std::path::PathBuf::from(libraries.split(':').next().unwrap_or_default());
    let source = built.ancestors().nth(3).unwrap().join("cells/src/lib.rs");
    std::fs::read_to_string(source).unwrap().contains(&["evcxr_send", "_text_plain"].concat())
}"#;

#[test]
fn a_cell_may_add_crates_that_the_prelude_uses_and_others() {
    let path = notebook(
        "dependencies",
        &[
            ":dep rand = \"0.8\"\n:dep itoa = \"1\"\n\
             use rand::{Rng, SeedableRng};\n\
             let mut rng = rand::rngs::StdRng::seed_from_u64(7);\n\
             let die: u8 = rng.gen_range(1..=6);",
            "let text: String = itoa::Buffer::new().format(die).to_owned();\n\
             println!(\"{}\", (\"1\"..=\"6\").contains(&text.as_str()));\n\
             println!(\"{:?}\", erm::ndarray::arr1(&[1, 2]).sum());",
            LOCK_OF_THIS_SESSION,
        ],
    );
    let ran = run(&path, &[]).ok();
    assert_eq!(ran.text(1), "true\n3\n");
    let ours =
        packages(&fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap());
    let theirs = packages(&ran.text(2));
    assert!(theirs.len() > 50, "{theirs:?}");
    let others: Vec<_> = theirs.iter().filter(|package| !ours.contains(package)).collect();
    assert!(others.iter().all(|(name, _)| name == "ctx"), "other versions than ours: {others:?}");
}

/// Prints the versions with which the running cell was built.
const LOCK_OF_THIS_SESSION: &str = r#"{
    let libraries = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let built = std::path::PathBuf::from(libraries.split(':').next().unwrap_or_default());
    let work = built.ancestors().nth(3).unwrap();
    println!("{}", std::fs::read_to_string(work.join("Cargo.lock")).unwrap());
}"#;

/// Names and versions in a lock file.
fn packages(lock: &str) -> Vec<(String, String)> {
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    let lines: Vec<_> = lock.lines().collect();
    let pair = |two: &[&str]| Some((value(two[0], "name = ")?, value(two[1], "version = ")?));
    lines.windows(2).filter_map(pair).collect()
}
