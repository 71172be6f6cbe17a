"""Who answers on which host: deployments may share one, each below a path of its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from xds.translate.hosts import Section


class Hosts:
    """The sections of every host, and the hosts that changed since the last look."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, ...]] = {}
        self._sections: defaultdict[str, dict[str, Section]] = defaultdict(dict)
        self._stale: set[str] = set()

    def put(self, deployment: str, hosts: Iterable[str], section: Section) -> None:
        """A deployment answers on these hosts and on no others."""
        self.drop(deployment)
        self._of[deployment] = tuple(hosts)
        for host in self._of[deployment]:
            self._sections[host][deployment] = section
            self._stale.add(host)

    def drop(self, deployment: str) -> None:
        """A deployment answers nowhere."""
        for host in self._of.pop(deployment, ()):
            self._sections[host].pop(deployment, None)
            self._stale.add(host)

    def take_stale(self) -> Iterator[tuple[str, Sequence[Section]]]:
        """Each host that changed, with its sections by deployment; none: nobody answers there."""
        stale, self._stale = self._stale, set()
        for host in sorted(stale):
            sections = self._sections[host]
            yield host, [sections[deployment] for deployment in sorted(sections)]
            if not sections:
                del self._sections[host]
