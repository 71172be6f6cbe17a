"""Deployments and endpoints as hypothesis makes them: every key, every form, all of them valid."""

from typing import Any, Literal

from hypothesis import strategies as st
from pydantic import JsonValue

from xds.spec.deployment import Canary, Deployment, Version
from xds.spec.endpoints import Endpoint
from xds.spec.envoy import EnvoyPatches, EnvoyVersionPatches
from xds.spec.matching import BodyMatch
from xds.spec.splits import Mirror, Rule, RuleMatch, Secret, SessionAffinity, VersionSelector
from xds.spec.upstream import (
    CircuitBreakers,
    HeaderEdits,
    Headers,
    HealthCheck,
    LoadBalancing,
    OutlierDetection,
    Retry,
    SlowStart,
    Tls,
)

NO_CHARACTERS: tuple[Literal["Cs"]] = ("Cs",)
characters = st.characters(exclude_categories=NO_CHARACTERS)
names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
labels = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9]{0,8}[A-Za-z0-9])?", fullmatch=True).filter("main".__ne__)
tags = st.from_regex(r"[a-z0-9._/-]{1,12}:[a-z0-9._-]{1,12}|true|12|1e3|~|<<|=", fullmatch=True)
tokens = st.from_regex(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,12}", fullmatch=True).filter(
    lambda name: name.lower() != "host"
)
header_values = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
models = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
texts = st.text(characters, min_size=1, max_size=12)
durations = st.integers(0, 10**8).map(lambda milliseconds: milliseconds / 1000)
positive = st.integers(1, 10**8).map(lambda milliseconds: milliseconds / 1000)
percents = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)
counts = st.integers(1, 2**32 - 1)
hosts = st.from_regex(
    r"[a-z0-9]{1,8}(\.[a-z0-9_]{1,5}){0,2}|\*\.[a-z]{1,5}|[a-z]{1,5}\.\*|\*", fullmatch=True
)
paths = st.from_regex(r"/|(/[a-z0-9~%:@-]{1,6}){1,3}", fullmatch=True)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters)
)
kept: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(characters), deeper, max_size=3),
    max_leaves=8,
)


