"""What an assembly has made and taken back since the last time it was asked.

What a deployment brought last is remembered by name, so what it no longer brings is known to be gone.
"""

from collections.abc import Iterable

from xds.catalog.resource import Resource

Key = tuple[str, str]
"""Type URL and name."""

GIVEN = "@given"
"""The owner of what people gave; no deployment can be called that."""


class Ledger:
    """Resources that came and that went. `take` hands them over and begins anew."""

    def __init__(self) -> None:
        self._owned: dict[str, set[Key]] = {}
        self._put: dict[Key, Resource] = {}
        self._gone: set[Key] = set()

    def add(self, resource: Resource) -> None:
        """A resource is to be there, like this."""
        key = (resource.type, resource.name)
        self._put[key] = resource
        self._gone.discard(key)

    def remove(self, key: Key) -> None:
        """A resource is to be there no more."""
        self._put.pop(key, None)
        self._gone.add(key)

    def own(self, owner: str, resources: Iterable[Resource]) -> None:
        """These are all the resources that an owner brings now."""
        owned = set()
        for resource in resources:
            self.add(resource)
            owned.add((resource.type, resource.name))
        for key in self._owned.pop(owner, set()) - owned:
            self.remove(key)
        if owned:
            self._owned[owner] = owned

    def take(self) -> tuple[Iterable[Resource], Iterable[Key]]:
        """What came and what went since the last time."""
        put, gone = self._put, self._gone
        self._put, self._gone = {}, set()
        return put.values(), gone
