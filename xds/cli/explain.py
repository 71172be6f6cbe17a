"""`canary explain` and `canary simulate`: who gets which version, and who would get another."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from xds.cli import names, options
from xds.cli.files import STDIN, read_sources
from xds.cli.output import is_data, print_data, print_facts, print_names, print_table
from xds.cli.remote import connected
from xds.cli.shapes import Data, main_first, number
from xds.cli.words import percent
from xds.stubs import canary_admin_v1_pb2 as pb

if TYPE_CHECKING:
    from xds.client import Client

_AT_ONCE = 5000
"""Keys in one call."""

_keys = click.option(
    "--keys",
    "keys_file",
    metavar="FILE|-",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A file of keys, one a line: each as somebody with this key would be served.",
)


@click.command(
    epilog=options.examples(
        "canary explain summarization --header 'X-User-ID: user123'",
        "canary explain summarization --query 'feature=a%20b'   # as it stands in the URL",
        "canary explain summarization --cookie 'canary-summarization=t226'",
        "canary explain summarization --keys users.txt -o json",
        "canary explain summarization -f summarization.yaml --header 'X-User-ID: user123'",
    )
)
@options.name
@click.option("--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="One for each line.")
@click.option("--query", "queries", metavar="NAME=VALUE", multiple=True, help="As it stands in the URL.")
@click.option("--cookie", "cookies", metavar="NAME=VALUE", multiple=True, help="One for each cookie.")
@click.option("--path", metavar="PATH", default="", help="As in the URL; without: the deployment's.")
@click.option("--host", metavar="HOST", default="", help="Without: the deployment's own.")
@click.option("--method", metavar="METHOD", default="GET", show_default=True, help="Of the request.")
@click.option("--model", metavar="NAME", help="The model that the JSON body names; without: no JSON.")
@click.option(
    "--gateway",
    metavar="NAME",
    default="",
    shell_complete=names.gateways,
    help="Without: the first that serves the deployment.",
)
@_keys
@options.sources("Without a server: as these files would begin, were they all there is.")
@options.reading
def explain(  # noqa: PLR0913 (a request has many parts)
    *,
    name: str,
    headers: Sequence[str],
    queries: Sequence[str],
    cookies: Sequence[str],
    path: str,
    host: str,
    method: str,
    model: str | None,
    gateway: str,
    keys_file: str | None,
    sources: Sequence[str],
    **asked: Unpack[options.Reading],
) -> None:
    """Say which version a request gets, and why.

    It is told from the routes that Envoys are sent: the route that matches, what is hashed, the slot and
    whose segment that is. Nothing is decoded: write values as they are sent. Where chance decides, the
    shares are told.
    """
    lines = [_header(each) for each in headers]
    if cookies:
        lines.append(pb.ExplainRequest.Header(name="cookie", value=os.fsencode("; ".join(cookies))))
    if queries:
        path += ("&" if "?" in path else "?") + "&".join(queries)
    request = pb.ExplainRequest(
        name=name,
        gateway=gateway,
        host=host,
        method=method,
        target=os.fsencode(path),
        headers=lines,
        model=model,
    )
    keys = _read_keys(keys_file) if keys_file else None
    if sources:
        from xds.cli.explain_offline import answered  # noqa: PLC0415 (it reads and translates files)

        answer = answered(request, sources, keys or ())
    else:
        with connected(asked["server"]) as client:
            answer = _answered(client, request, keys)
    if keys is None:
        _print_one(answer, asked["output"])
    else:
        _print_keys(answer, keys, asked["output"])


@click.command(
    epilog=options.examples(
        "canary simulate -f summarization.yaml", "canary simulate -f summarization.yaml --keys users.txt"
    )
)
@options.files
@_keys
@options.reading
def simulate(*, sources: Sequence[str], keys_file: str | None, **asked: Unpack[options.Reading]) -> None:
    """Say how many users applying files would move, from where to where.

    And how few the new weights need to move at least. Nothing is changed.
    """
    files = [pb.File(name=file, text=text) for file, text in read_sources(sources)]
    keys = _read_keys(keys_file) if keys_file else []
    with connected(asked["server"]) as client:
        answers = [
            client.simulate(*files, keys=keys[start : start + _AT_ONCE])
            for start in range(0, max(1, len(keys)), _AT_ONCE)
        ]
    simulations = list(answers[0].simulations)
    for more in answers[1:]:
        for simulation, rest in zip(simulations, more.simulations, strict=True):
            simulation.keys.extend(rest.keys)
    if is_data(asked["output"]):
        print_data([_simulation_data(each) for each in simulations], asked["output"])
    elif asked["output"] == "name":
        print_names(each.name for each in simulations if each.moved)
    else:
        for each in simulations:
            _print_simulation(each)


def _header(said: str) -> pb.ExplainRequest.Header:
    name, colon, value = said.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(
            f"{said!r} is no header; write 'X-User-ID: user123'", param_hint="'--header'"
        )
    return pb.ExplainRequest.Header(name=name.strip(), value=os.fsencode(value.strip(" \t")))


def _read_keys(file: str) -> list[bytes]:
    raw = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    return [line for line in raw.replace(b"\r\n", b"\n").split(b"\n") if line]


def _answered(
    client: "Client", request: pb.ExplainRequest, keys: Sequence[bytes] | None
) -> pb.ExplainResponse:
    lines = [(header.name, header.value) for header in request.headers]
    whole = pb.ExplainResponse()
    for start in range(0, max(1, len(keys or ())), _AT_ONCE):
        answer = client.explain(
            request.name,
            target=request.target,
            headers=lines,
            host=request.host,
            method=request.method,
            model=request.model if request.HasField("model") else None,
            keys=(keys or ())[start : start + _AT_ONCE],
            gateway=request.gateway,
        )
        whole.MergeFrom(answer)
    return whole


def _print_one(answer: pb.ExplainResponse, output: str) -> None:
    (said,) = answer.explanations
    if is_data(output):
        where = {"gateway": answer.gateway, "host": answer.host, "revision": answer.revision}
        print_data(_data(said) | where, output)
    elif output == "name":
        print_names([said.version or "-"])
    else:
        print_facts(_facts(said))


def _facts(said: pb.Explanation) -> Iterator[tuple[str, str]]:
    yield "Version", said.version or (str(said.status) if said.status else "-")
    if said.build:
        yield "Build", said.build
    if said.HasField("slot"):
        yield "Slot", str(said.slot)
        yield "Segment", f"{said.segment.start}-{said.segment.end}"
    yield "Route", said.route or "-"
    yield "Reason", said.reason


def _print_keys(answer: pb.ExplainResponse, keys: Sequence[bytes], output: str) -> None:
    told = list(zip(keys, answer.explanations, strict=False))
    counts = Counter(said.version or "by chance" for _, said in told)
    if is_data(output):
        each = [{"key": _text(key), **_data(said)} for key, said in told]
        shares = {version: number(share) for version, share in _shares(counts).items()}
        print_data({"revision": answer.revision, "shares": shares, "keys": each}, output)
    elif output == "name":
        print_names(said.version or "-" for _, said in told)
    else:
        rows = (
            [_text(key), each.version or "by chance", str(each.slot) if each.HasField("slot") else "-"]
            for key, each in told
        )
        print_table(["KEY", "VERSION", "SLOT"], rows)
        said = ", ".join(f"{version} {percent(share)}" for version, share in _shares(counts).items())
        click.echo(f"{len(told)} keys: {said}", err=True)


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = max(1, counts.total())
    return dict(main_first({version: 100 * count / total for version, count in counts.items()}))


def _data(said: pb.Explanation) -> Data:
    hashed = said.HasField("slot")
    segment = {"index": said.segment.index, "start": said.segment.start, "end": said.segment.end}
    return {
        "version": said.version or None,
        "slot": said.slot if hashed else None,
        "segment": segment if hashed else None,
        "reason": said.reason,
        "route": said.route or None,
        "deployment": said.deployment or None,
        "build": said.build or None,
        "cluster": said.cluster or None,
        "shares": {version: number(share) for version, share in main_first(said.shares)} or None,
        "status": said.status or None,
    }


def _print_simulation(said: pb.Simulation) -> None:
    if not said.revision:
        click.echo(f"{said.name}: new, nobody moves")
        return
    least = f"the least possible is {percent(said.least)}"
    same = f"as few as possible ({percent(said.least)})" if said.moved == said.least else least
    note = f"; {said.note}" if said.note else ""
    click.echo(f"{said.name}: {percent(said.moved)} of the users get another version; {same}{note}")
    if said.moves:
        print_table(
            ["FROM", "TO", "USERS"],
            ([_end(m, "from"), _end(m, "to"), percent(m.percent)] for m in said.moves),
        )
    _print_key_moves(said.keys)


def _print_key_moves(keys: Iterable[pb.Simulation.Key]) -> None:
    keys = list(keys)
    moved = [key for key in keys if key.moved]
    if keys:
        click.echo(f"{len(moved)} of {len(keys)} keys move")
        rows = ([_text(key.key), key.before or "by chance", key.after or "by chance"] for key in moved)
        if moved:
            print_table(["KEY", "FROM", "TO"], rows)


def _end(move: pb.Simulation.Move, end: str) -> str:
    version, build = getattr(move, f"{end}_version"), getattr(move, f"{end}_build")
    return f"{version} ({build})"


def _simulation_data(said: pb.Simulation) -> Data:
    return {
        "deployment": said.name,
        "revision": said.revision or None,
        "moved": number(said.moved),
        "least": number(said.least),
        "note": said.note or None,
        "moves": [
            {
                "from": {"version": move.from_version, "build": move.from_build},
                "to": {"version": move.to_version, "build": move.to_build},
                "percent": number(move.percent),
            }
            for move in said.moves
        ],
        "keys": [
            {
                "key": _text(key.key),
                "before": key.before or None,
                "after": key.after or None,
                "moved": key.moved,
            }
            for key in said.keys
        ],
    }


def _text(key: bytes) -> str:
    return key.decode(errors="backslashreplace")
