"""`python -m protos.schema`: generates the modules in `xds/stubs`."""

import itertools
from pathlib import Path

from protos.schema.catalogue import classes_of, envoy_packages, services_of
from protos.schema.closure import closure
from protos.schema.compiler import compile_stubs
from protos.schema.files import schema_files

ROOT = Path(__file__).parents[2]
OWN = {"canary.admin.v1": ROOT / "protos/canary/admin/v1/admin.proto"}


def main() -> None:
    """Generates them all: every `envoy.*.v3` package, what those need, and our admin API."""
    packages = envoy_packages()
    classes = closure(itertools.chain.from_iterable(map(classes_of, packages)))
    services = itertools.chain.from_iterable(map(services_of, packages))
    files = schema_files(classes, services)
    written = compile_stubs(ROOT, files, OWN)
    print(f"xds/stubs: {len(written)} files, {len(packages)} packages of Envoy's among them")  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
