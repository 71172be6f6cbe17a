"""Before a build gets users: can it serve them?

It needs its usable endpoints, and one of them healthy. What is down and loses users is no objection, nor
does one canary that is down matter where a change takes people away from what is down: `main` serves for it.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from xds.revisions.record import Revision
from xds.spec.deployment import MAIN


def guard(
    before: Revision | None,
    after: Revision,
    usable: Mapping[str, int],
    unhealthy: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """What speaks against a revision: the builds that gain slots and can't serve anybody with them.

    Args:
        before: the revision in force, if there is one.
        after: the one to be.
        usable: how many usable endpoints builds have, by ref; absent: none.
        unhealthy: the builds, by ref, with endpoints none of which is healthy: why.

    Returns:
        One sentence a build, by the label it has now, as in "a has 0 of the 2 endpoints it needs"; none: all
        is well.
    """
    escapes = _down(after, unhealthy) < (_down(before, unhealthy) if before is not None else 0)
    had = before.slots.shares() if before is not None else {}
    sentences = []
    for key, slots in after.slots.shares().items():
        if slots <= had.get(key, 0):
            continue
        called = before if before is not None and key in before.builds else after
        label, has = called.label_of(key), usable.get(after.builds[key], 0)
        needs = max(after.spec.min_endpoints_of(each) for each in after.labels if after.labels[each] == key)
        if has < needs:
            plural = "" if needs == 1 else "s"
            sentences.append(f"{label} has {has} of the {needs} endpoint{plural} it needs")
        elif after.builds[key] in unhealthy and (key == after.labels[MAIN] or not escapes):
            sentences.append(f"{label} is unhealthy ({unhealthy[after.builds[key]]})")
    return sentences


def _down(revision: Revision, unhealthy: Collection[str]) -> int:
    """How many slots belong to builds that are down."""
    shares = revision.slots.shares().items()
    return sum(slots for key, slots in shares if revision.builds[key] in unhealthy)
