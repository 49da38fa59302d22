use super::*;

#[test]
fn a_schema_of_files_is_asked_for() {
    let id = B256::repeat_byte(1);
    let check = |commits_to, salted, words: &str| {
        let outcome = check_commits_to(commits_to, salted, id);
        let said = outcome.err().map(|error| error.to_string());
        match said {
            Some(said) => assert!(!words.is_empty() && said.contains(words), "{said}"),
            None => assert_eq!(words, "", "kind {commits_to}, salt {salted}"),
        }
    };
    check(1, false, "");
    check(2, true, "");
    check(1, true, "leave --salt out");
    check(2, false, "add --salt");
    for other in [3, 4, 5, 255] {
        check(other, false, "not of files");
        check(other, true, "not of files");
    }
}
