"""Why something proves nothing, and what can go wrong with a node."""


class FormError(Exception):
    """Bytes that are no proof, or none in canonical form.

    `problem` is `unreadable`, `otherVersion` or `form` (SPEC §10.5).
    """

    def __init__(self, problem: str, message: str):
        super().__init__(message)
        self.problem = problem


class LeafError(Exception):
    """Not a leaf. With `version`, newer software may know it."""

    def __init__(self, message: str, version: bool = False):
        super().__init__(message)
        self.version = version


class ShapeError(Exception):
    """Index, size and number of hashes do not fit together."""


class MapError(Exception):
    """An answer that is none of the map's."""


class RegistryError(Exception):
    """Words or nodes that do not show whose account it was."""


class DecisionError(Exception):
    """A decision that does not follow from what is trusted.

    `problem` is `validatorSet`, `before`, `fork` or `other`.
    """

    def __init__(self, message: str, problem: str = "other"):
        super().__init__(message)
        self.problem = problem


class ProofError(Exception):
    """A proof that was read and does not hold, and the step of SPEC §10.4.

    `map` is §10.7, `registry` §10.11.
    """

    def __init__(self, step: str, message: str, problem: str = "other", handover: int = 0):
        super().__init__(message)
        self.step = step
        self.problem = problem
        self.handover = handover


class TrustError(Exception):
    """What the caller trusts cannot be used."""


class TbsiError(Exception):
    """What can go wrong between a program and a node.

    `kind` is `argument`, `network`, `rpc`, `refused`, `timeout` or `unproven`.
    """

    def __init__(self, kind: str, message: str, **more):
        super().__init__(message)
        self.kind = kind
        self.more = more
