//! Files that are refused.

use super::peer::{Authority, Dir};
use super::*;

fn prepared() -> Dir {
    let (authority, dir) = (Authority::new(), Dir::new());
    let own = authority.issue("a", true);
    dir.write("token", "secret");
    dir.write("empty", "\n");
    dir.write("two", "secret\nsecret");
    dir.write("long", &"s".repeat(5_000));
    dir.write("own.pem", &own.certificate);
    dir.write("own.key", &own.key);
    let open = dir.write("open", "secret");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&open, mode).unwrap();
    dir
}

fn all_refused(dir: &Dir, files: &[(&str, &str)]) {
    for (text, words) in files {
        let refusal = dir.refusal(text);
        assert!(refusal.contains(words), "{text}: {refusal}");
        assert!(!refusal.contains("secret@"), "{refusal}");
        assert!(!refusal.contains("\"secret\""), "{refusal}");
    }
}

fn login_at(url: &str) -> String {
    format!("[[login]]\nurl = \"{url}\"\nbearer_file = \"token\"")
}

#[test]
fn what_is_wrong_with_the_file_is_named() {
    let files = [
        ("x", "http.toml, line 1: "),
        ("\n\nbearer = \"secret\"", "line 3: unknown field `bearer`"),
        ("connect_s = 0", "`connect_s` is 0; 1 to 600"),
        ("answer_s = 601", "`answer_s` is 601; 1 to 600"),
        (
            "proxy = \"socks5://a\"",
            "`proxy` is a proxy of kind socks5",
        ),
        ("proxy = \"http://u:secret@a\"", "use `proxy_login`"),
        ("no_proxy = [\"a\"]", "`no_proxy` stands without `proxy`"),
        ("[proxy_login]\nuser = \"a\"", "stands without `proxy`"),
        (
            "proxy = \"a:1\"\n[proxy_login]\nuser = \"a\"",
            "`proxy_login.password_file` is absent",
        ),
        (
            "proxy = \"a:1\"\nno_proxy = [\"a,b\"]",
            "each host on its own",
        ),
        ("roots = [\"absent\"]", "`roots[0]` cannot be read"),
        ("roots = [\"token\"]", "`roots[0]` is"),
        ("system_roots = false", "nobody would be trusted"),
    ];
    all_refused(&prepared(), &files);
}

#[test]
fn what_is_wrong_with_a_login_is_named_without_its_secrets() {
    let (dir, at) = (prepared(), login_at);
    let of = |rest: &str| format!("[[login]]\nurl = \"https://a\"\n{rest}");
    let files: &[(&str, &str)] = &[
        (&of(""), "`login[0].url` is shown nothing"),
        (
            &of("bearer_file = \"absent\""),
            "`login[0].bearer_file` cannot be read",
        ),
        (&of("bearer_file = \"empty\""), "leads to no secret"),
        (&of("bearer_file = \"two\""), "leads to no secret"),
        (&of("bearer_file = \"long\""), "more than the 4098 bytes"),
        (
            &of("bearer_file = \"open\""),
            "which others may read (mode 0644)",
        ),
        (
            &of("bearer_file = \"token\"\nbearer_env = \"A\""),
            "`login[0].bearer_file` stands beside",
        ),
        (
            &of("bearer_env = \"TBSI_NOT_SET\""),
            "names TBSI_NOT_SET, which the environment does not have",
        ),
        (
            &of("bearer_file = \"token\"\nuser = \"a\""),
            "`login[0].user` stands beside a bearer token",
        ),
        (&of("user = \"a\""), "`login[0].password_file` is absent"),
        (
            &of("password_file = \"token\""),
            "`login[0].user` is absent",
        ),
        (
            &of("user = \"a:b\"\npassword_file = \"token\""),
            "`login[0].user` is no name",
        ),
        (&of("certificate = \"own.pem\""), "`login[0].key` is absent"),
        (&of("key = \"own.key\""), "`login[0].certificate` is absent"),
        (
            &of("certificate = \"own.key\"\nkey = \"own.key\""),
            "which has no certificate in PEM",
        ),
        (
            &of("certificate = \"own.pem\"\nkey = \"own.pem\""),
            "which has no private key in PEM",
        ),
        (&at("https://a/path"), "`login[0].url` is not like"),
        (&at("https://u:secret@a"), "`login[0].url` is not like"),
        (&at("ws://a"), "`login[0].url` is not like"),
        (&at("http://a"), "use https://"),
        (
            &[at("https://a"), at("https://a:443")].join("\n"),
            "`login[1].url` has https://a twice",
        ),
    ];
    all_refused(&dir, files);
    let many: String = (0..65)
        .map(|number| at(&format!("https://a{number}")) + "\n")
        .collect();
    let refusal = dir.refusal(&many);
    assert!(refusal.contains("`login` has 65 entries; 64"), "{refusal}");
    let absent = Http::open(&dir.path().join("absent")).unwrap_err();
    assert!(absent.to_string().starts_with("read "), "{absent}");
}

#[test]
fn a_home_may_have_none() {
    let dir = Dir::new();
    assert!(Http::of_home(dir.path()).unwrap().is_none());
    dir.write("http.toml", "answer_s = 7");
    let http = Http::of_home(dir.path()).unwrap().unwrap();
    assert_eq!(http.0.answer, Duration::from_secs(7));
    // This machine may be shown something without TLS.
    dir.write("token", "t");
    for host in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
        dir.http(&format!(
            "[[login]]\nurl = \"{host}\"\nbearer_file = \"token\""
        ));
    }
}
