"""Which changes touched a gateway, as the store tells. Everything here runs in the store's thread."""

import dataclasses

from xds.revisions.record import Revision
from xds.store.interface import Store
from xds.store.records import Snapshot

_PAGE = 100


class Touching:
    """Finds the snapshots of a gateway; remembers which of them it has read.

    Whom a revision serves never changes, and most changes are of deployments that were looked at before.
    """

    def __init__(self, store: Store, gateway: str) -> None:
        self._store = store
        self._gateway = gateway
        self._serves: dict[tuple[str, int], bool] = {}

    def page(self, before: int | None, limit: int, down_to: int = 0) -> list[Snapshot]:
        """The newest snapshots that touched the gateway, with what they brought to it alone.

        Args:
            before: those with smaller numbers; None: from the newest on.
            limit: how many at most.
            down_to: none with this number or a smaller one.
        """
        found: list[Snapshot] = []
        while len(found) < limit:
            page = self._store.snapshots(before, _PAGE)
            for snapshot in page:
                if snapshot.number <= down_to:
                    return found[:limit]
                mine = self._mine(snapshot)
                found += [mine] if mine is not None else []
            if len(page) < _PAGE:
                break
            before = page[-1].number
        return found[:limit]

    def _mine(self, snapshot: Snapshot) -> Snapshot | None:
        revisions = {
            name: number for name, number in snapshot.revisions.items() if self._concerns(name, number)
        }
        resources = {name: number for name, number in snapshot.resources.items() if name == self._gateway}
        if not revisions and not resources:
            return None
        return dataclasses.replace(snapshot, revisions=revisions, resources=resources)

    def _concerns(self, name: str, number: int) -> bool:
        """Whether the gateway serves a revision, or served the one before."""
        return self._is_served(name, number) or (number > 1 and self._is_served(name, number - 1))

    def _is_served(self, name: str, number: int) -> bool:
        key = (name, number)
        if key not in self._serves:
            revision = self._store.revision(name, number)
            self._serves[key] = revision is not None and serves(revision, self._gateway)
        return self._serves[key]


def serves(revision: Revision, gateway: str) -> bool:
    """Whether a gateway is to serve a revision (or was, before its deletion)."""
    return revision.spec.gateways is None or gateway in revision.spec.gateways
