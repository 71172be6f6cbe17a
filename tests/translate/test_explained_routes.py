"""Explain, where no Envoy is needed to see what is right."""

import dataclasses

import pytest
import xxhash

from tests.support import files
from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_v3_pb2 as type_v3
from xds.translate.explain.answer import Explanation
from xds.translate.explain.asked import Request
from xds.translate.explain.explain import explain
from xds.translate.explain.hashing import hash_of
from xds.translate.explain.table import Table, domain_of, table_of
from xds.translate.view import Endpoints, View

Policy = route_v3.RouteAction.HashPolicy
BY_HEADER = Policy(header=Policy.Header(header_name="x-user"))
BY_QUERY = Policy(query_parameter=Policy.QueryParameter(name="user"))
REQUEST = Request(target=b"/?user=q", headers=(("X-User", b"h"),))


def to_one(name: str = "mine") -> route_v3.Route:
    """A route to one cluster, whatever is asked."""
    out = route_v3.Route(name=name, match=route_v3.RouteMatch(prefix="/"))
    out.route.cluster = "somewhere"
    return out


def test_two_hashes_are_turned_and_mixed() -> None:
    """`rotl64(h1, 1) ^ h2`; terminal: the first that is found is all."""
    first, second = xxhash.xxh64_intdigest(b"h"), xxhash.xxh64_intdigest(b"q")
    both = hash_of([BY_HEADER, BY_QUERY], REQUEST)
    assert both is not None
    assert both.value == ((first << 1 | first >> 63) & (2**64 - 1)) ^ second
    alone = Policy(terminal=True)
    alone.MergeFrom(BY_HEADER)
    only = hash_of([alone, BY_QUERY], REQUEST)
    assert only is not None
    assert only.value == first


def test_a_terminal_policy_that_finds_nothing_ends_nothing() -> None:
    """The next one is asked."""
    alone = Policy(terminal=True)
    alone.MergeFrom(BY_HEADER)
    found = hash_of([alone, BY_QUERY], dataclasses.replace(REQUEST, headers=()))
    assert found is not None
    assert found.value == xxhash.xxh64_intdigest(b"q")


def test_a_rewritten_header_is_hashed() -> None:
    r"""`\\1` is a group, and two backslashes are one."""
    rewritten = Policy()
    rewritten.CopyFrom(BY_HEADER)
    rewritten.header.regex_rewrite.pattern.regex = "(.)(.)"
    rewritten.header.regex_rewrite.substitution = r"\2\\1\0"
    found = hash_of([rewritten], dataclasses.replace(REQUEST, headers=(("x-user", b"ab"),)))
    assert found is not None
    assert found.value == xxhash.xxh64_intdigest(rb"b\1ab")


@pytest.mark.parametrize("kind", ["grpc", "connect_matcher", "tls_context"])
def test_a_matcher_it_does_not_know_is_told(kind: str) -> None:
    """Rather than guessed at."""
    route = to_one()
    getattr(route.match, kind).SetInParent()
    said = explain([route], {}, REQUEST)
    assert (said.version, said.route) == (None, "mine")
    assert said.reason.startswith("Nobody can say beforehand: the route mine may answer")


@pytest.mark.parametrize(("part", "certain"), [(0, "other"), (100, "mine"), (40, None)])
def test_a_part_by_chance_is_told(part: int, certain: str | None) -> None:
    """None and all are certain."""
    route = to_one()
    route.match.runtime_fraction.default_value.CopyFrom(type_v3.FractionalPercent(numerator=part))
    said = explain([route, to_one("other")], {}, REQUEST)
    assert (said.route if said.place else None) == certain


def asking(regex: str) -> route_v3.Route:
    """A route for who is called so."""
    route = to_one()
    route.match.headers.add(name="x-user").string_match.safe_regex.regex = regex
    return route


def test_an_expression_that_backtracks_is_answered() -> None:
    """Python's own would take for ever: the test's time limit says so."""
    request = Request(headers=(("x-user", b"a" * 60),))
    assert explain([asking("(a+)+x"), to_one("other")], {}, request).route == "other"


@pytest.mark.parametrize(("regex", "length"), [("a.*", 60 * 1024 + 1), ("(?=a)", 1)])
def test_an_expression_that_is_not_tried_is_told(regex: str, length: int) -> None:
    """Not RE2's, or of more than an Envoy takes."""
    said = explain([asking(regex), to_one("other")], {}, Request(headers=(("x-user", b"a" * length),)))
    assert said.place is None


