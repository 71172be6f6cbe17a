"""Serve arbitrary resources, so that a foreign conformance suite can run against this server.

    python -m tests.conformance.serve resources.yaml --port 18000

The file is a list of Envoy messages with `@type`. Then each line on standard input is a commit, in
JSON, answered by a line on standard output once every stream has been told:

    {"put": [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "a"}],
     "gone": [["type.googleapis.com/envoy.config.cluster.v3.Cluster", "b"]]}

A resource may also be `{"resource": {"@type": ...}, "version": "7", "name": "a"}`: with a version of
the suite's choosing (else it is a hash of the content), and a name for a type that has none inside.
The end of the input ends the program.
"""

import asyncio
import json
import sys
from pathlib import Path

import click
import pydantic
import structlog
import yaml

from tests.conformance.server import Server
from xds.catalog.resource import Resource, content_version, encode
from xds.translate.raw import parse_any
from xds.translate.raw_names import clusters_in
from xds.translate.raw_types import type_url


class Given(pydantic.BaseModel):
    """A resource as a suite gives it."""

    resource: dict[str, pydantic.JsonValue]
    version: str | None = None
    name: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"resource": value} if isinstance(value, dict) and "@type" in value else value

    def made(self) -> Resource:
        """The encoded resource."""
        message = parse_any(self.resource)
        own = getattr(message, "cluster_name", "") or getattr(message, "name", "")
        return encode(
            type_url(message),
            self.name or str(own),
            message,
            clusters=clusters_in(message),
            version_of=lambda body, salt: self.version or content_version(body, salt),
        )


class Commit(pydantic.BaseModel):
    """One change of the catalog."""

    put: list[Given] = []
    gone: list[tuple[str, str]] = []


async def serve(commit: Commit, port: int) -> None:
    """Serve what the first commit has, and follow the commits on standard input."""
    async with Server(*(given.made() for given in commit.put), port=port) as server:
        _say(address="{}:{}".format(*server.address))
        while line := await asyncio.to_thread(sys.stdin.readline):
            commit = Commit.model_validate_json(line)
            _say(position=server.commit(*(given.made() for given in commit.put), gone=commit.gone))


def _say(**facts: str | int) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


@click.command()
@click.argument("resources", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", default=0, show_default="a free one")
def main(resources: Path, port: int) -> None:
    """Serve RESOURCES, a YAML or JSON list, to any peer."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(serve(Commit(put=yaml.safe_load(resources.read_text())), port))


if __name__ == "__main__":
    main()
