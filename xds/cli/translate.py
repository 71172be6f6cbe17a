"""`canary translate`: what Envoys would be sent for deployment files, without any server."""

import json
from collections.abc import Sequence

import click
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from xds.cli import options
from xds.cli.config import read_config
from xds.cli.failures import Faulty
from xds.cli.files import read_sources
from xds.cli.output import print_yaml, warn
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.translate.offline import translate as envoy_resources
from xds.translate.raw_patches import faults_of_document

_TYPE_URL = "type.googleapis.com/"


@click.command(
    epilog=options.examples(
        "canary translate -f summarization.yaml",
        "canary translate -f deployments/ --config canary.yaml --gateway edge",
    )
)
@options.files
@options.strict
@options.config
@click.option("--gateway", "only", metavar="NAME", help="This gateway alone; without: all of them.")
def translate(*, sources: Sequence[str], strict: bool, config: str | None, only: str | None) -> None:
    """Show the Envoy resources of deployment files.

    One YAML document for each listener, route table, cluster and set of endpoints, as they would be
    pushed if these files were all there is, and every build had endpoints somewhere.
    """
    gateways = _chosen(read_config(config).gateways, only)
    reading = read(read_sources(sources, strict=strict), strict=strict)
    patches = [fault for document in reading.documents for fault in faults_of_document(document)]
    if reading.faults or patches:
        raise Faulty(sorted([*reading.faults, *patches]))
    warn(*map(str, reading.warnings))
    print_yaml(*map(_document, envoy_resources(reading.documents, gateways)))


def _chosen(gateways: Sequence[Gateway], only: str | None) -> Sequence[Gateway]:
    chosen = [gateway for gateway in gateways if only in {None, gateway.name}]
    if not chosen:
        known = ", ".join(gateway.name for gateway in gateways)
        raise click.BadParameter(
            f"there is no gateway {only!r} (there are: {known})", param_hint="'--gateway'"
        )
    return chosen


def _document(resource: Message) -> dict[str, object]:
    # Sorted, because the order of a map on the wire is nobody's: two runs print the same.
    text = MessageToJson(resource, preserving_proto_field_name=True, sort_keys=True)
    content: dict[str, object] = json.loads(text)
    head = {"@type": f"{_TYPE_URL}{resource.DESCRIPTOR.full_name}"}
    name = {"name": content["name"]} if "name" in content else {}
    return head | name | content
