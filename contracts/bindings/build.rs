//! Writes the contracts' interfaces, as Solidity, from what the compiler wrote of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Contracts of a genesis file, and the constant of `tbsi_types::contracts` that is the address.
const GENESIS: [(&str, &str); 10] = [
    ("Attestations", "ATTESTATIONS"),
    ("Authorisations", "AUTHORISATIONS"),
    ("Chains", "CHAINS"),
    ("Facts", "FACTS"),
    ("Motions", "MOTIONS"),
    ("Nodes", "NODES"),
    ("Organisations", "ORGANISATIONS"),
    ("Outbox", "OUTBOX"),
    ("Permissions", "PERMISSIONS"),
    ("Upgrades", "UPGRADES"),
];

/// Contracts that are deployed by whoever wants to, most on other chains.
const BRIDGE: [&str; 4] = ["DocumentRegister", "FabricFacts", "Inbox", "LightClient"];

fn main() {
    // Relative: cargo runs this in the package's folder, and a target directory may serve several
    // checkouts.
    let artifacts = Path::new("../evm/artifacts");
    println!("cargo::rerun-if-changed={}", artifacts.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut genesis = Interfaces::default();
    let mut addressed = String::new();
    for (name, address) in GENESIS {
        let abi = abi(artifacts, name);
        genesis.add(name, &abi);
        for function in of_kind(&abi, "function") {
            let name = format!("{name}::{}Call", text(function, "name"));
            writeln!(addressed, "at!({name}, {address});").expect("a string has room");
        }
    }
    write("genesis.rs", &(genesis.macro_call() + &addressed));
    let mut bridge = Interfaces::default();
    for name in BRIDGE {
        bridge.add(name, &abi(artifacts, name));
    }
    write("bridge.rs", &bridge.macro_call());
}

fn write(name: &str, text: &str) {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    std::fs::write(out.join(name), text).expect("the output folder can be written");
}

fn abi(artifacts: &Path, name: &str) -> Vec<Value> {
    let file = artifacts.join(format!("{name}.json"));
    let artifact = std::fs::read(&file).expect("the artifact of a contract is there");
    let artifact: Value = serde_json::from_slice(&artifact).expect("an artifact is JSON");
    artifact["abi"].as_array().expect("it has an ABI").clone()
}

fn of_kind<'a>(abi: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    abi.iter().filter(move |entry| entry["type"] == kind)
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

fn list<'a>(entry: &'a Value, key: &str) -> &'a [Value] {
    entry[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Interfaces, and the structs that they share.
#[derive(Default)]
struct Interfaces {
    structs: BTreeMap<String, String>,
    interfaces: String,
}

impl Interfaces {
    fn add(&mut self, name: &str, abi: &[Value]) {
        let mut body = String::new();
        let mut line = |text: String| {
            body += "    ";
            body += &text;
            body += "\n";
        };
        for entry in abi {
            let (kind, name) = (text(entry, "type"), text(entry, "name"));
            let inputs = self.parameters(list(entry, "inputs"), kind);
            match kind {
                "constructor" => line(format!("constructor({inputs});")),
                "event" | "error" => line(format!("{kind} {name}({inputs});")),
                "function" => {
                    let outputs = self.parameters(list(entry, "outputs"), kind);
                    let mutability = match text(entry, "stateMutability") {
                        "nonpayable" => "",
                        other => other,
                    };
                    let returns = match outputs.as_str() {
                        "" => String::new(),
                        some => format!("returns ({some})"),
                    };
                    line(format!(
                        "function {name}({inputs}) external {mutability} {returns};"
                    ));
                }
                other => panic!("{name}: an ABI entry of kind {other}"),
            }
        }
        let declared = match of_kind(abi, "constructor").next() {
            Some(_) => "contract",
            None => "interface",
        };
        write!(self.interfaces, "{declared} {name} {{\n{body}}}\n").expect("a string has room");
    }

    fn parameters(&mut self, parameters: &[Value], kind: &str) -> String {
        let parameter = |entry: &Value| {
            let name = text(entry, "name");
            let (declared, plain) = self.type_of(entry);
            let place = match kind {
                "event" if entry["indexed"] == true => "indexed",
                "function" | "constructor" if !plain => "memory",
                _ => "",
            };
            format!("{declared} {place} {name}")
        };
        parameters
            .iter()
            .map(parameter)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The declared type, and whether it is a value without a place in memory.
    fn type_of(&mut self, entry: &Value) -> (String, bool) {
        let kind = text(entry, "type");
        let Some(array) = kind.strip_prefix("tuple") else {
            let plain = !kind.ends_with(']') && kind != "bytes" && kind != "string";
            return (kind.into(), plain);
        };
        let declared = text(entry, "internalType").trim_start_matches("struct ");
        let declared = declared.split('[').next().unwrap_or_default();
        let name = declared.rsplit('.').next().unwrap_or_default().to_owned();
        let fields: String = list(entry, "components")
            .iter()
            .map(|field| format!("    {} {};\n", self.type_of(field).0, text(field, "name")))
            .collect();
        let known = self.structs.entry(name.clone()).or_insert(fields.clone());
        assert_eq!(*known, fields, "two structs with the name {name}");
        (name + array, false)
    }

    fn macro_call(&self) -> String {
        let mut text = String::from("alloy_sol_types::sol! {\n#![sol(all_derives)]\n");
        for (name, fields) in &self.structs {
            write!(text, "struct {name} {{\n{fields}}}\n").expect("a string has room");
        }
        text + &self.interfaces + "}\n"
    }
}
