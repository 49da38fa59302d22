// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {World} from "./World.sol";

/// @notice A world with the rules that networks are founded with (SPEC §13.1).
abstract contract Constitution is World {
    /// Kinds whose mistakes would hurt.
    uint256 internal constant HEAVY = (1 << 1) | (1 << 3) | (1 << 6) | (1 << 7) | (1 << 8)
        | (1 << 9) | (1 << 11) | (1 << 12) | (1 << 14) | (1 << 15) | (1 << 17);

    function foundingRules() internal pure override returns (IMotions.Rule[] memory rules) {
        rules = new IMotions.Rule[](19);
        for (uint256 kind = 1; kind <= rules.length; kind++) {
            rules[kind - 1] = (HEAVY >> kind) & 1 == 1
                ? IMotions.Rule(3, 4, 2, 3, VOTING, DELAY, WINDOW)
                : IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
        }
    }
}
