"""The build hook: wheels and editable installs (`pip install -e .`) get their stubs here.

The stubs are generated, not kept in git (protos/README.md). The generator runs in a process of its
own, because it lives in the source tree, which is no place the build backend imports from.
"""

import subprocess
import sys
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateStubs(BuildHookInterface[BuilderConfig]):
    """Runs `python -m protos.schema` before hatchling collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Fills `xds/stubs`.

        Raises:
            subprocess.CalledProcessError: the generator failed; its output says why.
        """
        subprocess.run([sys.executable, "-m", "protos.schema"], cwd=self.root, check=True)