def test_what_hashes_the_address_is_told() -> None:
    """A request doesn't show it."""
    route = to_one()
    route.route.ClearField("cluster")
    for name in ("a", "b"):
        route.route.weighted_clusters.clusters.add(name=name).weight.value = 5000
    route.route.weighted_clusters.use_hash_policy.value = True
    route.route.hash_policy.add().connection_properties.source_ip = True
    said = explain([route], {}, REQUEST)
    assert said.place is None
    assert "connection_properties" in said.reason


def test_nothing_matches() -> None:
    """Envoy's own 404."""
    assert explain([], {}, REQUEST).status == 404


MAIN_ALONE = {files.tag("m1"): (Endpoint(address="10.0.0.1", port=80),)}
BOTH = {**MAIN_ALONE, files.tag("a1"): (Endpoint(address="10.0.0.2", port=80),)}
TO_A = Request(headers=(("x-version", b"a"),))


def served(
    canary: dict[str, object],
    endpoints: Endpoints,
    *,
    unhealthy: str = "",
    fading: bool = False,
    lend_when: str = "unhealthy",
) -> Table:
    """A deployment `chat` with a version `a` for 20 %, as a gateway has it."""
    said = {**files.split(a=("a1", 20)), **canary}
    text = files.deployment("chat", canary=said, lend_when=lend_when)
    (document,) = read([("file", text)]).documents
    assert document.deployment is not None
    revision = decide.apply(document.deployment, None, {}, Note("test", 0.0))
    assert revision is not None
    view = View(
        Gateway(name="edge"),
        revision,
        endpoints,
        fading=BOTH if fading else {},
        unhealthy={files.tag(unhealthy)} if unhealthy else frozenset(),
    )
    table = table_of([view], "chat")
    assert table is not None
    return table


def told(table: Table, request: Request = TO_A) -> Explanation:
    """What is said of a request."""
    return explain(table.routes, table.revisions, request, table.down)


PIN: dict[str, object] = {"version_selector": {"header": "x-version"}}


@pytest.mark.parametrize(
    ("endpoints", "how", "status", "state"),
    [
        (BOTH, {}, 0, ""),
        (MAIN_ALONE, {}, 503, " A has no endpoint: 503."),
        (BOTH, {"unhealthy": "a1"}, 0, " A is unhealthy, so 503 is likely."),
        (
            MAIN_ALONE,
            {"fading": True},
            0,
            " A has no endpoint any more; for 30 s those it had are still tried, then it is a 503.",
        ),
    ],
    ids=["up", "empty", "unhealthy", "fading"],
)
def test_a_pin_to_a_version_that_is_down_says_so(
    endpoints: Endpoints, how: dict[str, str | bool], status: int, state: str
) -> None:
    """Envoy's own 503 is foretold where it is certain."""
    table = served(PIN, endpoints, unhealthy=str(how.get("unhealthy", "")), fading=bool(how.get("fading")))
    said = told(table)
    assert (said.version, said.status) == ("a", status)
    assert said.reason == f"The request names the version a.{state}"


def test_chance_that_lends_nothing_tells_who_is_down() -> None:
    """One of two is down: no status is certain."""
    said = told(served({}, MAIN_ALONE, lend_when="never"), Request())
    assert (dict(said.shares), said.status) == ({"main": 80, "a": 20}, 0)
    assert said.reason == "Chance decides for every request anew: main 80 %, a 20 %. A has no endpoint: 503."


@pytest.mark.parametrize(
    "canary",
    [{"session_affinity": {}}, {"route_type": "header", "route_by": "X-User", "when_missing": "sticky"}],
    ids=["affinity", "sticky"],
)
def test_a_cookie_keeps_what_chance_decided(canary: dict[str, object]) -> None:
    """It is not thrown for anew."""
    said = told(served(canary, BOTH), Request())
    assert "Chance decides once, and a cookie keeps it: main 80 %, a 20 %." in said.reason


@pytest.mark.parametrize(
    ("host", "chosen"),
    [
        ("a.x.test", "a.x.test"),
        ("A.X.test:80", "a.x.test"),
        ("b.x.test", "*.x.test"),
        ("b.test", "*.test"),
        ("chat.internal", "chat.*"),
        ("else", None),
    ],
)
def test_the_nearest_domain_is_chosen(host: str, chosen: str | None) -> None:
    """Exact, then the longest of each kind."""
    assert domain_of(host, ["*.test", "a.x.test", "*.x.test", "chat.*"], Gateway(name="edge")) == chosen


@pytest.mark.parametrize(("host", "chosen"), [("a.test:80", "a.test"), ("A.test", None), ("b.test", None)])
def test_a_scoped_gateway_knows_exact_names_only(host: str, chosen: str | None) -> None:
    """In their exact case."""
    assert domain_of(host, ["a.test", "*.test"], Gateway(name="edge", mode="scoped")) == chosen
