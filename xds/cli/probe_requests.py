"""What `canary test` sends: a request that the version gets, where that can be known.

A deployment with a version selector is asked for the version by name, and it needs no users then. Where
keys decide, the server tells which of many belong to the version, however small its share; with a server
that can't, keys are tried as they come. Which version answered is the Envoy's word in any case.
"""

import dataclasses
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from itertools import count

from xds.client import CanaryError, Client
from xds.stubs import canary_admin_v1_pb2 as pb

_BATCH = 10_000
"""Keys the server is asked about at once: all it takes."""
_BATCHES = 10
"""A version with a share of 0.01 % has a key among so many but for once in 20,000 times."""

Spec = Mapping[str, object]
"""A deployment, or a part of one, as its file has it."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is sent: with a body, POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a command was told to send.

    Attributes:
        path: None: the deployment's.
        headers: by name in lower case.
        model: what the body is to name; None: what the deployment answers for, if that matters.
        gateway: whose Envoy is asked; "": nobody knows.
    """

    path: str | None
    headers: Mapping[str, str]
    model: str | None
    gateway: str = ""


def selector(spec: Spec) -> Spec:
    """How a request names its version; empty: it can't."""
    return _part(_part(spec, "canary"), "version_selector")


def requests(
    client: Client, deployment: pb.Deployment, label: str, asked: Asked
) -> Iterator[tuple[str, Request]]:
    """Requests to try, each with its key; "": it has none."""
    spec: Spec = json.loads(deployment.spec_json)
    split = _part(spec, "canary")
    by, kind = str(split.get("route_by") or ""), split.get("route_type")
    request = _request(spec, asked)
    given = asked.headers.get(by.lower()) if kind == "header" else None
    if given is not None:
        yield given, request
    elif pin := selector(spec):
        yield "", _pinned(request, pin, label)
    elif kind in {"header", "query"}:
        for key in _keys(client, deployment.name, label, asked, request):
            yield key, _with_header(request, by, key) if kind == "header" else _with_query(request, by, key)
    else:
        while True:
            yield "", request


def _keys(client: Client, name: str, label: str, asked: Asked, request: Request) -> Iterator[str]:
    """Keys that belong to a version; any, if the server doesn't say."""
    for batch in range(_BATCHES):
        keys = [f"canary-test-{number}" for number in range(batch * _BATCH + 1, (batch + 1) * _BATCH + 1)]
        try:
            told = client.explain(
                name,
                target=asked.path or "",
                headers=asked.headers.items(),
                method="POST" if request.body else "GET",
                model=json.loads(request.body)["model"] if request.body else None,
                keys=keys,
                gateway=asked.gateway,
            )
        except CanaryError:
            yield from (f"canary-test-{number}" for number in count(1))
            return
        for key, explanation in zip(keys, told.explanations, strict=False):
            if explanation.version == label and explanation.deployment == name:
                yield key


def _request(spec: Spec, asked: Asked) -> Request:
    hosts = spec.get("hosts")
    host = str(hosts[0]) if isinstance(hosts, list) and hosts else str(spec["name"])
    path = asked.path or str(spec.get("path_prefix") or "/")
    headers = {"host": host, **asked.headers}
    model = asked.model or _model(spec)
    if model is None:
        return Request(path, headers)
    return Request(
        path, {"content-type": "application/json", **headers}, json.dumps({"model": model}).encode()
    )


def _model(spec: Spec) -> str | None:
    models = _part(spec, "match").get("model")
    first = models[0] if isinstance(models, list) and models else models
    return first if isinstance(first, str) else None


def _pinned(request: Request, pin: Spec, label: str) -> Request:
    secret = _part(pin, "secret")
    if secret:
        request = _with_header(request, str(secret["header"]), str(secret["value"]))
    if header := pin.get("header"):
        return _with_header(request, str(header), label)
    if query := pin.get("query"):
        return _with_query(request, str(query), label)
    cookies = [request.headers["cookie"]] if "cookie" in request.headers else []
    return _with_header(request, "cookie", "; ".join([*cookies, f"{pin['cookie']}={label}"]))


def _with_header(request: Request, name: str, value: str) -> Request:
    return dataclasses.replace(request, headers={**request.headers, name.lower(): value})


def _with_query(request: Request, name: str, value: str) -> Request:
    glue = "&" if "?" in request.path else "?"
    return dataclasses.replace(request, path=f"{request.path}{glue}{urllib.parse.quote(name)}={value}")


def _part(spec: Spec, key: str) -> Spec:
    part = spec.get(key)
    return part if isinstance(part, dict) else {}
