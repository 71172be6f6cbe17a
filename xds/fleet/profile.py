"""What an Envoy can do, as far as it changes what it is to have.

Envoys that can do the same share a target, and so a catalog. There are as many profiles as there are
versions at which our configuration would differ, not as there are versions.
"""

import enum

from xds.discovery.hub import Target
from xds.discovery.request import Node

STICKY_SPLITS_SINCE = (1, 36, 0)
"""The first Envoy that chooses among weighted clusters by hash. Those before accept the field, and
ignore it: the split would be by chance without a word (facts: "Sticky splits")."""


OTHER_VERSION_SINCE = (1, 39, 0)
"""The first Envoy that tries another weighted cluster when one fails."""


class Profile(enum.StrEnum):
    """A range of versions; its value is the profile of a `Target`."""

    NEWEST = ""
    BEFORE_OTHER_VERSION = "before-1.39"
    BEFORE_STICKY_SPLITS = "before-1.36"

    @property
    def sticky_splits(self) -> bool:
        """Whether a split can keep everyone where they are."""
        return self is not Profile.BEFORE_STICKY_SPLITS

    @property
    def other_version(self) -> bool:
        """Whether what failed on a version can be tried on another."""
        return self is Profile.NEWEST

    @property
    def reads_models(self) -> bool:
        """Whether the model in a body can be looked for.

        Tried from 1.36 on. Envoys of long before don't know that a filter can be off, and would take in
        every body.
        """
        return self is not Profile.BEFORE_STICKY_SPLITS

    @property
    def times_answers(self) -> bool:
        """Whether an access log can be a histogram; tried from 1.39 on."""
        return self is Profile.NEWEST


def profile_of(node: Node) -> Profile:
    """The profile of an Envoy; who tells no version of Envoy's is taken as the newest."""
    if node.version is not None and node.version < STICKY_SPLITS_SINCE:
        return Profile.BEFORE_STICKY_SPLITS
    if node.version is not None and node.version < OTHER_VERSION_SINCE:
        return Profile.BEFORE_OTHER_VERSION
    return Profile.NEWEST


def target_of(gateway: str, node: Node) -> Target:
    """What a node of a gateway is to have."""
    return Target(gateway, profile_of(node).value)
