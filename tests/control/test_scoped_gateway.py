"""A gateway in `scoped` mode: a scope for each host, and the same containment as in a table."""

from collections.abc import Callable

import pytest

from tests.control.conftest import DEFAULT, SCOPED, Planes
from tests.support.peer import Peer
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.discovery.request import Node, Request
from xds.discovery.stream import Verdict
from xds.errors import InvalidInput

Dislikes = Callable[[Resource], bool]


def spec(name: str, tag: str = "2", weight: float = 10, more: str = "") -> str:
    """A deployment with a canary."""
    return (
        f"name: {name}\nbento: {name}:1\n{more}"
        f"canary: {{versions: {{a: {{bento: '{name}:{tag}', weight: {weight}}}}}}}\n"
        f"---\nendpoints: {{'{name}:1': ['10.0.0.1:80'], '{name}:{tag}': ['10.0.0.2:80']}}\n"
    )


def given(key: str, name: str = "own") -> str:
    """A raw scope."""
    return (
        "'@type': type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration\n"
        f"name: {name}\nkey: {{fragments: [{{string_key: {key}}}]}}\nroute_configuration: {{name: {name}}}\n"
    )


def spoils(tag: str) -> Dislikes:
    """Whether a scope has anybody's build of this tag."""
    return lambda each: each.type == Type.SCOPED_ROUTE and f"_{tag}".encode() in each.body


class Envoy(Peer):
    """A peer that asks for all scopes, and whose verdicts the control plane hears."""

    def __init__(self, plane: ControlPlane, dislikes: Dislikes = lambda _: False) -> None:
        super().__init__(plane.hub.catalogs["default"], dislikes)
        self.join(plane)

    def join(self, plane: ControlPlane) -> None:
        """Connect, with what it has from before."""
        self.plane, self.catalog = plane, plane.hub.catalogs["default"]
        self.connect(plane.hub.open("default", Node("e")))
        self._ask(Type.SCOPED_ROUTE, (), known=True)

    def scope(self, host: str) -> bytes:
        """The scope of a host, as it is in force; empty where there is none."""
        held = self.held.get(Type.SCOPED_ROUTE, {}).get(host)
        return held.body if held else b""

    def _say(self, type_: str, request: Request) -> None:  # noqa: ARG002 (as the peer has it)
        verdict = self.stream.receive(request)
        if isinstance(verdict, Verdict):
            self.plane.hub.hears(self.stream, verdict)

    def _wants(self, type_: str, name: str) -> bool:
        return type_ == Type.SCOPED_ROUTE or super()._wants(type_, name)


async def apply(plane: ControlPlane, *texts: str) -> None:
    """Apply files and publish them."""
    await plane.deployments.apply_texts([(f"{n}.yaml", text) for n, text in enumerate(texts)], Terms("test"))
    plane.publisher.publish()


def scopes(plane: ControlPlane) -> dict[str, str]:
    """Versions of the scopes by name."""
    all_scopes = plane.hub.catalogs["default"].all(Type.SCOPED_ROUTE)
    return {name: resource.version for name, resource in all_scopes.items()}


def refused(plane: ControlPlane, deployment: str) -> bool:
    """Whether an Envoy refuses something of a deployment."""
    return bool(plane.deployments.get(deployment).convergence.rejections)


async def test_a_change_touches_the_scopes_of_its_own_hosts(planes: Planes) -> None:
    """Each host has one, with all the deployments on it; others stay as they are."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x", more="hosts: [a.test, b.test]\n"), spec("y"))
        await apply(plane, spec("z", more="hosts: [b.test]\npath_prefix: /z\n"))
        before = scopes(plane)
        await apply(plane, spec("z", weight=20, more="hosts: [b.test]\npath_prefix: /z\n"))
        after = scopes(plane)
        assert before.keys() == after.keys() == {"a.test", "b.test", "y"}
        assert {host for host in after if before[host] != after[host]} == {"b.test"}


async def test_a_deployment_that_goes_takes_its_scopes_along(planes: Planes) -> None:
    """The table is not there either."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x"), spec("y"))
        await plane.deployments.delete("x", Terms("test"))
        plane.publisher.publish()
        assert scopes(plane).keys() == {"y"}
        assert not plane.hub.catalogs["default"].all(Type.ROUTE)


