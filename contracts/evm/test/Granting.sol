// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorisations} from "../src/IAuthorisations.sol";
import {World} from "./World.sol";

/// @notice What tests do with authorisations: organisation 2 gives, organisation 3 takes.
abstract contract Granting is World {
    bytes32 internal constant DATA = keccak256("a register");
    bytes32 internal constant AGREEMENT = keccak256("an agreement");
    bytes32 internal constant SUBJECT = keccak256("a query");

    /// The `n`-th purpose; a higher one is a higher digest.
    function purpose(uint256 n) internal pure returns (bytes32) {
        return bytes32(n << 128 | uint128(uint256(keccak256(abi.encode("purpose", n)))));
    }

    /// Purposes whose bits are set, from bit 0 for the first.
    function terms(uint64 from, uint64 until, uint256 bits)
        internal
        pure
        returns (IAuthorisations.Terms memory made)
    {
        (made.agreement, made.from, made.until) = (AGREEMENT, from, until);
        uint256 count = 0;
        for (uint256 n = 0; n < 16; n++) {
            count += (bits >> n) & 1;
        }
        made.purposes = new bytes32[](count);
        for (uint256 n = 16; n > 0; n--) {
            if ((bits >> (n - 1)) & 1 == 1) made.purposes[--count] = purpose(n);
        }
    }

    /// From now for a year, purposes 1 to 3.
    function usual() internal pure returns (IAuthorisations.Terms memory) {
        return terms(uint64(NOW), uint64(NOW + 365 days), 7);
    }

    function granting(IAuthorisations.Terms memory made) internal pure returns (bytes memory) {
        return abi.encodeCall(IAuthorisations.grant, (3, DATA, made));
    }

    function extending(uint32 number, IAuthorisations.Terms memory made)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IAuthorisations.extend, (number, made));
    }

    function narrowing(uint32 number, IAuthorisations.Terms memory made)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IAuthorisations.narrow, (number, made));
    }

    function accepting(uint32 number) internal view returns (bytes memory) {
        return abi.encodeCall(IAuthorisations.accept, (number, authorisations.offerHash(number)));
    }

    function revoking(uint32 number) internal pure returns (bytes memory) {
        return abi.encodeCall(IAuthorisations.revoke, (number, 3));
    }

    function relying(uint32 number, uint256 which) internal pure returns (bytes memory) {
        return abi.encodeCall(IAuthorisations.relyOn, (number, purpose(which), SUBJECT));
    }

    function takes(address sender, bytes memory data) internal {
        (bool done, bytes memory got) = answer(sender, address(authorisations), data);
        if (!done) vm.assertEq(got, "");
        vm.assertTrue(done, "the call is refused");
    }

    function refused(address sender, bytes memory data, bytes memory reason) internal {
        refuses(sender, address(authorisations), data, reason);
    }

    /// Organisation 2 has authorised organisation 3.
    function given(IAuthorisations.Terms memory made) internal returns (uint32 number) {
        takes(admin(2), granting(made));
        number = authorisations.authorisationCount();
        takes(admin(3), accepting(number));
    }

    function isAllowed(uint32 number, uint256 which) internal view returns (bool) {
        return authorisations.isAuthorised(number, purpose(which));
    }
}
