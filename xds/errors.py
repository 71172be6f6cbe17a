"""Everything Canary raises on purpose.

    CanaryError
    +-- InvalidInput     what was given is wrong: every fault listed; nothing was changed
    +-- NotFound         no such deployment, revision or version
    +-- NothingToDo      the request is fine, but there is nothing to return to
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


class NothingToDo(CanaryError):
    """There is nothing to return to."""


class StoreError(CanaryError):
    """The store could not be opened, read or written; nothing was changed."""


class SettingsError(CanaryError):
    """The server can't start with these settings."""
