"""Envoy resources that people give a gateway, from their texts to the catalog. Pure.

texts -> documents with `@type` (read_resources) -> what is wrong with them (references)
      -> a set, recorded (xds.revisions.resources) -> encoded resources (encoded)
"""

import dataclasses
from collections.abc import Callable, Iterable

from google.protobuf.message import Message

from xds.catalog.resource import Resource, encode
from xds.catalog.types import ROUTING, Type
from xds.revisions.resources import Content
from xds.spec.complaint import show
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path
from xds.spec.source import parts_of
from xds.stubs import envoy_config_cluster_v3_pb2 as cluster_v3
from xds.translate.raw import parse_any
from xds.translate.raw_check import faults_of_any
from xds.translate.raw_names import clusters_in
from xds.translate.raw_types import type_url

_KINDS = ", ".join(type_.rpartition(".")[2] for type_ in Type)


@dataclasses.dataclass(frozen=True)
class Given:
    """One resource that was given.

    Attributes:
        file: the name its text came under.
        line_of: the line in which a path of it stands.
    """

    content: Content
    message: Message
    file: str = ""
    line_of: Callable[[Path], int] = dataclasses.field(default=lambda _: 0, compare=False, repr=False)

    @property
    def type(self) -> str:
        """Its type URL."""
        return type_url(self.message)

    @property
    def name(self) -> str:
        """Its name in xDS."""
        return str(getattr(self.message, self.name_field))

    @property
    def name_field(self) -> str:
        """Which of its fields is its name."""
        return "cluster_name" if self.type == Type.ENDPOINT else "name"

    def fault(self, path: Path, message: str, mend: str = "") -> Fault:
        """Something that is wrong with it."""
        findings = Findings(self.file, self.line_of)
        findings.fault(path, message, mend)
        return findings.faults[0]


def read_resources(texts: Iterable[tuple[str, str]]) -> tuple[list[Given], list[Fault]]:
    """The resources in texts (a name and YAML or JSON each), one a document; and what is wrong with them."""
    found: list[Given] = []
    faults: list[Fault] = []
    for file, text in texts:
        parts, broken = parts_of(file, text)
        faults += broken
        for part in parts:
            if part.value is None and not part.findings.faults:
                continue
            given = _given(part.value, part.findings) if not part.findings.faults else None
            faults += part.findings.faults
            found += [given] if given is not None else []
    return found, sorted(faults)


def _given(value: object, findings: Findings) -> Given | None:
    if not isinstance(value, dict):
        findings.fault((), f"{show(value)} is no resource", "write a mapping with an @type")
        return None
    for wrong in faults_of_any(value):
        findings.fault(wrong.path, wrong.message, wrong.mend)
    if findings.faults:
        return None
    given = Given(value, parse_any(value), findings.file, findings.line_of)
    if given.type not in set(Type):
        message = f"{show(given.type)} is no type that xDS carries"
        findings.fault(("@type",), message, f"write one of {_KINDS}")
    elif not given.name:
        findings.fault((given.name_field,), "is missing")
    return None if findings.faults else given


def parsed(contents: Iterable[Content], file: str = "") -> list[Given]:
    """The resources of a recorded set.

    Raises:
        RawError: it was recorded by a Canary that knew other messages.
    """
    return [Given(content, parse_any(content), file) for content in contents]


def encoded(contents: Iterable[Content]) -> tuple[Resource, ...]:
    """A recorded set as the catalog has it.

    Endpoints of an EDS cluster take its version into theirs: an Envoy that was sent a new cluster
    waits for its endpoints to come again.

    Raises:
        RawError: it was recorded by a Canary that knew other messages.
    """
    resources: list[Resource] = []
    versions: dict[str, list[str]] = {}
    given = parsed(contents)
    for each in given:
        if each.type == Type.ENDPOINT:
            continue
        clusters = clusters_in(each.message) if each.type in ROUTING else frozenset()
        made = encode(each.type, each.name, each.message, clusters=clusters)
        resources.append(made)
        if isinstance(each.message, cluster_v3.Cluster):
            versions.setdefault(endpoints_name(each.message), []).append(made.version)
    for each in given:
        if each.type == Type.ENDPOINT:
            salt = "".join(sorted(versions.get(each.name, ())))
            resources.append(encode(each.type, each.name, each.message, salt=salt))
    return tuple(resources)


def endpoints_name(cluster: cluster_v3.Cluster) -> str:
    """The name under which a cluster asks for its endpoints."""
    return cluster.eds_cluster_config.service_name or cluster.name
