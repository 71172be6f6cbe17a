"""What is wrong where deployments and endpoints come from, as it concerns each deployment.

A file of the specs folder that is broken and a source of endpoints that fails change nothing that is
served. So nobody would notice, until the day that what they say now is needed.
"""

import dataclasses
import time
from collections.abc import Iterable, Iterator

from xds.control.endpoint_standing import SourceStanding
from xds.control.endpoints import EndpointControl
from xds.control.pulse import Pulse
from xds.control.state import State
from xds.revisions.record import Revision
from xds.spec.faults import Fault


@dataclasses.dataclass(frozen=True)
class Broken:
    """A file of the specs folder that is broken.

    Attributes:
        since: when that was found (epoch seconds).
        faults: what is wrong with it now.
    """

    since: float
    faults: tuple[Fault, ...]


class Troubles:
    """Broken files and failing sources, as they are now."""

    def __init__(self, state: State, endpoints: EndpointControl, pulse: Pulse) -> None:
        self._state = state
        self._endpoints = endpoints
        self._pulse = pulse
        self._broken: dict[str, Broken] = {}

    def found(self, faults: Iterable[Fault]) -> None:
        """All that is wrong with the files of the specs folder."""
        by_file: dict[str, list[Fault]] = {}
        for fault in faults:
            by_file.setdefault(fault.file, []).append(fault)
        now = time.time()
        broken = {
            file: Broken(self._broken[file].since if file in self._broken else now, tuple(said))
            for file, said in sorted(by_file.items())
        }
        if broken != self._broken:
            self._broken = broken
            self._pulse.beat()

    def spec_faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong with the files of the specs folder, file by file."""
        return tuple(fault for broken in self._broken.values() for fault in broken.faults)

    def notes(self, revision: Revision) -> Iterator[str]:
        """What the owner of a deployment should know of them."""
        file, _ = self._state.governing(revision.deployment)
        broken = self._broken.get(file)
        if broken is not None:
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(broken.since))
            in_force = f"what is in force is revision {revision.number}"
            yield f"{file} is broken since {since}: {broken.faults[0]}; {in_force}"
        failing = [source for source in self._endpoints.sources() if source.problem]
        for ref in sorted(set(revision.builds.values())) if failing else ():
            lists = self._state.lists_of(ref)
            for source in failing:
                if source.name in lists:
                    yield f"{_said(source)} (its last list of {ref} stays)"


def _said(source: SourceStanding) -> str:
    """What is wrong with a source, and with which."""
    problem = source.problem
    return problem if problem.startswith(source.name) else f"{source.name}: {problem}"
