"""Before a build gets users: has it enough usable endpoints to serve them?"""

from collections.abc import Mapping

from xds.revisions.record import Revision


def guard(before: Revision | None, after: Revision, usable: Mapping[str, int]) -> list[str]:
    """What speaks against a revision: the builds that gain slots and have too few usable endpoints.

    Args:
        before: the revision in force, if there is one.
        after: the one to be.
        usable: how many usable endpoints builds have, by ref; absent: none.

    Returns:
        One sentence a build, as in "a has 0 of the 2 endpoints it needs"; none: all is well.
    """
    had = before.slots.shares() if before is not None else {}
    sentences = []
    for key, slots in after.slots.shares().items():
        label, has = after.label_of(key), usable.get(after.builds[key], 0)
        needs = max(after.spec.min_endpoints_of(each) for each in after.labels if after.labels[each] == key)
        if slots > had.get(key, 0) and has < needs:
            plural = "" if needs == 1 else "s"
            sentences.append(f"{label} has {has} of the {needs} endpoint{plural} it needs")
    return sentences
