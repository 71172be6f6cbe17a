"""Lists of endpoints, in every form a person may write: `host:port`, or mappings.

endpoints:
  - 10.0.0.11:3000
  - "[fd00::11]:3000"
  - {address: 10.0.0.12, port: 3000, weight: 2, zone: eu-1a}
  - {dns: summarizer.internal, port: 3000}
"""

import re

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from xds.spec.complaint import parts_of, show, wrong
from xds.spec.endpoints import Endpoint
from xds.spec.findings import Findings, Path
from xds.spec.fit import fit
from xds.spec.places import ip_or_none, parse_address
from xds.spec.values import Whole

_BRACKETED = re.compile(r"\[([^\]]*)\]:(.*)")
_FORMS = "write host:port, or {address: ..., port: ...}"
_port = Whole(1, 65_535)


def read_endpoints(
    value: JsonValue, findings: Findings, at: Path, *, strict: bool = False
) -> tuple[Endpoint, ...] | None:
    """The endpoints of one build.

    Args:
        value: the list a file has.
        findings: where to note what is wrong.
        at: where the list stands.
        strict: unknown keys are faults.

    Returns:
        The endpoints, in the file's order (an empty list says: none now); None if anything is wrong.
    """
    if not isinstance(value, list):
        if value is None:
            findings.fault(at, "says nothing", "write [] for none now, or leave the key out")
        else:
            findings.fault(at, f"{show(value)} is no list", "write [host:port]")
        return None
    found = [_one(item, findings, (*at, index), strict=strict) for index, item in enumerate(value)]
    endpoints = tuple(each for each in found if each is not None)
    if len(endpoints) < len(found):
        return None
    _check_each_stands_once(endpoints, findings, at)
    _check_not_mixed(endpoints, findings, at)
    return None if findings.spoiled(at) else endpoints


def _check_each_stands_once(endpoints: tuple[Endpoint, ...], findings: Findings, at: Path) -> None:
    first: dict[tuple[str, int], int] = {}
    for index, endpoint in enumerate(endpoints):
        earlier = first.setdefault((endpoint.address, endpoint.port), index)
        if earlier != index:
            findings.fault((*at, index), f"{endpoint} is listed twice", "use weight to give it more")


def _check_not_mixed(endpoints: tuple[Endpoint, ...], findings: Findings, at: Path) -> None:
    names = [endpoint for endpoint in endpoints if endpoint.is_name]
    if names and len(names) < len(endpoints):
        address = next(endpoint for endpoint in endpoints if not endpoint.is_name)
        findings.fault(
            at,
            f"{names[0]} is a name and {address} an address, and one build has either",
            "use names only, or addresses only",
        )


def _one(value: JsonValue, findings: Findings, at: Path, *, strict: bool) -> Endpoint | None:
    if isinstance(value, dict):
        return _from_mapping(value, findings, at, strict=strict)
    try:
        return parse_endpoint(value)
    except PydanticCustomError as error:
        findings.wrong(at, error)
        return None


def parse_endpoint(value: JsonValue) -> Endpoint:
    """The endpoint that `host:port` or `[address]:port` names.

    Raises:
        ValueError: it is no text, or host or port are missing or wrong.
    """
    if not isinstance(value, str):
        raise wrong(f"{show(value)} is no endpoint", _FORMS)
    if "/" in value:
        alone = value.rpartition("://")[2].partition("/")[0]
        raise wrong(f"{show(value)} is a URL, no endpoint", f"write {alone}" if ":" in alone else _FORMS)
    bracketed = _BRACKETED.fullmatch(value)
    if bracketed is not None:
        address, port = bracketed[1], bracketed[2]
        if ":" not in (ip_or_none(address) or ""):
            raise wrong(f"{show(address)} is no IPv6 address, and only those have brackets")
    elif value.count(":") != 1 and ip_or_none(value.strip("[]")):
        shown = value.strip("[]")
        raise wrong(
            f"{show(value)} has no port", f"write [{shown}]:3000" if ":" in shown else f"write {shown}:3000"
        )
    else:
        address, colon, port = value.rpartition(":")
        if not colon:
            raise wrong(f"{show(value)} has no port", f"write {value}:3000" if value else _FORMS)
        if ":" in address:
            raise wrong(
                f"{show(value)} has several colons", "put an IPv6 address in brackets: [fd00::1]:3000"
            )
    return Endpoint(address=parse_address(address), port=_parse_port(port))


def _parse_port(text: str) -> int:
    try:
        return _port(text)
    except PydanticCustomError as error:
        message, mend = parts_of(error)
        raise wrong(f"its port {message}", mend) from error


def _from_mapping(
    value: dict[str, JsonValue], findings: Findings, at: Path, *, strict: bool
) -> Endpoint | None:
    body = dict(value)
    if "dns" in body:
        name = body.pop("dns")
        if "address" in body:
            findings.fault((*at, "dns"), "stands beside address", "keep one of them")
        elif isinstance(name, str) and ip_or_none(name):
            findings.fault((*at, "dns"), f"{show(name)} is an address, no name", "write address: instead")
        findings.written_as((*at, "address"), (*at, "dns"))
        body["address"] = name
    elif "address" not in body:
        findings.fault(at, "has no address", _FORMS)
        return None
    endpoint = fit(Endpoint, body, findings, at, strict=strict)
    return None if findings.spoiled(at) else endpoint
