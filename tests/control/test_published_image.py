"""The image: Envoys are served what was published last, and the control plane takes them over."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.control.conftest import DEFAULT, SCOPED, Planes
from tests.support.peer import Dislikes, Peer
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.control import image
from xds.control.image import ImageKeeper, fill, maker
from xds.control.plane import ControlPlane
from xds.control.terms import Terms
from xds.discovery.hub import Hub, Target
from xds.discovery.request import Node, Request
from xds.discovery.stream import Verdict
from xds.errors import StoreError
from xds.spec.gateway import Gateway
from xds.store.image_rows import Whose
from xds.store.interface import Store

BOTH = pytest.mark.parametrize("gateway", [DEFAULT, SCOPED], ids=["table", "scoped"])
MAKER = "these gateways, this code"


def spec(name: str, tag: str) -> str:
    """A deployment with a canary."""
    return (
        f"name: {name}\nbento: {name}:1\n"
        f"canary: {{versions: {{a: {{bento: '{name}:{tag}', weight: 10}}}}}}\n"
        f"---\nendpoints: {{'{name}:1': ['10.0.0.1:80'], '{name}:{tag}': ['10.0.0.2:80']}}\n"
    )


async def apply(plane: ControlPlane, *texts: str) -> None:
    """Apply files and publish them."""
    await plane.deployments.apply_texts([(f"{n}.yaml", text) for n, text in enumerate(texts)], Terms("test"))
    plane.publisher.publish()


class Served:
    """What is served from an image, until a control plane takes over."""

    def __init__(self, gateway: Gateway, resources: dict[Whose, list[Resource]]) -> None:
        self.hub = Hub([gateway.name])
        fill(self.hub, (gateway,), resources)

    def envoy(self, gateway: Gateway, dislikes: Dislikes = lambda _: False) -> "Envoy":
        """One that connects, and takes all it is sent."""
        envoy = Envoy(self.hub.catalogs["default"], dislikes)
        envoy.hub = self.hub
        envoy.connect(self.hub.open("default", Node("e", version=(1, 39, 0))))
        envoy.ask_for_routes(gateway)
        envoy.settle()
        return envoy

    def taken_over_by(self, plane: ControlPlane, *envoys: "Envoy") -> None:
        """From here on the control plane says what there is to have."""
        plane.publisher.take_over(self.hub)
        for envoy in envoys:
            envoy.hub = plane.hub


class Envoy(Peer):
    """A peer whose verdicts are heard by whichever hub has its stream."""

    hub: Hub

    def _say(self, type_: str, request: Request) -> None:  # noqa: ARG002 (as the peer has it)
        verdict = self.stream.receive(request)
        if isinstance(verdict, Verdict):
            self.hub.hears(self.stream, verdict)

    def ask_for_routes(self, gateway: Gateway) -> None:
        """As Envoy does in the gateway's mode."""
        if gateway.mode == "scoped":
            self._ask(Type.SCOPED_ROUTE, ())
        else:
            self.subscribe(Type.ROUTE, "default")

    def _wants(self, type_: str, name: str) -> bool:
        return type_ == Type.SCOPED_ROUTE or super()._wants(type_, name)

    def routes(self) -> bytes:
        """All routes in force."""
        held = (*self.held.get(Type.ROUTE, {}).values(), *self.held.get(Type.SCOPED_ROUTE, {}).values())
        return b"".join(resource.body for resource in held)


def published(plane: ControlPlane) -> dict[Whose, list[Resource]]:
    """What an image of it has."""
    catalog = plane.hub.catalogs["default"]
    return {("default", ""): [each for type_ in catalog.sizes() for each in catalog.all(type_).values()]}


async def saved(plane: ControlPlane) -> dict[Whose, dict[tuple[str, str], Resource]] | None:
    """The image in its store, in no order."""
    found = await plane.writer.ask(lambda store: store.image(MAKER))
    if found is None:
        return None
    return {whose: by_key(resources) for whose, resources in found.items()}


def by_key(resources: Iterable[Resource]) -> dict[tuple[str, str], Resource]:
    """By type and name."""
    return {(each.type, each.name): each for each in resources}


async def keep(plane: ControlPlane) -> ImageKeeper:
    """Keep an image of a plane from here on."""
    await plane.writer.ask(lambda store: store.begin_image(MAKER))
    keeper = ImageKeeper(plane.hub, plane.writer.ask, plane.reflects)
    plane.publisher.take_over(Hub(["default"]))
    await keeper.save()
    return keeper


