// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorisations} from "../src/IAuthorisations.sol";
import {Granting} from "./Granting.sol";

/// @notice Does random things to authorisations and remembers what must never change afterwards.
/// Calls may be refused.
contract AuthorisationsHandler is Granting {
    uint32 public constant PARTIES = 4;
    uint64 private constant LAST = uint64(NOW + 1_000_000);

    /// Whether a rule was broken by a call that the contract took.
    bool public actedForAnother;
    bool public widenedAlone;
    bool public cameBack;
    bool public usedInVain;
    mapping(uint32 number => bool) public revoked;
    mapping(bytes4 selector => uint256) public accepted;

    function grant(uint256 by, uint32 to, uint16 bits, uint32 time) external {
        bytes memory data =
            abi.encodeCall(IAuthorisations.grant, (1 + to % PARTIES, DATA, some(bits, time)));
        succeeds(by, data);
    }

    function accept(uint256 by, uint32 which) external {
        uint32 number = one(which);
        IAuthorisations.Authorisation memory before = known(number);
        if (before.offered.purposes.length == 0) return;
        if (!succeeds(by, accepting(number))) return;
        if (org(by) != before.grantee) actedForAnother = true;
    }

    function extend(uint256 by, uint32 which, uint16 bits, uint32 time) external {
        uint32 number = one(which);
        IAuthorisations.Authorisation memory before = known(number);
        if (!succeeds(by, extending(number, some(bits, time)))) return;
        if (org(by) != before.grantor) actedForAnother = true;
        if (!isSame(before.terms, known(number).terms)) widenedAlone = true;
    }

    function narrow(uint256 by, uint32 which, uint16 bits, uint32 time) external {
        uint32 number = one(which);
        IAuthorisations.Authorisation memory before = known(number);
        if (!succeeds(by, narrowing(number, some(bits, time)))) return;
        if (org(by) != before.grantor && org(by) != before.grantee) actedForAnother = true;
        IAuthorisations.Authorisation memory later = known(number);
        for (uint256 n = 1; n <= 16; n++) {
            bool then = has(before.terms, n);
            if (has(later.terms, n) && !then) widenedAlone = true;
        }
        if (later.terms.until > before.terms.until) widenedAlone = true;
        if (later.terms.from < before.terms.from) widenedAlone = true;
    }

    function revoke(uint256 by, uint32 which, uint8 rarely) external {
        if (rarely % 4 != 0) return;
        uint32 number = one(which);
        IAuthorisations.Authorisation memory before = known(number);
        if (!succeeds(by, revoking(number))) return;
        if (org(by) != before.grantor && org(by) != before.grantee) actedForAnother = true;
        if (revoked[number]) cameBack = true;
        revoked[number] = true;
    }

    function relyOn(uint256 by, uint32 which, uint8 n) external {
        uint32 number = one(which);
        bool allowed = number != 0 && number <= authorisations.authorisationCount()
            && isAllowed(number, 1 + n % 4);
        if (!succeeds(by, relying(number, 1 + n % 4))) return;
        if (!allowed || revoked[number]) usedInVain = true;
        if (org(by) != known(number).grantee) actedForAnother = true;
    }

    function wait(uint256 time) external {
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + clamp(time, 1, 1000));
    }

    function some(uint16 bits, uint32 time) private view returns (IAuthorisations.Terms memory) {
        uint64 until = uint64(clamp(time, block.timestamp, LAST));
        return terms(uint64(NOW), until, bits % 16);
    }

    function one(uint32 which) private view returns (uint32) {
        return which % (authorisations.authorisationCount() + 2);
    }

    function known(uint32 number) private view returns (IAuthorisations.Authorisation memory got) {
        if (number == 0 || number > authorisations.authorisationCount()) return got;
        return authorisations.authorisationOf(number);
    }

    function org(uint256 by) private pure returns (uint32) {
        return uint32(1 + by % PARTIES);
    }

    function has(IAuthorisations.Terms memory made, uint256 n) private pure returns (bool) {
        for (uint256 i = 0; i < made.purposes.length; i++) {
            if (made.purposes[i] == purpose(n)) return true;
        }
        return false;
    }

    function isSame(IAuthorisations.Terms memory first, IAuthorisations.Terms memory other)
        private
        pure
        returns (bool)
    {
        return keccak256(abi.encode(first)) == keccak256(abi.encode(other));
    }

    function succeeds(uint256 by, bytes memory data) private returns (bool done) {
        done = send(admin(org(by)), address(authorisations), data);
        if (done) accepted[bytes4(data)]++;
    }
}
