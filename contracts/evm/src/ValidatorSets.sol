// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The validator set and the rules that no change of it may break.
/// @dev A change is: take the `Shape` before, change, `requireRules`. The founding alone is
/// exempt; a set that it left outside the rules may only come closer to them.
library ValidatorSets {
    /// Fewest validators that tolerate one fault.
    uint256 internal constant VALIDATORS_MIN = 4;
    uint256 internal constant VALIDATORS_MAX = 128;
    /// Total voting power is below 2^63.
    uint256 internal constant POWER_MAX = (1 << 63) - 1;

    /// One word of storage.
    struct Member {
        address validator;
        uint64 power;
        uint32 node;
    }

    /// Members by address, ascending, and the organisations of their nodes.
    struct Set {
        Member[] members;
        mapping(uint32 node => uint32) organisations;
    }

    /// What the rules look at: `power` is that of the strongest organisation.
    struct Shape {
        uint256 count;
        uint256 total;
        uint256 power;
        uint32 organisation;
    }

    /// Power by organisation, in memory.
    struct Tally {
        uint256 count;
        uint256 total;
        uint256 length;
        uint32[] organisations;
        uint256[] powers;
    }

    /// Rules, in the order in which they are checked.
    enum Rule {
        None,
        TooFew,
        TooMany,
        Power,
        Share
    }

    /// @notice The set would have fewer than `min` validators, and fewer than before.
    error SetTooSmall(uint256 min, uint256 got);
    /// @notice The set would have more than `max` validators.
    error SetTooLarge(uint256 max, uint256 got);
    /// @notice The total voting power would be above `max`.
    error SetPowerTooHigh(uint256 max, uint256 got);
    /// @notice One organisation would have more than a third of the voting power, and more than
    /// the strongest one has now.
    error SetShareTooHigh(uint32 organisation, uint256 power, uint256 total);
    /// @notice Two members with one key: excluded by the caller's checks.
    error SetDuplicateKey(address validator);

    /// @notice Adds a member whose node is not in the set.
    function insert(Set storage set, Member memory member, uint32 organisation) internal {
        set.organisations[member.node] = organisation;
        Member[] storage members = set.members;
        members.push(member);
        uint256 i = members.length - 1;
        for (; i > 0; i--) {
            Member memory before = members[i - 1];
            if (before.validator == member.validator) revert SetDuplicateKey(member.validator);
            if (before.validator < member.validator) break;
            members[i] = before;
        }
        members[i] = member;
    }

    /// @notice Takes the member of a node out.
    function remove(Set storage set, uint32 node) internal {
        Member[] storage members = set.members;
        uint256 last = members.length - 1;
        uint256 i = 0;
        while (members[i].node != node) i++;
        for (; i < last; i++) {
            members[i] = members[i + 1];
        }
        members.pop();
        delete set.organisations[node];
    }

    /// @notice Power by organisation.
    function tally(Set storage set) internal view returns (Tally memory all) {
        Member[] memory members = set.members;
        all.organisations = new uint32[](members.length);
        all.powers = new uint256[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            add(all, set.organisations[members[i].node], members[i].power);
        }
    }

    /// @notice Counts a member in. Its organisation is new only while the table is built.
    function add(Tally memory all, uint32 organisation, uint256 power) internal pure {
        uint256 i = 0;
        while (i < all.length && all.organisations[i] != organisation) i++;
        if (i == all.length) all.organisations[all.length++] = organisation;
        all.powers[i] += power;
        all.total += power;
        all.count++;
    }

    /// @notice Counts a member out.
    function take(Tally memory all, uint32 organisation, uint256 power) internal pure {
        uint256 i = 0;
        while (all.organisations[i] != organisation) i++;
        all.powers[i] -= power;
        all.total -= power;
        all.count--;
    }

    function shape(Tally memory all) internal pure returns (Shape memory found) {
        (found.count, found.total) = (all.count, all.total);
        for (uint256 i = 0; i < all.length; i++) {
            if (all.powers[i] > found.power) {
                (found.power, found.organisation) = (all.powers[i], all.organisations[i]);
            }
        }
    }

    function shape(Set storage set) internal view returns (Shape memory) {
        return shape(tally(set));
    }

    /// @notice The rule that a change breaks.
    function broken(Shape memory before, Shape memory now_) internal pure returns (Rule) {
        if (now_.count < VALIDATORS_MIN && now_.count < before.count) return Rule.TooFew;
        // No set at all would stop the chain, whatever it was before.
        if (now_.count == 0) return Rule.TooFew;
        if (now_.count > VALIDATORS_MAX) return Rule.TooMany;
        if (now_.total > POWER_MAX) return Rule.Power;
        bool third = 3 * now_.power <= now_.total;
        bool worse = now_.power * before.total > before.power * now_.total;
        return third || !worse ? Rule.None : Rule.Share;
    }

    /// @notice What the founding counts as the set before: with it only the limits on size and
    /// total power hold.
    function unruled() internal pure returns (Shape memory) {
        return Shape({count: 0, total: 1, power: type(uint64).max, organisation: 0});
    }

    /// @notice Reverts with the rule that the change from `before` to the set breaks.
    function requireRules(Set storage set, Shape memory before) internal view {
        Shape memory now_ = shape(set);
        Rule rule = broken(before, now_);
        if (rule == Rule.TooFew) revert SetTooSmall(VALIDATORS_MIN, now_.count);
        if (rule == Rule.TooMany) revert SetTooLarge(VALIDATORS_MAX, now_.count);
        if (rule == Rule.Power) revert SetPowerTooHigh(POWER_MAX, now_.total);
        if (rule == Rule.Share) revert SetShareTooHigh(now_.organisation, now_.power, now_.total);
    }
}