@BOTH
async def test_who_was_served_from_the_image_is_sent_nothing_again(planes: Planes, gateway: Gateway) -> None:
    """All that it has is what it is to have."""
    async with planes(gateway) as plane:
        await apply(plane, spec("x", "2"), spec("y", "2"))
        resources = published(plane)
    served = Served(gateway, resources)
    envoy = served.envoy(gateway)
    before = len(envoy.answers)
    async with planes(gateway) as plane:
        served.taken_over_by(plane, envoy)
        envoy.settle()
        assert before == len(envoy.answers) > 0
        await apply(plane, spec("y", "3"))
        envoy.settle()
        assert b"y_3" in envoy.routes()


@BOTH
async def test_what_is_no_more_is_removed(planes: Planes, gateway: Gateway) -> None:
    """The image has a deployment that the state has not: its routes go, then its clusters."""
    async with planes(gateway) as plane:
        await apply(plane, spec("x", "2"), spec("y", "2"))
        resources = published(plane)
        await plane.deployments.delete("y", Terms("test"))
    served = Served(gateway, resources)
    envoy = served.envoy(gateway)
    assert b"y_2" in envoy.routes()
    async with planes(gateway) as plane:
        served.taken_over_by(plane, envoy)
        envoy.settle()
        assert (b"x_2" in envoy.routes(), b"y_2" in envoy.routes()) == (True, False)
        assert {name[0] for name in envoy.held[Type.CLUSTER]} == {"x"}


@BOTH
@pytest.mark.parametrize(
    "dislikes",
    [
        lambda resource: resource.name == "x_bad",
        lambda resource: resource.type in (Type.ROUTE, Type.SCOPED_ROUTE) and b"x_bad" in resource.body,
    ],
    ids=["cluster", "routes"],
)
async def test_what_was_refused_meanwhile_holds_up_nobody_else(
    planes: Planes, gateway: Gateway, dislikes: Callable[[Resource], bool]
) -> None:
    """Once the control plane is there, the others' changes get through; the offender is told."""
    async with planes(gateway) as plane:
        await apply(plane, spec("x", "bad"), spec("y", "2"))
        resources = published(plane)
    served = Served(gateway, resources)
    envoy = served.envoy(gateway, dislikes)
    async with planes(gateway) as plane:
        served.taken_over_by(plane, envoy)
        envoy.settle()
        await apply(plane, spec("y", "3"))
        envoy.settle()
        routes = envoy.routes()
        assert (b"y_3" in routes, b"x_bad" in routes) == (True, False)
        assert plane.deployments.get("x").convergence.rejections


async def test_an_image_for_envoys_of_which_none_came_is_given_up(planes: Planes) -> None:
    """Otherwise one old Envoy would be translated for at every start."""
    async with planes() as plane:
        await apply(plane, spec("x", "2"))
        resources = published(plane)
    old = Target("default", "before-1.36")
    served = Served(DEFAULT, {**resources, ("default", old.profile): resources["default", ""]})
    async with planes() as plane:
        keeper = ImageKeeper(plane.hub, plane.writer.ask, plane.reflects)
        await plane.writer.ask(lambda store: store.begin_image(MAKER))
        served.taken_over_by(plane)
        await keeper.save()
        assert plane.hub.targets() == (Target("default"),)
        assert await saved(plane) == {}


async def test_it_has_what_is_published(planes: Planes) -> None:
    """After a change and a removal, too."""
    async with planes() as plane:
        await apply(plane, spec("x", "2"), spec("y", "2"))
        keeper = await keep(plane)
        assert await saved(plane) == {("default", ""): by_key(published(plane)["default", ""])}
        await plane.deployments.delete("y", Terms("test"))
        await apply(plane, spec("x", "3"))
        await keeper.save()
        assert await saved(plane) == {("default", ""): by_key(published(plane)["default", ""])}


async def test_what_is_committed_and_not_published_is_not_in_it(planes: Planes) -> None:
    """So it fits nothing until it is."""
    async with planes() as plane:
        keeper = await keep(plane)
        await plane.deployments.apply_texts([("x.yaml", spec("x", "2"))], Terms("test"))
        await keeper.save()
        assert await saved(plane) is None
        plane.publisher.publish()
        assert await saved(plane) is None
        await keeper.save()
        assert await saved(plane) is not None


