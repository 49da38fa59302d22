//! Writes the seeds of every target into `DIR/TARGET/`, and prints the targets' names.
//!
//! usage: fuzz-seeds DIR

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use tbsi_fuzz::TARGETS;

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: fuzz-seeds DIR");
        return ExitCode::from(2);
    };
    for target in TARGETS {
        let dir = dir.join(target.name);
        let written = fs::create_dir_all(&dir).and_then(|()| {
            let mut seeds = target.seeds().into_iter().enumerate();
            seeds.try_for_each(|(number, seed)| fs::write(dir.join(format!("seed-{number}")), seed))
        });
        if let Err(error) = written {
            eprintln!(
                "write the seeds of {} to {}: {error}",
                target.name,
                dir.display()
            );
            return ExitCode::FAILURE;
        }
        println!("{}", target.name);
    }
    ExitCode::SUCCESS
}
