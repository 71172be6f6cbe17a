"""Service discovery as Prometheus has it: target groups of `file_sd` and `http_sd`, and where they come from.

    [{"targets": ["10.0.0.1:3000"], "labels": {"build": "chat:v2", "weight": "2", "zone": "eu-1a"}}]

Adapters that write this exist for nearly everything that knows where services run. A label says which
build a group belongs to, or the source is of one build. Groups without the label are somebody else's.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from xds.spec.complaint import show
from xds.spec.endpoint_lists import parse_endpoint
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path
from xds.spec.fit import fit
from xds.spec.source import parts_of
from xds.spec.upstream import Model
from xds.spec.values import PositiveDuration, Text

_AT = "endpoint_sources"
_GROUPS = 'write [{"targets": ["10.0.0.1:3000"], "labels": {"build": "chat:v2"}}]'
_TARGET = re.compile(r"[^\s@]+(@[^\s@]+)?")


class EndpointSource(Model):
    """Where endpoints are polled from. One of `file_sd` and `http_sd` is set."""

    file_sd: Text | None = None
    """Files, by a pattern: `targets/*.json`. Each one that matches is a source of its own."""
    http_sd: Text | None = None
    """A URL."""
    build_label: Text = "build"
    """The label that says which build a group belongs to: its tag, or `<deployment>@<label>`."""
    build: Text | None = None
    """The build that all groups belong to, whatever their labels say."""
    interval: PositiveDuration = 30.0
    """Seconds between two questions to a URL."""
    timeout: PositiveDuration = 10.0
    """Seconds a URL has for its answer."""

    @property
    def name(self) -> str:
        """What it is called; of a URL without the password."""
        if self.http_sd is None:
            return file_source(self.file_sd or "")
        url = urlsplit(self.http_sd)
        return f"http_sd: {urlunsplit(url._replace(netloc=url.netloc.rpartition('@')[2]))}"


def file_source(path: str) -> str:
    """What the source is called that is one file."""
    return f"file_sd: {path}"


def read_groups(
    text: str, name: str, source: EndpointSource
) -> tuple[Mapping[str, tuple[Endpoint, ...]], tuple[Fault, ...]]:
    """The endpoints of an answer, JSON or YAML.

    Args:
        text: the answer.
        name: what it is called in messages.
        source: how its labels are to be read.

    Returns:
        By target (a tag, or `<deployment>@<label>`): its endpoints, sorted; and every fault.
    """
    value, findings, faults = _parsed(text, name)
    found: defaultdict[str, dict[str, Endpoint]] = defaultdict(dict)
    for at, target, endpoint in _endpoints(value, findings, source):
        earlier = found[target].setdefault(str(endpoint), endpoint)
        if earlier != endpoint:
            findings.fault(at, f"{endpoint} is listed twice for {target}, and not alike", "list it once")
    by_target = {
        target: tuple(endpoints[where] for where in sorted(endpoints)) for target, endpoints in found.items()
    }
    return by_target, tuple(sorted([*faults, *findings.faults]))


def read_endpoint_sources(
    value: object, file: str, line_of: Callable[[Path], int] = lambda _: 0
) -> tuple[tuple[EndpointSource, ...], tuple[Fault, ...]]:
    """The sources that a server's configuration lists at its key `endpoint_sources`, and every fault."""
    findings = Findings(file, line_of)
    if not isinstance(value, list):
        findings.fault((_AT,), f"{show(value)} is no list", "write [{file_sd: targets/*.json}]")
        return (), tuple(findings.faults)
    sources = [_source(item, (_AT, index), findings) for index, item in enumerate(value)]
    _check_differ(sources, findings)
    return tuple(source for source in sources if source is not None), tuple(sorted(findings.faults))


def _parsed(text: str, name: str) -> tuple[JsonValue, Findings, list[Fault]]:
    """JSON on the fast road, for long lists; else YAML, with lines."""
    try:
        return json.loads(text), Findings(name), []
    except (ValueError, RecursionError):
        parts, faults = parts_of(name, text)
    if not parts:
        empty = [] if faults else [Fault(name, 0, "", "is empty", _GROUPS)]
        return [], Findings(name), [*faults, *empty]
    for more in parts[1:]:
        parts[0].findings.fault_at(more.line, (), "a second document", "write one list")
    return parts[0].value, parts[0].findings, faults