async def test_a_write_that_changes_nothing_published_is_followed_too(planes: Planes) -> None:
    """Otherwise the image would fit no more."""
    async with planes() as plane:
        await apply(plane, spec("x", "2"))
        keeper = await keep(plane)
        await plane.deployments.apply_texts([("x.yaml", spec("x", "2"))], Terms("ann", "again", request="r"))
        await keeper.save()
        assert await saved(plane) is not None


async def test_what_some_refused_is_not_in_it(planes: Planes) -> None:
    """Whoever refuses it again is moved again."""
    async with planes() as plane:
        await apply(plane, spec("x", "2"))
        keeper = await keep(plane)
        plane.hub.open(Target("default", held=frozenset({"x"})), Node("picky"))
        await keeper.save()
        assert set(await saved(plane) or {}) == {("default", "")}


async def test_many_pages_fit_nothing_before_the_last_is_written(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is killed in between leaves nothing that could be taken for whole."""
    monkeypatch.setattr(image, "_AT_ONCE", 2)
    async with planes() as plane:
        fits = []
        keeper = await keep(plane)

        async def ask(question: Callable[[Store], None]) -> None:
            await plane.writer.ask(question)
            fits.append(await saved(plane) is not None)

        keeper = ImageKeeper(plane.hub, ask, plane.reflects)
        await apply(plane, spec("x", "2"))
        await keeper.save()
        assert len(fits) > 2
        assert [*fits[:-1], not fits[-1]] == [False] * len(fits)


async def test_a_store_that_cannot_be_written_stops_nothing(planes: Planes) -> None:
    """What was not written is written with what comes next."""
    async with planes() as plane:
        await keep(plane)
        broken = True

        async def ask(question: Callable[[Store], None]) -> None:
            if broken:
                raise StoreError("the disk is full")
            await plane.writer.ask(question)

        keeper = ImageKeeper(plane.hub, ask, plane.reflects)
        await apply(plane, spec("x", "2"))
        await keeper.save()
        assert await saved(plane) is None
        broken = False
        await keeper.save()
        assert await saved(plane) == {("default", ""): by_key(published(plane)["default", ""])}


async def test_what_was_being_written_when_the_server_is_told_to_stop_is_written_at_the_end(
    planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pages that were to follow, too."""
    monkeypatch.setattr(image, "_AT_ONCE", 2)
    monkeypatch.setattr(image, "_PAUSE", 0.0)
    async with planes() as plane:
        await keep(plane)
        asked = 0
        second_page = asyncio.Event()

        async def ask(question: Callable[[Store], None]) -> None:
            nonlocal asked
            asked += 1
            if asked == 2:
                second_page.set()
                await asyncio.Event().wait()
            await plane.writer.ask(question)

        async with ImageKeeper(plane.hub, ask, plane.reflects) as keeper:
            await apply(plane, spec("x", "2"), spec("y", "2"))
            running = asyncio.create_task(keeper.run())
            await second_page.wait()
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()
        assert await saved(plane) == {("default", ""): by_key(published(plane)["default", ""])}


async def test_a_server_that_fails_leaves_the_image_as_it_is(planes: Planes) -> None:
    """Its catalogs may be anything."""
    async with planes() as plane:
        await keep(plane)
        await apply(plane, spec("x", "2"))
        with pytest.raises(RuntimeError, match="a bug"):
            async with ImageKeeper(plane.hub, plane.writer.ask, plane.reflects):
                raise RuntimeError("a bug")
        assert await saved(plane) is None


def test_other_gateways_make_another_image() -> None:
    """Whatever about them differs."""
    assert maker([DEFAULT]) == maker([DEFAULT])
    assert len({maker([DEFAULT]), maker([SCOPED]), maker([]), maker([DEFAULT, SCOPED])}) == 4


def test_other_code_makes_another_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever of it makes resources."""
    before = maker([DEFAULT])
    (tmp_path / "new.py").write_text("")
    sources = image._sources()
    monkeypatch.setattr(image, "_sources", lambda: [*sources, tmp_path / "new.py"])
    (tmp_path / "new.py").write_text("ROUTES = 'others'")
    assert maker([DEFAULT]) != before
    assert {"scopes.py", "publisher.py", "resource.py", "profile.py"} <= {source.name for source in sources}
