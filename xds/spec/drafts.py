"""One document of a file on its way to a deployment and its endpoints.

A document is a deployment, or, with `endpoints:` and nothing else, endpoints by tag.
"""

import dataclasses
from collections.abc import Mapping

from pydantic import JsonValue
from pydantic_core import PydanticCustomError

from xds.spec.complaint import show
from xds.spec.deployment import MAIN, Deployment
from xds.spec.endpoint_lists import read_endpoints
from xds.spec.endpoints import Endpoint
from xds.spec.findings import Findings, Path
from xds.spec.fit import fit
from xds.spec.kept import longest_timeout, mention_kept
from xds.spec.keys import about_stray, known_keys
from xds.spec.names import parse_build
from xds.spec.relations import judge

_UNNAMED = "unnamed"
"""Stands in for a name that is missing or faulty, so that the rest can be judged."""

Endpoints = tuple[Endpoint, ...]


@dataclasses.dataclass(frozen=True)
class Draft:
    """What a document says.

    Attributes:
        deployment: None for endpoints by tag, and where too much is wrong.
        endpoints: by build ref, as far as they are fine: where the list stands, and the list.
    """

    deployment: Deployment | None
    endpoints: Mapping[str, tuple[Path, Endpoints]]


_NOTHING = Draft(None, {})


def draft(value: JsonValue, findings: Findings, *, strict: bool) -> Draft:
    """Read one document, noting what is wrong with it."""
    if not isinstance(value, dict):
        findings.fault((), f"{show(value)} is no deployment", "write a mapping with at least a name")
        return _NOTHING
    if _is_by_tag(value):
        return _endpoints_by_tag(value, findings, strict=strict)
    return _deployment(value, findings, strict=strict)


def _is_by_tag(value: dict[str, JsonValue]) -> bool:
    listed = value.get("endpoints")
    return (isinstance(listed, dict) or value.keys() == {"endpoints"}) and not (
        set(known_keys(Deployment)) - {"endpoints"} & value.keys()
    )


def _endpoints_by_tag(value: dict[str, JsonValue], findings: Findings, *, strict: bool) -> Draft:
    for key in value.keys() - {"endpoints"}:
        stray = about_stray(Endpoint, key, strict=strict)
        (findings.fault if stray.is_fault else findings.warn)((key,), stray.message)
    listed = value["endpoints"]
    if not isinstance(listed, dict):
        findings.fault(
            ("endpoints",), f"{show(listed)} has no tags", 'write endpoints: {"name:version": [...]}'
        )
        return _NOTHING
    found: dict[str, tuple[Path, Endpoints]] = {}
    for ref, items in listed.items():
        at = ("endpoints", ref)
        try:
            parse_build(ref)
        except PydanticCustomError as error:
            findings.wrong(at, error)
        endpoints = read_endpoints(items, findings, at, strict=strict)
        if endpoints is not None:
            found[ref] = (at, endpoints)
    return Draft(None, found)


def _deployment(value: dict[str, JsonValue], findings: Findings, *, strict: bool) -> Draft:
    body = dict(value)
    lists: dict[str, tuple[Path, Endpoints]] = {}
    _take_endpoints(MAIN, body, (), findings, lists, strict=strict)
    _rename_build(body, (), findings)
    versions = _own_versions(body)
    for label, version in versions.items():
        at = ("canary", "versions", label)
        _take_endpoints(label, version, at, findings, lists, strict=strict)
        _rename_build(version, at, findings)
    if body.get("timeout") is None:
        body["timeout"] = longest_timeout(body.get("services"), findings)
    if body.get("name") is None:
        findings.fault(("name",), "is missing", "every deployment has a name, and endpoints by tag have none")
        body["name"] = _UNNAMED
    deployment = fit(Deployment, body, findings, strict=strict, stand_in={"name": _UNNAMED})
    if deployment is None:
        return _NOTHING
    judge(deployment, findings)
    mention_kept(deployment, findings)
    return Draft(deployment, _by_ref(deployment, lists, findings))


def _own_versions(body: dict[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    """Give `body` versions that can be changed, and give them back; `a:` alone is an empty version."""
    canary = body.get("canary")
    versions = canary.get("versions") if isinstance(canary, dict) else None
    if not isinstance(canary, dict) or not isinstance(versions, dict):
        return {}
    own: dict[str, dict[str, JsonValue]] = {
        label: dict(version or {})
        for label, version in versions.items()
        if version is None or isinstance(version, dict)
    }
    body["canary"] = {**canary, "versions": {**versions, **own}}
    return own


def _take_endpoints(
    label: str,
    holder: dict[str, JsonValue],
    at: Path,
    findings: Findings,
    lists: dict[str, tuple[Path, Endpoints]],
    *,
    strict: bool,
) -> None:
    if "endpoints" not in holder:
        return
    where = (*at, "endpoints")
    value = holder.pop("endpoints")
    if isinstance(value, dict):
        mend = "write a list; endpoints by tag stand in a document of their own, without a name"
        findings.fault(where, f"{show(value)} is no list", mend)
        return
    endpoints = read_endpoints(value, findings, where, strict=strict)
    if endpoints is not None:
        lists[label] = (where, endpoints)


def _rename_build(holder: dict[str, JsonValue], at: Path, findings: Findings) -> None:
    """`build` is a synonym of `bento`."""
    if "build" not in holder:
        return
    build = holder.pop("build")
    bento = holder.get("bento")
    if build is None:
        return
    if bento is None:
        holder["bento"] = build
        findings.written_as((*at, "bento"), (*at, "build"))
    elif bento != build:
        message = f"{show(build)} is not {show(bento)}, which bento says, and both mean the same"
        findings.fault((*at, "build"), message, "keep one of them")


def _by_ref(
    deployment: Deployment, lists: Mapping[str, tuple[Path, Endpoints]], findings: Findings
) -> dict[str, tuple[Path, Endpoints]]:
    """Endpoints by build; labels that share a build have to agree on them."""
    found: dict[str, tuple[Path, Endpoints]] = {}
    for label, (at, endpoints) in lists.items():
        if label not in deployment.weights():
            continue
        ref = deployment.build_ref(label)
        earlier = found.setdefault(ref, (at, endpoints))
        if set(earlier[1]) != set(endpoints):
            findings.fault(at, *given_twice(ref, f"line {findings.line_of(earlier[0])}"))
    return found


def given_twice(ref: str, elsewhere: str) -> tuple[str, str]:
    """The message and the mend for a build whose endpoints are given twice, and differ."""
    return f"the endpoints of {ref} are also given in {elsewhere}, and differ", "give them in one place"
