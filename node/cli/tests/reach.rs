//! What a command is told about how others are reached, by its environment.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread::{JoinHandle, spawn};

/// Answers one request as a node of chain id 7 would, and hears what was asked.
fn answering() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"}") && !heard.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            heard.extend(byte);
        }
        stream
            .write_all(b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        String::from_utf8(heard).unwrap()
    });
    (address, heard)
}

fn status(url: &str, variables: &[(&str, &str)]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
        .args(["status", "--rpc", url])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

#[test]
fn proxies_of_the_environment_are_used() {
    let (address, heard) = answering();
    let proxy = format!("http://me:secret@{address}");
    let (output, said) = status("http://node.invalid", &[("HTTP_PROXY", &proxy)]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let heard = heard.join().unwrap();
    assert!(
        heard.starts_with("POST http://node.invalid/ HTTP/1.1\r\n"),
        "{heard}"
    );

    let (address, heard) = answering();
    let url = format!("http://{address}");
    let (_, said) = status(&url, &[("HTTP_PROXY", "http://127.0.0.1:1")]);
    assert!(said.contains("status 502"), "{said}");
    let heard = heard.join().unwrap();
    assert!(
        heard.starts_with("POST / HTTP/1.1\r\n"),
        "this machine has no proxy: {heard}"
    );

    let (_, said) = status("http://node.invalid", &[("HTTP_PROXY", "socks5://a")]);
    assert!(
        said.contains("HTTP_PROXY: is a proxy of kind socks5"),
        "{said}"
    );
}

#[test]
fn the_file_that_the_environment_names_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let (address, heard) = answering();
    let url = format!("http://{address}");
    let file = dir.path().join("http.toml");
    let login = format!("[[login]]\nurl = \"{url}\"\nbearer_env = \"TBSI_TEST_TOKEN\"\n");
    std::fs::write(&file, login).unwrap();
    let file = file.to_str().unwrap();
    let (_, said) = status(&url, &[("TBSI_HTTP", file)]);
    assert!(said.contains("names TBSI_TEST_TOKEN"), "{said}");
    let variables = [("TBSI_HTTP", file), ("TBSI_TEST_TOKEN", "secret")];
    let (_, said) = status(&url, &variables);
    assert!(said.contains("status 502"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let heard = heard.join().unwrap();
    assert!(
        heard.contains("authorization: Bearer secret\r\n"),
        "{heard}"
    );
    let (output, said) = status(&url, &[("TBSI_HTTP", "absent.toml")]);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("read absent.toml"), "{said}");
}