async def test_a_refused_cluster_leaves_its_deployment_as_it_was(planes: Planes) -> None:
    """Where nothing of it was accepted since the server began, everyone gets `main`."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x"), spec("y"))
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        await apply(plane, spec("x", "bad", 50), spec("y", "3"))
        envoy.settle()
        assert b"x_2" in envoy.scope("x")
        assert b"y_3" in envoy.scope("y")
    async with planes(SCOPED) as plane:
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        assert b"x_1" in envoy.scope("x")
        assert b"x_bad" not in envoy.scope("x")


async def test_a_refused_scope_is_its_own_deployments(planes: Planes) -> None:
    """Of eight changed at once the others get through, and only the offender is told."""
    names = [f"d{number}" for number in range(8)]
    async with planes(SCOPED) as plane:
        await apply(plane, *map(spec, names))
        envoy = Envoy(plane, spoils("spoilt"))
        envoy.settle()
        await apply(plane, *(spec(name, "spoilt" if name == "d3" else "3") for name in names))
        envoy.settle()
        assert [b"_3" in envoy.scope(name) for name in names] == [name != "d3" for name in names]
        assert b"d3_2" in envoy.scope("d3")
        assert [name for name in names if refused(plane, name)] == ["d3"]


async def test_a_scope_that_was_never_accepted_is_refused_once(planes: Planes) -> None:
    """It goes, and that it went is no reason to send it again."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x", "spoilt"), spec("y"))
        envoy = Envoy(plane, spoils("spoilt"))
        envoy.settle()
        assert envoy.scope("x") == b""
        assert b"y_2" in envoy.scope("y")
        assert refused(plane, "x")


async def test_on_a_shared_host_the_offender_is_found(planes: Planes) -> None:
    """The other's changes go on, then and later; mended, it comes back."""
    async with planes(SCOPED) as plane:
        await apply(plane, *(spec(n, more=f"hosts: [s.test]\npath_prefix: /{n}\n") for n in "xyz"))
        envoy = Envoy(plane, spoils("spoilt"))
        envoy.settle()
        await apply(
            plane,
            *(
                spec(name, tag, more=f"hosts: [s.test]\npath_prefix: /{name}\n")
                for name, tag in (("x", "3"), ("y", "spoilt"), ("z", "3"))
            ),
        )
        envoy.settle()
        assert [build in envoy.scope("s.test") for build in (b"x_3", b"y_2", b"z_3")] == [True] * 3
        assert [name for name in "xyz" if refused(plane, name)] == ["y"]
        await apply(plane, spec("y", "4", more="hosts: [s.test]\npath_prefix: /y\n"))
        envoy.settle()
        assert envoy.scope("s.test") == plane.hub.catalogs["default"].all(Type.SCOPED_ROUTE)["s.test"].body


async def test_an_envoy_keeps_a_scope_that_nobody_knows_better(planes: Planes) -> None:
    """After a restart with another scope, a refusal takes no host out of service."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x"), spec("y"))
        envoy = Envoy(plane, spoils("spoilt"))
        envoy.settle()
        await apply(plane, spec("x", "spoilt"))
    async with planes(SCOPED) as plane:
        envoy.join(plane)
        envoy.settle()
        await apply(plane, spec("y", "3"))
        envoy.settle()
        assert b"x_2" in envoy.scope("x")
        assert b"y_3" in envoy.scope("y")


async def test_wildcards_are_refused(planes: Planes) -> None:
    """By the gateway's name."""
    async with planes(SCOPED) as plane:
        with pytest.raises(InvalidInput, match=r"gateway default is scoped.*\*\.test has a wildcard"):
            await apply(plane, spec("x", more='hosts: ["*.test"]\n'))


async def test_wildcards_from_before_are_not_served(planes: Planes) -> None:
    """The gateway was a table's when they were accepted; what has a name is served."""
    async with planes() as plane:
        await apply(plane, spec("x", more='hosts: ["*.test", a.test]\n'))
    async with planes(SCOPED) as plane:
        plane.publisher.publish()
        assert scopes(plane).keys() == {"a.test"}


async def test_a_raw_scope_may_not_have_the_key_of_a_host(planes: Planes) -> None:
    """Nor a deployment a host that is a raw scope's: Envoys would refuse both."""
    async with planes(SCOPED) as plane:
        await apply(plane, spec("x"))
        with pytest.raises(InvalidInput, match="has the key of the scope that is made by Canary: x"):
            await plane.resources.set("default", [("r.yaml", given("x"))], Terms("test"))
        await plane.resources.set("default", [("r.yaml", given("y"))], Terms("test"))
        plane.publisher.publish()
        with pytest.raises(InvalidInput, match="y is also the scope own"):
            await apply(plane, spec("y"))


async def test_raw_scopes_may_not_have_the_same_key(planes: Planes) -> None:
    """In a table's gateway too."""
    async with planes(DEFAULT) as plane:
        texts = "---\n".join([given("k"), given("k", "other")])
        with pytest.raises(InvalidInput, match="has the key of the scope that is called own: k"):
            await plane.resources.set("default", [("r.yaml", texts)], Terms("test"))


async def test_the_gateways_own_virtual_hosts_are_scopes(planes: Planes) -> None:
    """One for each domain."""
    host = {"name": "legacy", "domains": ["a.test", "b.test"]}
    async with planes(SCOPED.model_copy(update={"virtual_hosts": (host,)})) as plane:
        await apply(plane, spec("x"))
        assert scopes(plane).keys() == {"a.test", "b.test", "x"}
