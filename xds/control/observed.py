"""What numbers from Envoys count to: the builds that were ever known, and the revision in force."""

from xds.control.state import State
from xds.telemetry.archive import RevisionOf


def revision_finder(state: State) -> RevisionOf:
    """Finds the newest revision of a build's deployment; asked for every cluster in every report."""
    known: dict[str, tuple[int, frozenset[str]]] = {}

    def revision_of(deployment: str, build: str) -> int | None:
        newest = state.newest(deployment)
        if newest is None:
            return None
        builds = state.builds[deployment]
        count, keys = known.get(deployment, (0, frozenset()))
        if count != len(builds):  # builds are never forgotten
            keys = frozenset(builds.values())
            known[deployment] = len(builds), keys
        return newest.number if build in keys else None

    return revision_of
