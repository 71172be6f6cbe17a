"""`canary test`: one request through a real Envoy, for one version.

The Envoy is one that is connected, at its gateway's listener; what it is sent is chosen in
probe_requests.py. Which version answered is the Envoy's word, in the answer's version header.
"""

import dataclasses
import http.client
import json
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Unpack

import click

from xds.cli import options
from xds.cli.failures import Failure, NoAnswer
from xds.cli.output import is_data, print_data, print_facts, print_names
from xds.cli.probe_requests import Asked, Request, requests, selector
from xds.cli.remote import connected
from xds.cli.shapes import MAIN, Data
from xds.client import Client
from xds.stubs import canary_admin_v1_pb2 as pb

VERSION_HEADER = "x-canary-version"
_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (recognised, not bound)
_SURE = "canary.version_selector: {header: X-Version} in its file lets requests name the version"
"""How to reach a version with few users, or none."""
_BODY = 200
"""Bytes of the answer that are shown."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back; `seconds` from the request to the end of the body."""

    status: int
    version: str
    seconds: float
    body: bytes
    key: str


def _as_headers(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for value in values:
        name, colon, content = value.partition(":")
        if not (name.strip() and colon):
            raise click.BadParameter(f"{value!r} is no header; write for example 'X-User-ID: ada'")
        headers[name.strip().lower()] = content.strip()
    return headers


def _as_place(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, int] | None:
    return None if value is None else options.as_address(ctx, param, value)


@click.command(
    epilog=options.examples(
        "canary test summarization --version a",
        "canary test summarization --path /v1/models --header 'X-User-ID: ada'",
        "canary test llama --version a --path /v1/chat/completions --model llama-3-70b",
        "canary test summarization --version a --via 127.0.0.1:10000",
    )
)
@options.name
@click.option("--version", "label", default=MAIN, show_default=True, help="The version it is to reach.")
@click.option("--path", default=None, help="Without: the deployment's path_prefix.")
@click.option(
    "--header",
    "headers",
    metavar="'NAME: VALUE'",
    multiple=True,
    callback=_as_headers,
    help="Goes along; the header that decides, if it is given, is the only key tried.",
)
@click.option("--model", metavar="NAME", help="POST a JSON body with this model; without: what it matches.")
@click.option("--via", metavar="HOST:PORT", callback=_as_place, help="This Envoy's listener.")
@click.option(
    "--tries", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many requests."
)
@options.duration("--timeout", default="10s", help="How long each may take.")
@options.reading
def test(  # noqa: PLR0913 (its options)
    *,
    name: str,
    label: str,
    path: str | None,
    headers: dict[str, str],
    model: str | None,
    via: tuple[str, int] | None,
    tries: int,
    timeout: float,
    **asked: Unpack[options.Reading],
) -> None:
    """Send a request through a real Envoy, to a version.

    Exits with 1 if the version was not reached. With a version_selector in the deployment's file any version
    can be named, one with a weight of 0 too. Without, a key is looked for that belongs to the version; where
    chance decides, the request is repeated: the smaller the share, the more that takes.
    """
    with connected(asked["server"]) as client:
        deployment = client.get(name)
        _reachable(deployment, label)
        place, gateway = (via, "") if via else _find_envoy(client, deployment)
        sent = requests(client, deployment, label, Asked(path, headers, model, gateway))
        tried = _try(islice(sent, tries), place, label, timeout)
    if tried is None:
        raise Failure(f"no key was found that belongs to {label} ({_SURE})")
    number, answer = tried
    _print(deployment.name, label, place, number, answer, asked["output"])
    if answer.version != label:
        raise Failure(_missed(label, number, answer))


def _try(
    sent: Iterable[tuple[str, Request]], place: tuple[str, int], label: str, timeout: float
) -> tuple[int, Answer] | None:
    """How many requests were sent, and the answer to the last: the version's, if it was reached."""
    answers = (_send(place, request, key, timeout) for key, request in sent)
    last = None
    for number, answer in enumerate(answers, 1):
        last = number, answer
        if answer.version in {label, ""}:
            break
    return last


def _reachable(deployment: pb.Deployment, label: str) -> None:
    versions = {version.label: version for version in deployment.versions}
    if label not in versions:
        raise Failure(f"'{deployment.name}' has no version {label!r} (there are: {', '.join(versions)})")
    version = versions[label]
    if version.effective_weight:
        return
    if version.waiting_for_endpoints or version.unhealthy:
        why = "waits for endpoints" if version.waiting_for_endpoints else "is unhealthy"
        raise Failure(f"{label} {why}, so no request reaches it (canary status {deployment.name} says more)")
    if not selector(json.loads(deployment.spec_json)):
        raise Failure(f"{label} has no users, so no request reaches it ({_SURE})")


def _find_envoy(client: Client, deployment: pb.Deployment) -> tuple[tuple[str, int], str]:
    """The listener of one that serves a deployment, and its gateway."""
    serving = json.loads(deployment.spec_json).get("gateways")
    gateways = {
        gateway.name: options.parse_address(gateway.listeners[0])
        for gateway in client.gateways()
        if gateway.listeners and gateway.mode != "proxyless" and (not serving or gateway.name in serving)
    }
    for envoy in client.fleet():
        if envoy.gateway in gateways:
            host, port = gateways[envoy.gateway]
            return ((envoy.address if host in _ANYWHERE else host), port), envoy.gateway
    raise Failure(
        f"no Envoy that serves '{deployment.name}' is connected (canary fleet shows who is; --via HOST:PORT "
        "names a listener)"
    )


def _send(place: tuple[str, int], request: Request, key: str, timeout: float) -> Answer:
    connection = http.client.HTTPConnection(*place, timeout=timeout)
    start = time.perf_counter()
    try:
        method = "POST" if request.body else "GET"
        connection.request(method, request.path, body=request.body or None, headers=dict(request.headers))
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        where = f"{place[0]}:{place[1]}"
        failure = NoAnswer if isinstance(error, TimeoutError) else Failure
        raise failure(f"no answer from {where}: {error} (--via HOST:PORT names another Envoy)") from error
    finally:
        connection.close()
    version = response.getheader(VERSION_HEADER) or ""
    return Answer(response.status, version, time.perf_counter() - start, body, key)


def _print(name: str, label: str, place: tuple[str, int], number: int, answer: Answer, output: str) -> None:
    if is_data(output):
        data: Data = {
            "name": name,
            "version": label,
            "reached": answer.version or None,
            "envoy": f"{place[0]}:{place[1]}",
            "key": answer.key or None,
            "requests": number,
            "status": answer.status,
            "milliseconds": round(answer.seconds * 1000, 1),
            "body": _start(answer.body),
        }
        print_data(data, output)
    elif output == "name":
        print_names([answer.version])
    else:
        print_facts(
            [
                ("Version", answer.version or "?"),
                ("Status", str(answer.status)),
                ("Took", f"{answer.seconds * 1000:.1f} ms"),
                ("Envoy", f"{place[0]}:{place[1]}"),
                *([("Key", answer.key)] if answer.key else []),
                ("Requests", str(number)),
                ("Body", _start(answer.body)),
            ]
        )


def _start(body: bytes) -> str:
    return body[:_BODY].decode(errors="replace") + ("..." if len(body) > _BODY else "")


def _missed(label: str, number: int, answer: Answer) -> str:
    if not answer.version:
        return (
            f"the answer ({answer.status}) has no {VERSION_HEADER}, so nobody knows whether {label} gave it "
            "(is it another service's, or the gateway's version_header turned off?)"
        )
    if number == 1:
        return f"{label} was not reached: the request went to {answer.version} (canary get shows the split)"
    return f"{label} was not reached in {number} requests ({_SURE}; --tries allows more)"
