"""What a deployment brings is made once, however many kinds of Envoys there are."""

from tests.control.conftest import Planes
from xds.catalog.catalog import Catalog
from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.discovery.request import Node
from xds.fleet.profile import target_of

OLD = Node(id="old", version=(1, 35, 0))
SPEC = (
    "name: s\nbento: 's:1'\n"
    "canary: {route_type: header, route_by: X-U, versions: {a: {bento: 's:2', weight: 9}}}"
)


async def apply(plane: ControlPlane, text: str) -> None:
    """Apply a file and publish it."""
    await plane.deployments.apply_texts([("f.yaml", text)], Terms("test"))
    plane.publisher.publish()


def endpoints(host: int) -> str:
    """Both builds run somewhere."""
    return f'endpoints: {{"s:1": ["10.0.0.1:80"], "s:2": ["10.0.0.{host}:80"]}}\n'


def both(plane: ControlPlane) -> tuple[Catalog, Catalog]:
    """What new Envoys are to have, and what old ones are."""
    return plane.hub.catalogs["default"], plane.hub.open(target_of("default", OLD), OLD).catalog


async def test_targets_share_clusters_and_endpoints(planes: Planes) -> None:
    """The very same bytes; only the routes are their own."""
    async with planes() as plane:
        await apply(plane, f"{endpoints(2)}---\n{SPEC}")
        new, old = both(plane)
        for type_ in (Type.CLUSTER, Type.ENDPOINT):
            assert len(new.all(type_)) == 2
            assert all(old.get(type_, name) is resource for name, resource in new.all(type_).items())
        assert old.fingerprint(Type.ROUTE) != new.fingerprint(Type.ROUTE)


async def test_a_change_reaches_every_target(planes: Planes) -> None:
    """What was made before is made anew where something it was made from changed."""
    async with planes() as plane:
        await apply(plane, f"{endpoints(2)}---\n{SPEC}")
        new, old = both(plane)
        before = [catalog.fingerprint(Type.ENDPOINT) for catalog in (new, old)]
        await apply(plane, endpoints(3))
        after = [catalog.fingerprint(Type.ENDPOINT) for catalog in (new, old)]
        assert after[0] == after[1] != before[0]


async def test_the_share_of_a_build_without_endpoints_is_lent_on_every_target(planes: Planes) -> None:
    """Losing endpoints changes routes too, though no revision says so."""
    async with planes() as plane:
        await apply(
            plane, f"{endpoints(2)}---\n{SPEC.replace('versions', 'on_unsupported: random, versions')}"
        )
        new, old = both(plane)
        await apply(plane, 'endpoints: {"s:2": []}\n')
        assert old.fingerprint(Type.ROUTE) == new.fingerprint(Type.ROUTE)
