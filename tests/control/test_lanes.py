"""One deployment's rejected configuration does not hold up the others."""

from collections.abc import Callable

from tests.control.conftest import Planes
from tests.support.peer import Peer
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.discovery.request import Node, Request
from xds.discovery.stream import Verdict

Dislikes = Callable[[Resource], bool]


def spec(name: str, tag: str, weight: float) -> str:
    """A deployment with a canary."""
    return (
        f"name: {name}\nbento: {name}:1\n"
        f"canary: {{versions: {{a: {{bento: '{name}:{tag}', weight: {weight}}}}}}}\n"
        f"---\nendpoints: {{'{name}:1': ['10.0.0.1:80'], '{name}:{tag}': ['10.0.0.2:80']}}\n"
    )


class Envoy(Peer):
    """A peer on a control plane's hub, whose verdicts the control plane hears."""

    def __init__(self, plane: ControlPlane, dislikes: Dislikes = lambda _: False, id_: str = "e") -> None:
        super().__init__(plane.hub.catalogs["default"], dislikes)
        self.join(plane, id_)
        self.subscribe(Type.ROUTE, "default")

    def join(self, plane: ControlPlane, id_: str = "e") -> None:
        """Connect, with what it has from before."""
        self.plane, self.catalog = plane, plane.hub.catalogs["default"]
        self.connect(plane.hub.open("default", Node(id_)))

    def _say(self, type_: str, request: Request) -> None:  # noqa: ARG002 (as the peer has it)
        verdict = self.stream.receive(request)
        if isinstance(verdict, Verdict):
            self.plane.hub.hears(self.stream, verdict)

    def table(self) -> bytes:
        """The route table in force."""
        return self.held[Type.ROUTE]["default"].body


async def apply(plane: ControlPlane, *texts: str) -> None:
    """Apply files and publish them."""
    await plane.deployments.apply_texts([(f"{n}.yaml", text) for n, text in enumerate(texts)], Terms("test"))
    plane.publisher.publish()


async def test_a_refused_cluster_holds_up_only_its_own_deployment(planes: Planes) -> None:
    """The others' weights move; the offender's routes stay as they were."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        await apply(plane, spec("x", "bad", 50))
        envoy.settle()
        await apply(plane, spec("y", "3", 33))
        envoy.settle()
        assert b"y_3" in envoy.table()
        assert b"x_2" in envoy.table()
        assert b"x_bad" not in envoy.table()


async def test_a_mended_deployment_comes_back(planes: Planes) -> None:
    """With the next revision, without anybody's help."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        await apply(plane, spec("x", "bad", 50))
        envoy.settle()
        await apply(plane, spec("x", "good", 50))
        envoy.settle()
        assert b"x_good" in envoy.table()
        assert envoy.table() == plane.hub.catalogs["default"].all(Type.ROUTE)["default"].body


async def test_a_rollback_of_the_offender_brings_everybody_together_again(planes: Planes) -> None:
    """The lane is deserted, and gone with the next push."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        await apply(plane, spec("x", "bad", 50))
        envoy.settle()
        assert len(plane.hub.targets()) == 2
        await plane.deployments.rollback("x", Terms("test"))
        plane.publisher.publish()
        envoy.settle()
        plane.publisher.publish()
        assert len(plane.hub.targets()) == 1


async def test_the_deployment_that_spoils_the_table_is_found(planes: Planes) -> None:
    """Of three changed at once, the good two get through."""
    async with planes() as plane:
        names = ("x", "y", "z")
        await apply(plane, *(spec(name, "2", 10) for name in names))
        envoy = Envoy(plane, lambda resource: resource.type == Type.ROUTE and b"y_3" in resource.body)
        envoy.settle()
        await apply(plane, *(spec(name, "3", 10) for name in names))
        envoy.settle()
        assert [f"{name}_3".encode() in envoy.table() for name in names] == [True, False, True]
        assert b"y_2" in envoy.table()


async def test_other_envoys_are_not_held_back(planes: Planes) -> None:
    """A lane is for those who refuse."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        picky = Envoy(plane, lambda resource: resource.name == "x_bad")
        easy = Envoy(plane, lambda _: False)
        for envoy in (picky, easy):
            envoy.settle()
        await apply(plane, spec("x", "bad", 50))
        for envoy in (picky, easy):
            envoy.settle()
        assert (b"x_bad" in picky.table(), b"x_bad" in easy.table()) == (False, True)


