// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FabricFacts} from "../../src/fabric/FabricFacts.sol";
import {IFabricFacts} from "../../src/fabric/IFabricFacts.sol";
import {Endorsements} from "../../src/fabric/Endorsements.sol";
import {IMotions} from "../../src/IMotions.sol";
import {World} from "../World.sol";

/// @notice A chain with the contract, and what peers of a real network stated (two organisations,
/// Fabric 3.1.5; `tests/vectors/fabric`).
abstract contract FabricWorld is World {
    string internal constant VECTOR = "../../tests/vectors/fabric/raft.json";
    /// When it was recorded, about.
    uint256 internal constant RECORDED = 1_796_100_000;
    bytes32 internal constant NONCE =
        0x7777777777777777777777777777777777777777777777777777777777777777;
    bytes32 internal constant MESSAGE =
        0xe6bbe85955e12cf6e34289dcaf50ba51bea0bb0822b027ea336513fffdbf9544;
    bytes32 internal constant TBSI =
        0x9d69fd1c92111117588c69f0a3838c99e81c5416b546c39fb744ce14321a2f16;

    FabricFacts internal fabric;
    string internal vector;

    function setUp() public virtual {
        vector = vm.readFile(VECTOR);
        found(5);
        vm.warp(RECORDED);
        fabric = new FabricFacts();
        decide(IMotions.Kind.SetAccount, abi.encode(uint32(1), address(fabric), uint32(4)));
        register(described(2), 0);
        asked("Org2MSP", 1);
    }

    // What was recorded

    function root(uint256 organisation) internal view returns (bytes memory) {
        string memory key =
            string.concat(".organisations[", vm.toString(organisation), "].rootCertificate");
        return Endorsements.der(bytes(vm.parseJsonString(vector, key)));
    }

    function response() internal view returns (bytes memory) {
        return vm.parseJsonBytes(vector, ".stated[0].payload");
    }

    function endorsement(uint256 organisation)
        internal
        view
        returns (IFabricFacts.Endorsement memory)
    {
        string memory place =
            string.concat(".stated[0].endorsements[", vm.toString(organisation), "].");
        return IFabricFacts.Endorsement(
            vm.parseJsonBytes(vector, string.concat(place, "endorser")),
            vm.parseJsonBytes(vector, string.concat(place, "signature"))
        );
    }

    function both() internal view returns (IFabricFacts.Endorsement[] memory all) {
        all = new IFabricFacts.Endorsement[](2);
        (all[0], all[1]) = (endorsement(0), endorsement(1));
    }

    // What is registered and asked for

    function described(uint8 needed)
        internal
        view
        returns (IFabricFacts.Description memory description)
    {
        description.channel = "channel-1";
        description.chaincode = "tbsi";
        description.genesisHash = TBSI;
        (description.needed, description.freshness) = (needed, 1 hours);
        description.organisations = new IFabricFacts.Organisation[](2);
        for (uint256 i = 0; i < 2; i++) {
            IFabricFacts.Organisation memory it = description.organisations[i];
            it.mspId = i == 0 ? "Org1MSP" : "Org2MSP";
            it.authorities = new bytes[](1);
            it.authorities[0] = root(i);
        }
    }

    function resolved(IFabricFacts.Description memory description) internal returns (uint32) {
        bytes32 hash = sha256(abi.encode(description));
        return decide(IMotions.Kind.Resolve, abi.encode(hash));
    }

    function register(IFabricFacts.Description memory description, uint32 replaces)
        internal
        returns (uint32)
    {
        return fabric.register(description, resolved(description), replaces);
    }

    /// Asks for an entry, and puts the request under the nonce that was recorded: who asks cannot
    /// choose one.
    function asked(string memory mspId, uint64 sequence) internal {
        bytes32 nonce = fabric.request(fabric.channelCount(), mspId, sequence);
        uint256 slot = 0;
        while (vm.load(address(fabric), keccak256(abi.encode(nonce, slot))) == 0) {
            assert(++slot < 16);
        }
        uint256 from = uint256(keccak256(abi.encode(nonce, slot)));
        uint256 to = uint256(keccak256(abi.encode(NONCE, slot)));
        for (uint256 i = 0; i < 3; i++) {
            vm.store(address(fabric), bytes32(to + i), vm.load(address(fabric), bytes32(from + i)));
        }
    }

    function refused(
        bytes memory stated,
        IFabricFacts.Endorsement[] memory endorsements,
        bytes memory reason
    ) internal {
        vm.expectRevert(reason);
        fabric.importEntry(NONCE, stated, endorsements);
    }
}
