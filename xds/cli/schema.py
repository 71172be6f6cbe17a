"""`canary schema`: the JSON Schema of deployment files, for editors."""

import click

from xds.cli import options
from xds.cli.output import print_json
from xds.spec.schema import json_schema


@click.command(
    epilog=options.examples(
        "canary schema > deployment.schema.json",
        "# first line of a file: # yaml-language-server: $schema=deployment.schema.json",
    )
)
@click.option("--strict", is_flag=True, help="Unknown keys are wrong.")
def schema(*, strict: bool) -> None:
    """Print the JSON Schema of deployment files.

    Editors that know it complete keys and underline mistakes.
    """
    print_json(json_schema(strict=strict))
