"""Words of a state, by the nodes of its Merkle Patricia tries (SPEC §10.11)."""

from .errors import RegistryError
from .forms import keccak256

_KEY_NIBBLES = 64
_EMPTY_ROOT = keccak256(b"\x80")
# Bytes that say how long the longest item of RLP is: no node is near it.
_LENGTH_BYTES_MAX = 4


def _split(data: bytes):
    """The first item in its one form (bytes, payload, whether it is a list), and the rest."""
    if not data:
        return None
    first = data[0]
    if first < 0x80:
        return (data[:1], data[:1], False), data[1:]
    is_list = first >= 0xC0
    start, length = 1, first - (0xC0 if is_list else 0x80)
    if length > 55:
        start = 1 + length - 55
        size = data[1:start]
        if len(size) + 1 < start or not size[0] or len(size) > _LENGTH_BYTES_MAX:
            return None
        length = int.from_bytes(size, "big")
        if length <= 55:
            return None
    end = start + length
    payload = data[start:end]
    if len(payload) < length or (not is_list and start + length == 2 and payload[0] < 0x80):
        return None
    return (data[:end], payload, is_list), data[end:]


def _whole(data: bytes):
    split = _split(data)
    return split[0] if split and not split[1] else None


def _items(item, most: int):
    """The items of a list; None if it is none, or has more."""
    if item is None or not item[2]:
        return None
    items, rest = [], item[1]
    while rest:
        split = _split(rest) if len(items) < most else None
        if split is None:
            return None
        items.append(split[0])
        rest = split[1]
    return items


def _nibbles(data: bytes) -> list:
    return [nibble for byte in data for nibble in (byte >> 4, byte & 15)]


def _child(item):
    """A node inside of this one, the hash of one, or nothing."""
    raw, payload, is_list = item
    if is_list:
        return ("inside", item) if len(raw) < 32 else None
    if not payload:
        return "nothing", None
    return ("hash", payload) if len(payload) == 32 else None


def _short(path, rest, key: list, depth: int):
    """A leaf or an extension: how many nibbles it takes, and where it leads."""
    if path[2] or not path[1]:
        return None
    kind, low = path[1][0] >> 4, path[1][0] & 15
    if kind > 3 or (not kind % 2 and low):
        return None
    nibbles = ([low] if kind % 2 else []) + _nibbles(path[1][1:])
    left, is_leaf = _KEY_NIBBLES - depth, kind >= 2
    fits = len(nibbles) == left if is_leaf else 0 < len(nibbles) <= left
    if not fits:
        return None
    if key[depth : depth + len(nibbles)] != nibbles:
        return 0, ("nothing", None)
    if is_leaf:
        return None if rest[2] else (len(nibbles), ("value", rest[1]))
    child = _child(rest)
    # An extension leads somewhere.
    return None if child is None or child[0] == "nothing" else (len(nibbles), child)


def _step(item, key: list, depth: int):
    items = _items(item, 17)
    if items is None:
        return None
    if len(items) == 2:
        return _short(*items, key, depth)
    if len(items) != 17 or depth == _KEY_NIBBLES:
        return None
    child = _child(items[key[depth]])
    return None if child is None else (1, child)


class SharedNodes:
    """Nodes that lead to several words: each once, in the order in which they are needed."""

    def __init__(self, root: bytes, nodes: list):
        self._root, self._nodes, self._known = root, nodes, {}

    def word(self, account: bytes, slot: int) -> int:
        """The word in a slot of an account; 0 if there is no such account or slot."""
        found = self._value(self._root, keccak256(account))
        if found is None:
            return 0
        encoded = self._value(_storage_root(found), keccak256(slot.to_bytes(32, "big")))
        return 0 if encoded is None else _word(encoded)

    def end(self) -> None:
        """That nothing is left over."""
        if len(self._known) != len(self._nodes):
            raise RegistryError(f"node {len(self._known)} is one too many")

    def _value(self, root: bytes, key: bytes):
        if root == _EMPTY_ROOT:
            return None
        path, expected, depth = _nibbles(key), root, 0
        while True:
            item = _whole(self._node(expected))
            while True:
                taken = _step(item, path, depth)
                if taken is None:
                    raise RegistryError("no node of a trie in canonical form")
                depth += taken[0]
                kind, found = taken[1]
                if kind == "inside":
                    item = found
                    continue
                break
            if kind != "hash":
                return found
            expected = found

    def _node(self, expected: bytes) -> bytes:
        if expected in self._known:
            return self._known[expected]
        at = len(self._known)
        if at == len(self._nodes):
            raise RegistryError(f"node {at} is missing")
        node = self._nodes[at]
        if keccak256(node) != expected:
            problem = "has another hash than the one above it names"
            raise RegistryError(f"node {at} {problem}")
        self._known[expected] = node
        return node


def _storage_root(account: bytes) -> bytes:
    """Of an account: nonce, balance, storage root, code hash."""
    fields = _items(_whole(account), 4) or []
    if len(fields) == 4 and not any(is_list for _, _, is_list in fields):
        nonce, balance, root, code = (payload for _, payload, _ in fields)
        integers = len(nonce) <= 8 and len(balance) <= 32 and all(
            not it or it[0] for it in (nonce, balance)
        )
        if integers and len(root) == len(code) == 32:
            return root
    raise RegistryError("the proven account has another form than its own")


def _word(encoded: bytes) -> int:
    """Zero is in no trie."""
    item = _whole(encoded)
    if item is None or item[2] or not 1 <= len(item[1]) <= 32 or not item[1][0]:
        raise RegistryError("the proven value is no word without leading zeros")
    return int.from_bytes(item[1], "big")


def mapping_slot(key: bytes, slot: int) -> int:
    """Slot of a key in the mapping at `slot` (Solidity's layout)."""
    return int.from_bytes(keccak256(key.rjust(32, b"\0"), slot.to_bytes(32, "big")), "big")


def element_slot(listed: int, place: int) -> int:
    """Slot of a list's element that begins `place` slots after its first."""
    first = int.from_bytes(keccak256(listed.to_bytes(32, "big")), "big")
    return (first + place) % 2**256
