"""Prometheus servers that know about versions what Envoys can't: `metric_sources` of a configuration.

    metric_sources:
      - prometheus: http://prometheus:9090
        preset: vllm
        queries: {gpu: 'avg(DCGM_FI_DEV_GPU_UTIL{build=~"{builds}"})'}

A query is PromQL for one number. In it stand for the version that is asked about:

    {deployment} {version}   its names
    {build}                  its build: the tag, or <deployment>@<label>
    {builds}                 the same as a regular expression; of a whole deployment: all its builds
    {gateway}                the gateway that is asked about, or ""
    {span}                   the time that is looked at: 300s
    {selector}               {...} with the source's `selector`; {selector,more="labels"} adds to it

Some metrics' names have a meaning: `rate`, `error_rate`, `success_rate` (0 to 1), `in_flight`, `latency_p50`
to `latency_p99` and `first_byte_p50` to `first_byte_p99` are those of a summary. Any other is a measure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from xds.spec.complaint import show, wrong
from xds.spec.faults import Fault
from xds.spec.findings import Findings, Path
from xds.spec.fit import fit
from xds.spec.metric_presets import PRESETS, Preset
from xds.spec.service_discovery import is_url
from xds.spec.upstream import Model
from xds.spec.values import PositiveDuration, Text

_AT = "metric_sources"

PLACEHOLDERS = ("deployment", "version", "build", "builds", "gateway", "span")
_ALONE = re.compile(r"\{([a-zA-Z_]\w*)\}")
"""PromQL has no braces around a lone name: what looks like that is a placeholder, or a slip."""
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,62}")

SELECTOR = 'build=~"{builds}"'
"""How a version's series are found: by the label that `endpoint_sources` reads as well."""


def _queries(said: dict[str, str]) -> dict[str, str]:
    for name, query in said.items():
        if not _METRIC.fullmatch(name):
            raise wrong(f"{show(name)} is no name of a metric", "write lower-case words: gpu_load")
        _check(query)
    return said


def _check(query: str) -> str:
    for name in _ALONE.findall(query):
        if name not in (*PLACEHOLDERS, "selector"):
            raise wrong(f"there is no {{{name}}}", f"there are {', '.join(PLACEHOLDERS)} and selector")
    return query


class PrometheusSource(Model):
    """A Prometheus, and what it is asked."""

    prometheus: Text
    """Its URL."""
    preset: Preset | None = None
    """The queries for a model server."""
    queries: Annotated[dict[Text, Text], AfterValidator(_queries)] = Field(default_factory=dict)
    """By metric; over those of the preset."""
    selector: Annotated[Text, AfterValidator(_check)] = SELECTOR
    """How a version's series are found, as PromQL has it between braces."""
    timeout: PositiveDuration = 5.0
    """Seconds it has for all its answers."""
    bearer_token_file: Text | None = None
    """A file with a token to send along; read at every question."""

    @property
    def name(self) -> str:
        """What it is called; without the password."""
        scheme, _, rest = self.prometheus.partition("://")
        return f"prometheus: {scheme}://{rest.rpartition('@')[2]}".rstrip("/")

    def all_queries(self) -> Mapping[str, str]:
        """By metric, with the selector filled in."""
        asked = {**(PRESETS[self.preset] if self.preset else {}), **self.queries}
        return {name: query.replace("{selector", "{" + self.selector) for name, query in asked.items()}


def read_metric_sources(
    value: object, file: str, line_of: Callable[[Path], int] = lambda _: 0
) -> tuple[tuple[PrometheusSource, ...], tuple[Fault, ...]]:
    """The sources that a server's configuration lists at its key `metric_sources`, and every fault."""
    findings = Findings(file, line_of)
    if not isinstance(value, list):
        findings.fault((_AT,), f"{show(value)} is no list", "write [{prometheus: http://...}]")
        return (), tuple(findings.faults)
    sources = [_source(item, (_AT, index), findings) for index, item in enumerate(value)]
    first: dict[str, int] = {}
    for index, source in enumerate(sources):
        if source is not None and first.setdefault(source.name, index) != index:
            findings.fault((_AT, index), f"is the same as {_AT}[{first[source.name]}]", "ask it all at once")
    return tuple(source for source in sources if source is not None), tuple(sorted(findings.faults))


def _source(item: JsonValue, at: Path, findings: Findings) -> PrometheusSource | None:
    if not isinstance(item, dict):
        findings.fault(at, f"{show(item)} is no mapping", "write {prometheus: http://...}")
        return None
    source = fit(PrometheusSource, item, findings, at, strict=True)
    if source is None or findings.spoiled(at):
        return None
    if not is_url(source.prometheus):
        findings.fault((*at, "prometheus"), f"{show(source.prometheus)} is no URL", "write http://host:9090")
    if source.preset is None and not source.queries:
        findings.fault(at, "asks nothing", f"give it queries, or a preset: {', '.join(PRESETS)}")
    return source
