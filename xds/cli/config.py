"""The server's configuration file: the settings of `canary serve` by name, and the gateways.

It is read like a deployment file, with every fault at once and a line for each. Paths in it are, like
those of flags, relative to the working directory.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, JsonValue

from xds.cli.failures import Faulty
from xds.cli.files import read_sources
from xds.cli.options import parse_address
from xds.spec.complaint import show, wrong
from xds.spec.faults import Fault
from xds.spec.findings import Findings
from xds.spec.fit import fit
from xds.spec.gateway import Gateway, default_gateway
from xds.spec.gateways import read_gateways
from xds.spec.metric_sources import PrometheusSource, read_metric_sources
from xds.spec.service_discovery import EndpointSource, read_endpoint_sources
from xds.spec.source import Part, parts_of
from xds.spec.upstream import Model
from xds.spec.values import Duration, Text


@dataclasses.dataclass(frozen=True)
class Config:
    """What a configuration file says.

    Attributes:
        settings: options of `canary serve` by name; only those that are set.
        gateways: at least one.
        endpoint_sources: where endpoints are polled from.
        metric_sources: who is asked for metrics besides the Envoys.
    """

    settings: Mapping[str, str | float | bool]
    gateways: tuple[Gateway, ...]
    endpoint_sources: tuple[EndpointSource, ...] = ()
    metric_sources: tuple[PrometheusSource, ...] = ()


def read_config(file: str | None) -> Config:
    """Read a configuration file; without one there is the default gateway, and nothing is set.

    Raises:
        Failure: it can't be read, or something in it is wrong. An unknown key is: nobody else reads it.
    """
    parts = _parts(file) if file is not None else []
    if not parts:
        return Config({}, (default_gateway(),))
    value, findings = parts[0].value, parts[0].findings
    for more in parts[1:]:
        findings.fault_at(more.line, (), "a second document", "keep one: a server has one configuration")
    if not isinstance(value, dict):
        findings.fault((), f"{show(value)} is no mapping", "write settings as key: value")
        raise Faulty(findings.faults)
    settings = fit(_File, value, findings, strict=True)
    gateways, faults = _gateways(value, findings)
    sources, wrong_sources = _endpoint_sources(value, findings)
    metric_sources, wrong_metrics = _metric_sources(value, findings)
    faults += wrong_sources + wrong_metrics
    if settings is None or findings.faults or faults:
        raise Faulty(sorted([*findings.faults, *faults]))
    said = settings.model_dump(exclude={"gateways", "endpoint_sources", "metric_sources"}, exclude_none=True)
    return Config(said, gateways, sources, metric_sources)


def _parts(file: str) -> list[Part]:
    ((name, text),) = read_sources([file])
    parts, faults = parts_of(name, text)
    if faults:
        raise Faulty(faults)
    return [part for part in parts if part.value is not None or part.findings.faults]


def _gateways(
    value: Mapping[str, JsonValue], findings: Findings
) -> tuple[tuple[Gateway, ...], tuple[Fault, ...]]:
    listed = value.get("gateways")
    if listed is None or listed == []:
        return (default_gateway(),), ()
    gateways, faults = read_gateways(listed, findings.file, findings.line_of)
    if not faults and any(gateway.is_raw for gateway in gateways):
        from xds.translate.raw_gateway import faults_of_gateways  # noqa: PLC0415 (Envoy's messages: slow)

        faults = tuple(faults_of_gateways(gateways, findings.file, findings.line_of))
    return gateways, faults


def _endpoint_sources(
    value: Mapping[str, JsonValue], findings: Findings
) -> tuple[tuple[EndpointSource, ...], tuple[Fault, ...]]:
    listed = value.get("endpoint_sources")
    if listed is None:
        return (), ()
    return read_endpoint_sources(listed, findings.file, findings.line_of)


def _metric_sources(
    value: Mapping[str, JsonValue], findings: Findings
) -> tuple[tuple[PrometheusSource, ...], tuple[Fault, ...]]:
    listed = value.get("metric_sources")
    if listed is None:
        return (), ()
    return read_metric_sources(listed, findings.file, findings.line_of)


def _listen(value: str) -> str:
    try:
        parse_address(value)
    except ValueError as error:
        raise wrong(f"{show(value)} is no HOST:PORT", "write for example 127.0.0.1:18000") from error
    return value


Listen = Annotated[str, AfterValidator(_listen)]


class _File(Model):
    xds_listen: Listen | None = None
    admin_listen: Listen | None = None
    http_listen: Listen | None = None
    metrics_listen: Listen | None = None
    tls_cert: Text | None = None
    tls_key: Text | None = None
    client_ca: Text | None = None
    admin_tokens: Text | None = None
    insecure: bool | None = None
    specs: Text | None = None
    store: Text | None = None
    keep_builds: Duration | None = None
    push_window: Duration | None = None
    health_checks: bool | None = None
    ready_file: Text | None = None
    otlp_endpoint: Text | None = None
    log_format: Literal["console", "json"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    gateways: JsonValue = None
    endpoint_sources: JsonValue = None
    metric_sources: JsonValue = None
