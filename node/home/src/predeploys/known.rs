//! Which contracts there are.

use alloy_primitives::{address, b256, hex};

use super::{Form, Predeploy, Source};

/// Init code of the CREATE2 deployer, as its signed transaction carries it
/// (github.com/Arachnid/deterministic-deployment-proxy); that of Safe's factory is the same
/// (github.com/safe-global/safe-singleton-factory). What it returns is all after the first 14 bytes.
const CREATE2_FACTORY: &[u8] = &hex!(
    "604580600e600039806000f350fe"
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// The schema registry's address, as an argument of EAS.
const REGISTRY: &[u8] = &hex!("0000000000000000000000004200000000000000000000000000000000000020");
/// EAS and its registry are where chains of the OP Stack have them: it has no address that is the
/// same on all others.
const EAS_PACKAGE: &str = "@ethereum-attestation-service/eas-contracts";
const EAS_VERSION: &str = "1.9.0";

/// In the order in which they are constructed. Hashes of contracts at addresses by CREATE2 are
/// checked against the address in a test; those of others by the code that comes out.
pub(super) const PREDEPLOYS: &[Predeploy] = &[
    Predeploy {
        name: "create2-deployer",
        contract: "deterministic deployment proxy",
        address: address!("4e59b44847b379578588920cA78FbF26c0B4956C"),
        init_code_hash: b256!("50ea9137a35a9ad33b0ed4a431e9b6996ea9ed1f14781126cec78f168c0e64e5"),
        source: Source::Prescribed(CREATE2_FACTORY),
    },
    Predeploy {
        name: "safe-singleton-factory",
        contract: "Safe singleton factory",
        address: address!("914d7Fec6aaC8cd542e72Bca78B30650d45643d7"),
        init_code_hash: b256!("50ea9137a35a9ad33b0ed4a431e9b6996ea9ed1f14781126cec78f168c0e64e5"),
        source: Source::Prescribed(CREATE2_FACTORY),
    },
    Predeploy {
        name: "multicall3",
        contract: "Multicall3",
        address: address!("cA11bde05977b3631167028862bE2a173976CA11"),
        init_code_hash: b256!("79ef04fdc7822bcc86aae7ae15e75f277963e846f4bbb7c2c1a172bd96713a4e"),
        source: Source::Package {
            package: "@eth-optimism/contracts-bedrock",
            version: "0.17.3",
            file: "src/libraries/Preinstalls.sol",
            form: Form::Deployed("MultiCall3Code"),
            arguments: &[],
        },
    },
    Predeploy {
        name: "erc1820",
        contract: "ERC-1820 registry",
        address: address!("1820a4B7618BdE71Dce8cdc73aAB6C95905faD24"),
        init_code_hash: b256!("141438dfbe77ba1a065eadf0ec62a4c90afa1c6355bc528d0f995015db252993"),
        source: Source::Package {
            package: "@openzeppelin/test-helpers",
            version: "0.5.16",
            file: "src/data.js",
            form: Form::Carried("ERC1820_REGISTRY_DEPLOY_TX", 19, 2_533),
            arguments: &[],
        },
    },
    Predeploy {
        name: "permit2",
        contract: "Permit2",
        address: address!("000000000022D473030F116dDEE9F6B43aC78BA3"),
        init_code_hash: b256!("e2be1e05eedf35dacd66c65c862f8150ff9ab4b6b24b9bbe62be71b6b16cf0f8"),
        source: Source::Package {
            package: "hardhat-predeploy",
            version: "0.4.1",
            file: "bin/0x000000000022D473030F116dDEE9F6B43aC78BA3.bytecode",
            form: Form::Bytes,
            arguments: &[],
        },
    },
    Predeploy {
        name: "entry-point-0.7",
        contract: "EntryPoint",
        address: address!("0000000071727De22E5E9d8BAf0edAc6f37da032"),
        init_code_hash: b256!("30516d9cdbeabfaf62ea32d081a10ee3b95b92e5549cfc86353bbe85741c1404"),
        source: Source::Package {
            package: "@account-abstraction/contracts",
            version: "0.7.0",
            file: "artifacts/EntryPoint.json",
            form: Form::Json("bytecode"),
            arguments: &[],
        },
    },
    Predeploy {
        name: "eas",
        contract: "SchemaRegistry",
        address: address!("4200000000000000000000000000000000000020"),
        init_code_hash: b256!("ad8528ff7194eba7aa94e404968c90b0cf4785aa43b224ecfce3f709fe794fbd"),
        source: Source::Package {
            package: EAS_PACKAGE,
            version: EAS_VERSION,
            file: "artifacts/contracts/SchemaRegistry.sol/SchemaRegistry.json",
            form: Form::Json("bytecode"),
            arguments: &[],
        },
    },
    Predeploy {
        name: "eas",
        contract: "EAS",
        address: address!("4200000000000000000000000000000000000021"),
        init_code_hash: b256!("b2dbdeca0a4cc57dc1bb1987c1cf57b5307fb26aaba55fefec0928c654f68b4c"),
        source: Source::Package {
            package: EAS_PACKAGE,
            version: EAS_VERSION,
            file: "artifacts/contracts/EAS.sol/EAS.json",
            form: Form::Json("bytecode"),
            arguments: REGISTRY,
        },
    },
];