raw = st.dictionaries(st.text(characters), kept, max_size=3)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None, or one of these."""
    return st.none() | strategy


@st.composite
def header_edits(draw: st.DrawFn) -> HeaderEdits:
    """Names that differ by more than their case."""
    some = draw(st.lists(tokens, unique_by=str.lower, max_size=4))
    cut = draw(st.integers(0, len(some)))
    return HeaderEdits(set={name: draw(header_values) for name in some[:cut]}, remove=tuple(some[cut:]))


tls = st.builds(Tls, sni=maybe(texts), ca_file=maybe(texts)) | st.builds(Tls, cert_file=texts, key_file=texts)
cluster_settings: dict[str, st.SearchStrategy[Any]] = {
    "protocol": maybe(st.sampled_from(["http1", "http2", "grpc"])),
    "connect_timeout": maybe(positive),
    "tls": maybe(tls),
    "health_check": maybe(
        st.builds(
            HealthCheck,
            type=st.sampled_from(["http", "grpc", "tcp"]),
            path=paths,
            interval=positive,
            timeout=positive,
            unhealthy_threshold=counts,
            healthy_threshold=counts,
        )
    ),
    "outlier_detection": maybe(
        st.builds(
            OutlierDetection,
            consecutive_5xx=counts,
            interval=positive,
            base_ejection_time=positive,
            max_ejection_percent=percents,
        )
    ),
    "circuit_breakers": maybe(
        st.builds(
            CircuitBreakers,
            max_connections=maybe(counts),
            max_requests=maybe(counts),
            max_retries=maybe(counts),
        )
    ),
    "load_balancing": maybe(
        st.builds(LoadBalancing, policy=st.sampled_from(["least_request", "round_robin"]))
    ),
    "slow_start": maybe(st.builds(SlowStart, window=positive)),
    "headers": maybe(st.builds(Headers, request=header_edits(), response=header_edits())),
}


key_headers = tokens.filter(lambda name: "_" not in name)
query_names = st.from_regex(r"[A-Za-z0-9%_.-]{1,8}", fullmatch=True)
value_matches: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "exact": st.fixed_dictionaries({"exact": texts}),
    "prefix": st.fixed_dictionaries({"prefix": texts}),
    "regex": st.sampled_from([{"regex": "a.*"}, {"regex": r"[^b]{1,9}|\pL+"}]),
    "present": st.just({"present": True}),
}
selectors = st.builds(
    VersionSelector,
    header=key_headers,
    query=maybe(query_names),
    cookie=maybe(tokens),
    unknown=st.sampled_from(["ignore", "not_found"]),
    secret=maybe(st.builds(Secret, header=key_headers, value=st.from_regex(r"[!-~]{1,12}", fullmatch=True))),
).filter(lambda said: said.secret is None or said.secret.header.lower() != (said.header or "").lower())
affinities = st.builds(
    SessionAffinity,
    cookie=maybe(tokens),
    max_age=st.integers(1, 10**6).map(float),
    path=maybe(paths.filter(lambda path: ";" not in path)),
)
matches = st.builds(
    RuleMatch,
    headers=st.dictionaries(key_headers, st.one_of(*value_matches.values()), max_size=2),
    query=st.dictionaries(query_names, st.one_of(*value_matches.values()), max_size=2),
    path=maybe(st.just({"regex": "/.*"})),
).filter(lambda match: match != RuleMatch())


@st.composite
def canaries(draw: st.DrawFn) -> Canary:
    """Weights that add up to at most 100; a key where the split needs one."""
    versions, left = {}, 10_000
    for label in draw(st.lists(labels, unique=True, max_size=3)):
        weight = draw(st.integers(0, left))
        left -= weight
        settings = draw(st.fixed_dictionaries({}, optional=cluster_settings))
        versions[label] = Version(
            bento=draw(maybe(tags)),
            min_endpoints=draw(maybe(counts)),
            weight=weight / 100,
            services=draw(kept),
            envs=draw(kept),
            envoy=draw(
                maybe(st.builds(EnvoyVersionPatches, cluster=maybe(raw), typed_per_filter_config=maybe(raw)))
            ),
            **settings,
        )
    route_type = draw(st.sampled_from(["random", "header", "query"]))
    return Canary(
        route_type=route_type,
        route_by={"random": None, "header": "X-User-ID", "query": "user"}[route_type],
        salt=draw(maybe(texts.map(lambda text: "".join(filter(str.isprintable, text))))),
        when_missing=draw(st.sampled_from(["random", "main", "sticky"])),
        version_selector=draw(maybe(selectors)),
        session_affinity=draw(maybe(affinities)),
        mirror=draw(
            maybe(st.builds(Mirror, version=st.sampled_from(["main", *versions]), percentage=percents))
        ),
        on_unsupported=draw(st.sampled_from(["main", "random", "refuse"])),
        versions=versions,
        steps=draw(kept),
        analysis=draw(kept),
    )


rules = st.lists(
    st.builds(Rule, match=matches, version=st.just("main"), percentage=percents), max_size=2
).map(tuple)
deployments: st.SearchStrategy[Deployment] = st.builds(
    Deployment,
    name=names,
    rules=rules,
    bento=maybe(tags),
    hosts=maybe(st.lists(hosts, min_size=1, max_size=3, unique=True).map(tuple)),
    path_prefix=paths,
    match=maybe(st.builds(BodyMatch, model=st.lists(models, min_size=1, max_size=3, unique=True))),
    gateways=maybe(st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)),
    canary=canaries(),
    timeout=maybe(durations),
    idle_timeout=maybe(durations),
    max_stream_duration=maybe(durations),
    retry=maybe(
        st.builds(Retry, attempts=st.integers(0, 10), per_try_timeout=maybe(positive))
        | st.builds(Retry, attempts=st.integers(1, 10), on_other_version=st.booleans(), on_5xx=st.booleans())
    ),
    lend_when=st.sampled_from([None, "unhealthy", "empty", "never"]),
    services=kept,
    labels=kept,
    min_endpoints=counts,
    revision_history_limit=counts,
    envoy=maybe(st.builds(EnvoyPatches, route=maybe(raw), cluster=maybe(raw))),
    **cluster_settings,
)

addresses = st.ip_addresses().map(str)
endpoints: st.SearchStrategy[Endpoint] = st.builds(
    Endpoint,
    address=addresses | st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9](\.[a-z]{2,4})?", fullmatch=True),
    port=st.integers(1, 65_535),
    weight=st.integers(1, 128),
    zone=maybe(texts),
)
