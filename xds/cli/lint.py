"""`canary lint`: everything that can be said about deployment files without a server."""

from collections.abc import Iterator, Sequence

import click

from xds.cli import options
from xds.cli.config import read_config
from xds.cli.failures import Faulty
from xds.cli.files import read_sources
from xds.cli.output import counted, warn
from xds.spec.claims import Claim, claims_of, conflicts, unknown_gateways
from xds.spec.faults import Fault
from xds.spec.gateway import Gateway
from xds.spec.proxyless import unresolved, unsupported
from xds.spec.read import Document, read
from xds.spec.scoped import wildcards
from xds.translate.raw_gateway import clashes
from xds.translate.raw_patches import faults_of_document
from xds.translate.settings_check import faults_of_settings


@click.command(
    epilog=options.examples(
        "canary lint -f summarization.yaml",
        "canary lint -f deployments/ --config canary.yaml --strict",
    )
)
@options.files
@options.strict
@options.config
def lint(*, sources: Sequence[str], strict: bool, config: str | None) -> None:
    """Check deployment files without a server.

    Every fault and warning is a line on stderr: FILE:LINE: path: what is wrong (what to write). Exits
    with 1 if there is a fault. Deployments that are not in these files are not considered.
    """
    gateways = read_config(config).gateways
    texts = read_sources(sources, strict=strict)
    reading = read(texts, strict=strict)
    warn(*map(str, reading.warnings))
    faults = [*reading.faults, *disagreements(reading.documents, gateways)]
    if faults:
        raise Faulty(sorted(faults))
    deployments = sum(document.deployment is not None for document in reading.documents)
    click.echo(f"nothing wrong ({counted(deployments, 'deployment')} in {counted(len(texts), 'file')})")


def disagreements(documents: Sequence[Document], gateways: Sequence[Gateway]) -> Iterator[Fault]:
    """What is wrong between deployments, and between them and the gateways."""
    claims: list[Claim] = []
    for document in documents:
        if document.deployment is not None:
            yield from unknown_gateways(document.deployment, gateways, document.file, document.line)
            yield from unsupported(document.deployment, gateways, document.file, document.line)
            yield from faults_of_document(document)
            yield from faults_of_settings(document, gateways)
            claims += claims_of(document.deployment, gateways, document.file, document.line)
    yield from conflicts(claims)
    yield from wildcards(claims, gateways)
    yield from clashes(claims, gateways)
    yield from _unresolved(documents, gateways)


def _unresolved(documents: Sequence[Document], gateways: Sequence[Gateway]) -> Iterator[Fault]:
    endpoints = {ref: given for document in documents for ref, given in document.endpoints.items()}
    for document in documents:
        if document.deployment is not None:
            yield from unresolved(document.deployment, gateways, endpoints, document.file, document.line)
