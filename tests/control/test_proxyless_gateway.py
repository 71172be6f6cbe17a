"""A gateway for gRPC's own clients, from the files to what they are told."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xds.catalog.types import Type
from xds.control.plane import ControlPlane
from xds.control.proxyless import ProxylessAssembly
from xds.control.publisher import Publisher
from xds.control.state import State
from xds.control.terms import Terms
from xds.discovery.hub import Hub
from xds.errors import InvalidInput
from xds.revisions import decide
from xds.revisions.record import Note
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway, Listen
from xds.spec.upstream import Tls
from xds.store.sqlite import SqliteStore
from xds.translate.view import View

EDGE = Gateway(name="edge", listeners=(Listen(port=10000),))
MESH = Gateway(name="mesh", mode="proxyless")
STICKY = "name: s\nbento: s:1\ncanary: {route_type: header, route_by: X-User}\n"
BY_NAME = 'endpoints: {"s:1": ["models.internal:80"]}\n'


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane with a gateway of each mode."""
    with ThreadPoolExecutor(1) as thread:
        store = thread.submit(SqliteStore, tmp_path / "canary.db").result()
        state = State([EDGE, MESH], thread.submit(store.load, 0.0).result())
        yield ControlPlane(state, store, thread, Publisher(state, Hub(["edge", "mesh"]), lambda _: None))
        thread.submit(store.close).result()


async def apply(plane: ControlPlane, text: str) -> None:
    """Apply a file."""
    await plane.deployments.apply_texts([("s.yaml", text)], Terms("test"))


def view(deployment: Deployment) -> View:
    """A deployment's first revision, with an endpoint."""
    revision = decide.apply(deployment, None, {}, Note("test", 0.0))
    assert revision is not None
    return View(MESH, revision, {"s@main": (Endpoint(address="10.0.0.1", port=80),)})


async def test_a_sticky_split_is_refused(plane: ControlPlane) -> None:
    """A deployment that lists no gateways is on this one too."""
    with pytest.raises(InvalidInput, match=r"write gateways: \[edge\]"):
        await apply(plane, STICKY)


async def test_a_sticky_split_elsewhere_is_fine(plane: ControlPlane) -> None:
    """Only the gateways that serve a deployment have a say."""
    await apply(plane, f"{STICKY}gateways: [edge]\n")
    assert plane.deployments.get("s").revision.number == 1


async def test_names_that_come_later_are_refused(plane: ControlPlane) -> None:
    """Endpoints in a file of their own are judged by the deployments that use them."""
    await apply(plane, "name: s\nbento: s:1\n")
    with pytest.raises(InvalidInput, match="s:1 is reached by name"):
        await apply(plane, BY_NAME)


async def test_names_that_were_there_first_are_refused(plane: ControlPlane) -> None:
    """A deployment is judged by the endpoints that its builds have already."""
    await apply(plane, BY_NAME)
    with pytest.raises(InvalidInput, match="s:1 is reached by name"):
        await apply(plane, "name: s\nbento: s:1\n")


def test_a_host_nobody_answers_on_is_gone() -> None:
    """Its listener and its routes go with the last deployment on it."""
    assembly = ProxylessAssembly(MESH)
    assembly.put(view(Deployment(name="s")))
    put, _ = assembly.take()
    assert {(Type.LISTENER, "s"), (Type.ROUTE, "s")} < {(each.type, each.name) for each in put}

    assembly.drop("s")
    put, gone = assembly.take()
    assert not list(put)
    assert {(Type.LISTENER, "s"), (Type.ROUTE, "s")} < set(gone)


def test_what_was_accepted_for_envoys_is_not_served_wrongly() -> None:
    """A gateway that became proxyless leaves out a deployment that its clients can't do."""
    assembly = ProxylessAssembly(MESH)
    assembly.put(view(Deployment(name="s", tls=Tls())))
    assert not list(assembly.take()[0])
