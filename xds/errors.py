"""Everything Canary raises on purpose.

    CanaryError
    +-- InvalidInput     what was given is wrong: every fault listed; nothing was changed
    +-- NotFound         no such deployment, revision or version
    +-- AlreadyExists    it is there, and was to be made
    +-- Conflict         somebody else was faster: what was expected to be in force isn't
    +-- NothingToDo      the request is fine, but there is nothing to return to
    +-- TooFewEndpoints  a version would get users and could not serve them; can be forced
    +-- Unauthenticated  the caller didn't show who it is, or isn't let in
    +-- Unavailable      who was to be asked can't be at the moment; asking again may help
    +-- StoreError       the store can't be opened or written; nothing was changed
    +-- SettingsError    the server can't start with these settings

A message says what happened, where, and what to do.
"""

from collections.abc import Iterable

from xds.spec.faults import Fault


class CanaryError(Exception):
    """Base of them all."""


class InvalidInput(CanaryError):
    """What was given is wrong. `faults` has every fault, not just the first; nothing was changed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class NotFound(CanaryError):
    """There is no such deployment, revision or version; the message names those there are."""


class AlreadyExists(CanaryError):
    """It is there already, and was to be made."""


class Conflict(CanaryError):
    """What the caller expected to be in force isn't; nothing was changed. Look again, then repeat."""


class NothingToDo(CanaryError):
    """There is nothing to return to."""


class TooFewEndpoints(CanaryError):
    """A version would get users and has too few usable endpoints; nothing was changed. Can be forced."""


class Unauthenticated(CanaryError):
    """The caller did not show who it is, or is not let in; the message says what to send."""


class Unavailable(CanaryError):
    """Who was to be asked (a Prometheus) can't be at the moment, and why. Asking again may help."""


class StoreError(CanaryError):
    """The store could not be opened, read or written; nothing was changed."""


class SettingsError(CanaryError):
    """The server can't start with these settings."""
