"""A control plane and an Envoy that takes its configuration from it: what most tests drive."""

from pathlib import Path
from typing import Self

from tests.support.control_plane import ControlPlane
from tests.support.envoys import Envoy
from tests.support.files import endpoints
from tests.support.upstreams import Upstreams
from xds.translate.bootstrap import Dialect

BUILDS = ("m1", "a1", "b1")
"""HTTP builds, by the version they mostly play: main, a, b."""
GRPC_BUILDS = ("gm1", "ga1", "gb1")
"""The same as gRPC services."""


class Mesh:
    """Both of them; used with `with`. The endpoints of every build are in the watched folder."""

    def __init__(
        self,
        folder: Path,
        upstreams: Upstreams,
        *,
        dialect: Dialect = "delta",
        binary: str | None = None,
        keep_builds: str = "10m",
        mode: str = "table",
    ) -> None:
        """Prepare one (see `Envoy` and `ControlPlane` for what there is to choose)."""
        self._dialect = dialect
        self._binary = binary
        self._keep_builds = keep_builds
        self._mode = mode
        self.folder = folder
        self.specs = folder / "specs"
        self.specs.mkdir()
        where = {build: upstreams.endpoint(build) for build in BUILDS}
        where |= {build: upstreams.grpc_endpoint(build) for build in GRPC_BUILDS}
        (self.specs / "endpoints.yaml").write_text(endpoints(**where))

    def __enter__(self) -> Self:
        self.plane = ControlPlane(
            self.folder, specs=self.specs, keep_builds=self._keep_builds, mode=self._mode
        )
        try:
            self.envoy = Envoy(self.folder, self.plane.xds, dialect=self._dialect, binary=self._binary)
        except BaseException:
            self.plane.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.envoy.stop()
        self.plane.kill()

    @property
    def gateway(self) -> tuple[str, int]:
        """Where requests go."""
        return self.plane.listener
