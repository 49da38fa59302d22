//! How long a file may be. Functions are clippy's concern (`too_many_lines`).

use crate::{File, complains, files, keep, product_lines};

/// Of one file, in lines of code.
const LINES_MAX: usize = 800;
/// Of nine files in ten.
const LINES_P90_MAX: usize = 400;

fn check(files: &[File]) -> Vec<String> {
    let mut sizes: Vec<(usize, &str)> = files
        .iter()
        .filter(|file| is_product(file))
        .map(|file| (product_lines(&file.text).count(), file.path.as_str()))
        .collect();
    sizes.sort_unstable();
    let mut complaints = Vec::new();
    for (lines, path) in &sizes {
        if *lines > LINES_MAX {
            complaints.push(format!(
                "{path}: {lines} lines of code are more than {LINES_MAX}: split it by noun"
            ));
        }
    }
    if let Some((lines, path)) = sizes.get(sizes.len() * 9 / 10)
        && *lines > LINES_P90_MAX
    {
        complaints.push(format!(
            "{path}: one file in ten has {lines} lines of code or more; {LINES_P90_MAX} are allowed"
        ));
    }
    complaints
}

fn is_product(file: &File) -> bool {
    let test = |part: &str| matches!(part, "tests" | "tests.rs" | "examples");
    file.is("rs") && !file.path.split('/').any(test)
}

#[test]
fn files_are_short() {
    keep(&check(&files()));
}

#[test]
fn a_long_file_is_found() {
    let code = |lines| "f();\n".repeat(lines);
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "    f();\n".repeat(900)
    );
    let other = "// Comment.\n\n".repeat(900);
    let long = File::example("node/a.rs", &format!("{}{tests}{other}f();\n", code(800)));
    let good = File::example("node/b.rs", &format!("{tests}{other}{}", code(400)));
    let test = File::example("node/tests/c.rs", &code(900));
    complains(&check(&[good, test]), &[]);
    complains(
        &check(&[long]),
        &[
            "node/a.rs: 801 lines of code are more than 800: split it by noun",
            "node/a.rs: one file in ten has 801 lines of code or more; 400 are allowed",
        ],
    );
}
