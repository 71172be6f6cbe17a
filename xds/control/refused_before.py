"""What Envoys refused already when a revision was committed: it is not to blame for that.

It is noted in the moment of the commit. The push may follow at once, and whoever follows the revision comes
when they come; later nobody could tell what was refused before from what the revision itself brought.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from xds.discovery.hub import Hub
from xds.revisions.record import Revision

Refused = tuple[str, str, str, str]
"""The id of an Envoy; the type URL, the name and the version of what it refuses."""


class RefusedBefore:
    """What was refused of the newest revisions' idle versions; nearly always nothing."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._idle: dict[str, tuple[int, frozenset[Refused]]] = {}

    def committed(self, revisions: Iterable[Revision]) -> None:
        """These are in force now, and not published yet."""
        by_name = self._refused()
        for revision in revisions:
            self._idle.pop(revision.deployment, None)
            known = [by_name[cluster] for cluster in _idle(revision) & by_name.keys()] if by_name else []
            if known:
                self._idle[revision.deployment] = revision.number, frozenset().union(*known)

    def of_idle(self, revision: Revision) -> Collection[Refused]:
        """What had been refused, before a revision, of its versions that get no traffic."""
        number, known = self._idle.get(revision.deployment, (0, frozenset[Refused]()))
        return known if number == revision.number else ()

    def _refused(self) -> Mapping[str, set[Refused]]:
        """What is refused now, by its name."""
        by_name: defaultdict[str, set[Refused]] = defaultdict(set)
        for gateway in {target.gateway for target in self._hub.targets()}:
            for stream in self._hub.members(gateway).refusing():
                for type_, each in stream.rejections():
                    by_name[each.name].add((stream.node.id, type_, each.name, each.version))
        return by_name


def _idle(revision: Revision) -> set[str]:
    """The clusters of a revision that get no traffic."""
    busy = revision.slots.shares()
    return {revision.cluster_of(key) for key in revision.builds if key not in busy}
