// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Texts} from "./Texts.sol";

/// @title Identifiers of legal entities and their check digits.
library Identifiers {
    /// Digits of a 統一編號.
    uint256 internal constant TAX_ID_LENGTH = 8;
    /// Characters of an LEI.
    uint256 internal constant LEI_LENGTH = 20;

    /// @notice Whether a text is a 統一編號 (Taiwan) by the rule in force since 1 April 2023.
    /// @dev Eight digits, weights 1 2 1 2 1 2 4 1; the digits of all products add up to a
    /// multiple of 5. If the seventh digit is 7, its product 28 counts as 10, whose digits may be
    /// added to 1 or taken as 0: either will do.
    function isTaxId(string memory text) internal pure returns (bool) {
        bytes memory digits = bytes(text);
        if (digits.length != TAX_ID_LENGTH) return false;
        bytes memory weights = hex"0102010201020401";
        uint256 sum = 0;
        for (uint256 i = 0; i < TAX_ID_LENGTH; i++) {
            if (!Texts.isDigit(digits[i])) return false;
            uint256 product = (uint8(digits[i]) - 48) * uint256(uint8(weights[i]));
            sum += product / 10 + product % 10;
        }
        return sum % 5 == 0 || (digits[6] == "7" && (sum + 1) % 5 == 0);
    }

    /// @notice Whether a text is an LEI: ISO 17442, check digits by ISO 7064 mod 97-10.
    function isLei(string memory text) internal pure returns (bool) {
        bytes memory code = bytes(text);
        if (code.length != LEI_LENGTH) return false;
        uint256 rest = 0;
        for (uint256 i = 0; i < LEI_LENGTH; i++) {
            if (Texts.isDigit(code[i])) {
                rest = (rest * 10 + uint8(code[i]) - 48) % 97;
            } else if (Texts.isUpper(code[i]) && i < LEI_LENGTH - 2) {
                rest = (rest * 100 + uint8(code[i]) - 55) % 97;
            } else {
                return false;
            }
        }
        return rest == 1;
    }

    /// @notice Two upper-case letters (ISO 3166-1 alpha-2). Whether they are assigned is not
    /// checked.
    function isJurisdiction(string memory text) internal pure returns (bool) {
        bytes memory code = bytes(text);
        return code.length == 2 && Texts.isUpper(code[0]) && Texts.isUpper(code[1]);
    }
}
