// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../IAttestations.sol";
import {IMotions} from "../IMotions.sol";
import {System} from "../System.sol";
import {Der} from "./Der.sol";
import {Endorsements} from "./Endorsements.sol";
import {Entries} from "./Entries.sol";
import {IFabricFacts} from "./IFabricFacts.sol";
import {P256} from "./P256.sol";
import {X509} from "./X509.sol";

/// @title Facts of channels of Hyperledger Fabric.
/// @dev Deployed on a TBSI network by anybody; nobody has rights in it. It must be allowed to attest
/// there, as an account of the organisation that answers for it.
///
/// Not checked: revocation of certificates (a motion registers the channel anew), that the
/// organisations of the description are those of the channel, and what the message means.
contract FabricFacts is IFabricFacts {
    /// @notice SHA-256 of `schemas/fabric-entry-v1.txt`.
    bytes32 public constant SCHEMA_TEXT =
        0xf561ef764e4a6cf1498c82226ebf34f87025a7295be7941890614424fd2c162d;
    /// @notice Organisations of a channel.
    uint256 public constant ORGANISATIONS_MAX = 32;
    /// @notice Authorities of an organisation.
    uint256 public constant AUTHORITIES_MAX = 4;
    /// @notice Bytes of a channel's or chaincode's name, or of an MSP id.
    uint256 public constant NAME_BYTES_MAX = 64;
    /// @notice Seconds for which a nonce can be used.
    uint256 public constant FRESHNESS_MIN = 60;
    uint256 public constant FRESHNESS_MAX = 1 days;

    uint32 private constant _SHA2_256 = 0x12;
    /// Of `registerSchema`: canonical JSON.
    uint8 private constant _CANONICAL_JSON = 3;

    /// @notice The schema of the attestations.
    bytes32 public immutable SCHEMA;

    /// An authority that certifies peers of an organisation.
    /// @param by Position of who certified it: its own if it is a root.
    struct Authority {
        bytes32 subject;
        uint256 x;
        uint256 y;
        uint64 notBefore;
        uint64 notAfter;
        uint64 by;
    }

    /// What one import finds.
    struct Import {
        bytes32 nonce;
        uint32 channel;
        uint256 stated;
        bytes32 messageHash;
        bytes32 attestation;
        bytes text;
        bytes version;
    }

    mapping(uint32 channel => Channel) private _channels;
    /// Position in the description, from 1.
    mapping(uint32 channel => mapping(bytes32 mspId => uint256)) private _organisations;
    // slither-disable-next-line uninitialized-state
    mapping(uint32 channel => mapping(uint256 organisation => Authority[])) private _authorities;
    mapping(uint32 motion => bool) private _motionUsed;
    mapping(bytes32 nonce => Request) private _requests;
    mapping(bytes32 messageHash => bytes32) public attestationOf;
    /// @inheritdoc IFabricFacts
    uint32 public channelCount;
    uint256 private _asked;

    constructor() {
        SCHEMA =
            IAttestations(System.ATTESTATIONS).registerSchema(SCHEMA_TEXT, _CANONICAL_JSON, false);
    }

    /// @inheritdoc IFabricFacts
    function register(Description calldata description, uint32 motion, uint32 replaces)
        external
        returns (uint32 channel)
    {
        _requireResolved(motion, sha256(abi.encode(description)));
        _motionUsed[motion] = true;
        _requireSound(description);
        channel = ++channelCount;
        if (replaces != 0) _replace(replaces, description);
        _channels[channel] = Channel(
            description.channel,
            description.chaincode,
            description.genesisHash,
            description.needed,
            description.freshness,
            motion,
            false
        );
        for (uint256 i = 0; i < description.organisations.length; i++) {
            _admit(channel, i, description.organisations[i]);
        }
        emit ChannelRegistered(
            channel, motion, replaces, description.channel, description.chaincode
        );
    }

    /// @inheritdoc IFabricFacts
    function request(uint32 channel, string calldata mspId, uint64 sequence)
        external
        returns (bytes32 nonce)
    {
        _requireCurrent(channel);
        if (bytes(mspId).length == 0 || bytes(mspId).length > NAME_BYTES_MAX) {
            revert FabricFactsDescriptionRefused("mspId");
        }
        // Nobody knows it before the block before this one.
        nonce = keccak256(
            abi.encode(
                block.chainid, address(this), ++_asked, blockhash(block.number - 1), msg.sender
            )
        );
        _requests[nonce] = Request(
            channel, uint64(block.timestamp), sequence, false, msg.sender, keccak256(bytes(mspId))
        );
        emit EntryRequested(nonce, channel, mspId, sequence, msg.sender);
    }

    /// @inheritdoc IFabricFacts
    function importEntry(
        bytes32 nonce,
        bytes calldata response,
        Endorsement[] calldata endorsements
    ) external returns (bytes32) {
        Request storage asked = _requests[nonce];
        _requireFresh(nonce, asked);
        asked.used = true;
        Import memory it = Import(nonce, asked.channel, 0, 0, 0, "", "");
        (it.text, it.version) = Endorsements.answer(response, _channels[it.channel].chaincode);
        it.messageHash = _requireEntry(nonce, asked, it.text);
        if (attestationOf[it.messageHash] != 0) {
            revert FabricFactsKnown(it.messageHash, attestationOf[it.messageHash]);
        }
        it.stated = _requireStated(it.channel, response, endorsements);
        return _attest(it);
    }

    function _attest(Import memory it) private returns (bytes32) {
        IAttestations attestations = IAttestations(System.ATTESTATIONS);
        bytes32[] memory words = new bytes32[](1);
        words[0] = sha256(it.text);
        // Known before: what it would be is what it becomes.
        it.attestation = attestations.idOf(address(this), SCHEMA, _SHA2_256, words);
        attestationOf[it.messageHash] = it.attestation;
        emit EntryImported(
            it.channel,
            it.messageHash,
            it.attestation,
            it.nonce,
            it.stated,
            string(it.version),
            msg.sender,
            it.text
        );
        // slither-disable-next-line unused-return
        attestations.attest(SCHEMA, _SHA2_256, words);
        return it.attestation;
    }

    // Views

    /// @inheritdoc IFabricFacts
    function channelOf(uint32 channel) public view returns (Channel memory) {
        if (channel == 0 || channel > channelCount) revert FabricFactsChannelUnknown(channel);
        return _channels[channel];
    }

    /// @inheritdoc IFabricFacts
    function requestOf(bytes32 nonce) external view returns (Request memory) {
        return _requests[nonce];
    }

    // Registration

    function _requireResolved(uint32 motion, bytes32 expected) private view {
        if (_motionUsed[motion]) revert FabricFactsMotionUsed(motion);
        IMotions.Motion memory it = IMotions(System.MOTIONS).motionOf(motion);
        bool resolved = it.kind == uint8(IMotions.Kind.Resolve)
            && it.status == uint8(IMotions.Status.Executed)
            && keccak256(it.arguments) == keccak256(abi.encode(expected));
        if (!resolved) revert FabricFactsMotionRefused(motion, expected);
    }

    function _requireSound(Description calldata it) private pure {
        uint256 count = it.organisations.length;
        if (count == 0 || count > ORGANISATIONS_MAX) {
            revert FabricFactsDescriptionRefused("organisations");
        }
        if (it.needed == 0 || it.needed > count) revert FabricFactsDescriptionRefused("needed");
        if (it.freshness < FRESHNESS_MIN || it.freshness > FRESHNESS_MAX) {
            revert FabricFactsDescriptionRefused("freshness");
        }
        if (it.genesisHash == 0) revert FabricFactsDescriptionRefused("genesisHash");
        _requireName("channel", it.channel);
        _requireName("chaincode", it.chaincode);
    }

    function _requireName(string memory field, string calldata name) private pure {
        uint256 length = bytes(name).length;
        if (length == 0 || length > NAME_BYTES_MAX) revert FabricFactsDescriptionRefused(field);
    }

    function _replace(uint32 replaces, Description calldata description) private {
        _requireCurrent(replaces);
        Channel storage before = _channels[replaces];
        bool same = keccak256(bytes(before.channel)) == keccak256(bytes(description.channel))
            && keccak256(bytes(before.chaincode)) == keccak256(bytes(description.chaincode));
        if (!same) revert FabricFactsDescriptionRefused("replaces");
        before.replaced = true;
    }

    function _admit(uint32 channel, uint256 position, Organisation calldata organisation) private {
        _requireName("mspId", organisation.mspId);
        bytes32 mspId = keccak256(bytes(organisation.mspId));
        if (_organisations[channel][mspId] != 0) revert FabricFactsDescriptionRefused("mspId");
        _organisations[channel][mspId] = position + 1;
        uint256 count = organisation.authorities.length;
        if (count == 0 || count > AUTHORITIES_MAX) {
            revert FabricFactsDescriptionRefused("authorities");
        }
        Authority[] storage all = _authorities[channel][position];
        for (uint256 i = 0; i < count; i++) {
            X509.Certificate memory it = X509.parse(organisation.authorities[i]);
            if (!it.authority || !it.certifies) {
                revert FabricFactsAuthorityRefused(position, i, "it may certify nobody");
            }
            uint256 by = i == 0 && X509.isIssued(it, it.subject, it.x, it.y) ? 0 : count;
            for (uint256 j = 0; j < i && by == count; j++) {
                if (X509.isIssued(it, all[j].subject, all[j].x, all[j].y)) by = j;
            }
            if (by == count) {
                revert FabricFactsAuthorityRefused(position, i, "nobody before it certified it");
            }
            all.push(
                Authority(
                    it.subject, it.x, it.y, uint64(it.notBefore), uint64(it.notAfter), uint64(by)
                )
            );
        }
    }

    function _requireCurrent(uint32 channel) private view {
        if (channelOf(channel).replaced) revert FabricFactsChannelReplaced(channel);
    }

    // Import

    function _requireFresh(bytes32 nonce, Request storage asked) private view {
        if (asked.time == 0) revert FabricFactsNonceUnknown(nonce);
        if (asked.used) revert FabricFactsNonceUsed(nonce);
        _requireCurrent(asked.channel);
        uint256 until = uint256(asked.time) + _channels[asked.channel].freshness;
        if (block.timestamp > until) revert FabricFactsNonceStale(nonce, until, block.timestamp);
    }

    /// The entry is the one that was asked for, of the channel, for this chain.
    function _requireEntry(bytes32 nonce, Request storage asked, bytes memory text)
        private
        view
        returns (bytes32)
    {
        Entries.Entry memory entry = Entries.parse(text);
        Channel storage channel = _channels[asked.channel];
        if (entry.nonce != nonce) revert FabricFactsEntryMismatch("nonce");
        if (entry.chainId != block.chainid) revert FabricFactsEntryMismatch("chainId");
        if (entry.genesisHash != channel.genesisHash) {
            revert FabricFactsEntryMismatch("genesisHash");
        }
        if (keccak256(entry.channel) != keccak256(bytes(channel.channel))) {
            revert FabricFactsEntryMismatch("channel");
        }
        if (keccak256(entry.mspId) != asked.mspId) revert FabricFactsEntryMismatch("mspId");
        if (entry.sequence != asked.sequence) revert FabricFactsEntryMismatch("sequence");
        if (Entries.hash(entry) != entry.messageHash) {
            revert FabricFactsEntryMismatch("messageHash");
        }
        return entry.messageHash;
    }

    /// Enough organisations signed the response, each counted once.
    function _requireStated(
        uint32 channel,
        bytes calldata response,
        Endorsement[] calldata endorsements
    ) private view returns (uint256 stated) {
        if (endorsements.length > ORGANISATIONS_MAX) {
            revert FabricFactsEndorsementRefused(ORGANISATIONS_MAX, "more than 32 are given");
        }
        uint256 needed = _channels[channel].needed;
        for (uint256 i = 0; i < endorsements.length; i++) {
            uint256 organisation = _endorsed(channel, i, response, endorsements[i]);
            if (stated >> organisation & 1 != 0) {
                revert FabricFactsEndorsementRefused(i, "its organisation is counted already");
            }
            stated |= 1 << organisation;
        }
        if (endorsements.length < needed) {
            revert FabricFactsTooFew(needed, endorsements.length);
        }
    }

    /// The organisation of an endorsement, which counts.
    function _endorsed(
        uint32 channel,
        uint256 position,
        bytes calldata response,
        Endorsement calldata endorsement
    ) private view returns (uint256 organisation) {
        (bytes memory mspId, X509.Certificate memory it) =
            Endorsements.endorser(endorsement.endorser);
        organisation = _organisations[channel][keccak256(mspId)];
        if (organisation == 0) {
            revert FabricFactsEndorsementRefused(position, "its MSP is not of the channel");
        }
        organisation--;
        if (it.role != X509.PEER) {
            revert FabricFactsEndorsementRefused(position, "its role is not that of a peer");
        }
        if (it.authority || !it.signs) {
            revert FabricFactsEndorsementRefused(position, "its certificate may not sign");
        }
        if (block.timestamp < it.notBefore || block.timestamp > it.notAfter) {
            revert FabricFactsEndorsementRefused(position, "its certificate is not valid now");
        }
        if (!_isCertified(channel, organisation, it)) {
            revert FabricFactsEndorsementRefused(
                position, "no valid authority of its MSP certified it"
            );
        }
        (uint256 r, uint256 s) = Der.signature(endorsement.signature);
        if (s > P256.HALF_ORDER) revert FabricFactsEndorsementRefused(position, "it has high s");
        // As Fabric signs it; what both say is read to its last byte.
        // slither-disable-next-line encode-packed-collision
        bytes32 digest = sha256(abi.encodePacked(response, endorsement.endorser));
        if (!P256.verify(digest, r, s, it.x, it.y)) {
            revert FabricFactsEndorsementRefused(position, "it is no signature of the response");
        }
    }

    function _isCertified(uint32 channel, uint256 organisation, X509.Certificate memory it)
        private
        view
        returns (bool)
    {
        Authority[] storage all = _authorities[channel][organisation];
        for (uint256 i = 0; i < all.length; i++) {
            Authority storage by = all[i];
            if (_isValid(all, i) && X509.isIssued(it, by.subject, by.x, by.y)) return true;
        }
        return false;
    }

    /// Whether an authority and all above it are valid now.
    function _isValid(Authority[] storage all, uint256 position) private view returns (bool valid) {
        bool root = false;
        valid = true;
        while (valid && !root) {
            Authority storage it = all[position];
            valid = block.timestamp >= it.notBefore && block.timestamp <= it.notAfter;
            root = it.by == position;
            position = it.by;
        }
    }
}