async def test_after_a_restart_a_refused_canary_leaves_its_deployment_on_main(planes: Planes) -> None:
    """Nothing is proven any more; the deployment is served all the same, and so are the others."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        await apply(plane, spec("x", "bad", 50))
    async with planes() as plane:
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
        assert b"x_1" in envoy.table()
        assert b"x_bad" not in envoy.table()
        await apply(plane, spec("y", "3", 33))
        envoy.settle()
        assert b"y_3" in envoy.table()


async def test_a_deployment_whose_main_is_refused_is_left_out(planes: Planes) -> None:
    """There is nothing to fall back to; the others are served."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10), spec("y", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.name == "x_1")
        envoy.settle()
        await apply(plane, spec("y", "3", 33))
        envoy.settle()
        assert b"y_3" in envoy.table()
        assert b"x_1" not in envoy.table()


async def test_a_refused_update_of_a_cluster_the_envoy_has_does_not_stop_an_abort(planes: Planes) -> None:
    """The cluster is there in its older version: routes may go on naming it."""
    bad = set[str]()
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.version in bad)
        envoy.settle()
        tls = "tls: {ca_file: /no/such}\n"
        await apply(plane, tls + spec("x", "2", 10))
        bad |= {resource.version for resource in plane.hub.catalogs["default"].all(Type.CLUSTER).values()}
        envoy.settle()
        await plane.deployments.abort("x", Terms("test"))
        plane.publisher.publish()
        envoy.settle()
        assert b"x_2" not in envoy.table()


def spoils_tables(resource: Resource) -> bool:
    """Whether a table has anybody's build `spoilt`."""
    return resource.type == Type.ROUTE and b"_spoilt" in resource.body


async def test_what_an_envoy_brings_from_before_a_restart_is_accepted(planes: Planes) -> None:
    """Nothing is sent after the reconnect; the first bad table that follows has one suspect."""
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in ("x", "y", "z")))
        envoy = Envoy(plane, spoils_tables)
        envoy.settle()
    async with planes() as plane:
        envoy.join(plane)
        envoy.settle()
        await apply(plane, spec("x", "spoilt", 10))
        envoy.settle()
        await plane.deployments.abort("y", Terms("test"))
        plane.publisher.publish()
        envoy.settle()
        assert [build in envoy.table() for build in (b"x_2", b"x_spoilt", b"y_2", b"z_2")] == [
            True,
            False,
            False,
            True,
        ]
        assert plane.publisher.lanes.objection(envoy.stream, "x") == "bad"


async def test_what_an_envoy_brings_is_accepted_when_it_refuses_a_cluster(planes: Planes) -> None:
    """The canary's share stays as it was, not at `main`."""
    async with planes() as plane:
        await apply(plane, spec("x", "2", 10))
        envoy = Envoy(plane, lambda resource: resource.name == "x_bad")
        envoy.settle()
    async with planes() as plane:
        envoy.join(plane)
        envoy.settle()
        await apply(plane, spec("x", "bad", 50))
        envoy.settle()
        assert b"x_2" in envoy.table()


async def test_where_an_envoy_has_what_nobody_knows_the_newest_are_held_first(planes: Planes) -> None:
    """No table that it takes on the way is without those that were there long before."""
    names = [f"d{number}" for number in range(8)]
    async with planes() as plane:
        await apply(plane, *(spec(name, "2", 10) for name in names))
        envoy = Envoy(plane, spoils_tables)
        envoy.settle()
        await apply(plane, spec("d3", "spoilt", 10))
        await apply(plane, spec("d5", "3", 10))
    async with planes() as plane:
        envoy.join(plane)
        taken = []
        while envoy.listen():
            envoy.reply()
            taken.append(envoy.table())
        old = [f"{name}_2".encode() for name in names if name not in ("d3", "d5")]
        assert all(build in table for table in taken for build in old)
        assert (b"d5_3" in taken[-1], b"d3_spoilt" in taken[-1]) == (True, False)
        await plane.deployments.abort("d0", Terms("test"))
        plane.publisher.publish()
        envoy.settle()
        assert b"d0_2" not in envoy.table()