def _endpoints(
    value: JsonValue, findings: Findings, source: EndpointSource
) -> Iterator[tuple[Path, str, Endpoint]]:
    if not isinstance(value, list):
        findings.fault((), f"{show(value)} is no list of groups", _GROUPS)
        return
    for index, group in enumerate(value):
        if not isinstance(group, dict):
            findings.fault((index,), f"{show(group)} is no group", _GROUPS)
            continue
        labels = _labels(group, (index,), findings)
        target = source.build or labels.get(source.build_label)
        if target is None:
            continue
        if not isinstance(target, str) or not _TARGET.fullmatch(target):
            at: Path = (index, "labels", source.build_label)
            findings.fault(at, f"{show(target)} is no build", "write a tag, or deployment@label")
            continue
        for at, endpoint in _of_group(group, labels, (index,), findings):
            yield at, target, endpoint


def _labels(group: Mapping[str, JsonValue], at: Path, findings: Findings) -> Mapping[str, JsonValue]:
    labels = group.get("labels")
    if labels is not None and not isinstance(labels, dict):
        findings.fault((*at, "labels"), f"{show(labels)} is no mapping", "write name: value")
    return labels if isinstance(labels, dict) else {}


def _of_group(
    group: Mapping[str, JsonValue], labels: Mapping[str, JsonValue], at: Path, findings: Findings
) -> Iterator[tuple[Path, Endpoint]]:
    targets = group.get("targets")
    if not isinstance(targets, list):
        findings.fault((*at, "targets"), f"{show(targets)} is no list", "write [host:port]")
        return
    said = {key: labels[key] for key in ("weight", "zone") if labels.get(key) not in (None, "")}
    for index, target in enumerate(targets):
        here = (*at, "targets", index)
        try:
            place = parse_endpoint(target)
        except PydanticCustomError as error:
            findings.wrong(here, error)
            continue
        if not said:
            yield here, place
            continue
        whole = {"address": place.address, "port": place.port, **said}
        endpoint = fit(Endpoint, whole, findings, (*at, "labels"), strict=True)
        if endpoint is None or findings.spoiled((*at, "labels")):
            return  # the labels are of the whole group: said once
        yield here, endpoint


def _source(item: JsonValue, at: Path, findings: Findings) -> EndpointSource | None:
    if not isinstance(item, dict):
        findings.fault(at, f"{show(item)} is no mapping", "write {file_sd: ...} or {http_sd: ...}")
        return None
    source = fit(EndpointSource, item, findings, at, strict=True)
    if source is None or findings.spoiled(at):
        return None
    if (source.file_sd is None) == (source.http_sd is None):
        has = "both file_sd and http_sd" if source.file_sd else "neither file_sd nor http_sd"
        findings.fault(at, f"has {has}", "a source is one of them")
    if source.http_sd is not None and not is_url(source.http_sd):
        findings.fault((*at, "http_sd"), f"{show(source.http_sd)} is no URL", "write http://host:port/path")
    for key in ("interval", "timeout") if source.file_sd is not None else ():
        if item.get(key) is not None:
            findings.fault((*at, key), "is for http_sd; files are followed as they change", "leave it out")
    if source.build is not None and not _TARGET.fullmatch(source.build):
        message = f"{show(source.build)} is no build"
        findings.fault((*at, "build"), message, "write a tag, or deployment@label")
    if source.build is not None and item.get("build_label") is not None:
        findings.fault((*at, "build_label"), "stands beside build", "keep one of them")
    return source


def is_url(text: str) -> bool:
    """Whether a text is the URL of an HTTP server."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def _check_differ(sources: Sequence[EndpointSource | None], findings: Findings) -> None:
    first: dict[str, int] = {}
    for index, source in _there(sources):
        earlier = first.setdefault(source.name, index)
        if earlier != index:
            findings.fault((_AT, index), f"is the same as {_AT}[{earlier}]", "keep one of them")


def _there(sources: Iterable[EndpointSource | None]) -> Iterator[tuple[int, EndpointSource]]:
    return ((index, source) for index, source in enumerate(sources) if source is not None)
