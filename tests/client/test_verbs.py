"""The verbs: both clients have them all, and each sends what its arguments say."""

import inspect
from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from tests.cli.fake_admin import AdminApi, Answer, only_main
from xds.client import AsyncClient, Client
from xds.stubs import canary_admin_v1_pb2 as pb

BASE = {"call", "all", "follow", "close", "server"}
VERBS = sorted(name for name in vars(Client) if not name.startswith("_") and name not in BASE)
METHODS = sorted(
    f"{service.name}/{method.name}"
    for service in pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods
)
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "abort": ("x",),
    "add_endpoints": ("x:1", ["10.0.0.1:80"]),
    "apply": ({"name": "x"},),
    "audit": ("x",),
    "create": ("name: x\n",),
    "delete": ("x",),
    "deregister": ("x:1", "10.0.0.1:80"),
    "diff": ("x", 1, 2),
    "diff_files": ({"name": "x"},),
    "drain": ("x:1",),
    "draining": ("x", "a"),
    "endpoint_sources": (),
    "endpoints": ("x",),
    "envoy": ("edge-1",),
    "explain": ("x",),
    "fleet": ("edge",),
    "gateways": (),
    "get": ("x",),
    "history": ("x",),
    "list": (),
    "metrics": ("x",),
    "progress": ("x",),
    "promote": ("x", "a"),
    "register": ("x:1", "10.0.0.1:80"),
    "remove_endpoints": ("x:1", ["10.0.0.1:80"]),
    "resource_history": ("edge",),
    "resources": ("edge",),
    "rollback": ("x",),
    "rollback_gateway": ("edge", 7),
    "rollback_resources": ("edge",),
    "server_info": (),
    "set_endpoints": ("x:1", ["10.0.0.1:80"]),
    "set_resources": ("edge", {"@type": "t"}),
    "set_weights": ("x", {"a": 20}),
    "simulate": ({"name": "x"},),
    "snapshots": ("edge",),
    "undelete": ("x",),
    "undrain": ("x:1", ["10.0.0.1:80"]),
    "update": ({"name": "x"},),
    "wait": ("x",),
    "watch": ("x",),
    "watch_endpoints": ("x",),
    "watch_fleet": ("edge",),
    "watch_metrics": ("x", "a"),
}


def empty_answers() -> dict[str, Answer]:
    """An empty answer to every method, empty streams too."""
    answers: dict[str, Answer] = {}
    for service in pb.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            short = f"{service.name}/{method.name}".removeprefix("DeploymentService/")
            empty: Message = getattr(pb, method.output_type.name)()
            answers[short] = [empty] if method.server_streaming else empty
    return answers


def drained(answer: object) -> object:
    """An answer, or all of an iterator's."""
    return list(answer) if inspect.isgenerator(answer) else answer


def test_every_verb_is_tried_here() -> None:
    """No verb without a test."""
    assert sorted(ARGUMENTS) == VERBS


def test_both_clients_have_the_same_verbs() -> None:
    """With the same parameters and the same words."""

    def said(kind: type) -> dict[str, tuple[str, str | None]]:
        verbs: dict[str, Callable[..., object]] = {name: getattr(kind, name) for name in VERBS}
        return {name: (str(inspect.signature(verb)), inspect.getdoc(verb)) for name, verb in verbs.items()}

    assert said(Client) == said(AsyncClient)
    assert all(doc for _, doc in said(Client).values())


def test_every_method_of_the_api_has_a_verb(api: AdminApi, client: Client) -> None:
    """Together the verbs call all there is."""
    api.answers = empty_answers()

    for verb, arguments in ARGUMENTS.items():
        drained(getattr(client, verb)(*arguments))

    assert sorted(set(api.called)) == METHODS


@pytest.mark.parametrize("verb", VERBS)
async def test_both_clients_send_the_same(
    api: AdminApi, client: Client, async_client: AsyncClient, verb: str
) -> None:
    """Only how it is carried differs."""
    api.answers = empty_answers()

    one = drained(getattr(client, verb)(*ARGUMENTS[verb]))
    answer = getattr(async_client, verb)(*ARGUMENTS[verb])
    other = [each async for each in answer] if inspect.isasyncgen(answer) else await answer

    first, second = api.done()
    assert first == second
    assert one == other


def test_a_write_says_all_there_is_to_say(api: AdminApi, client: Client) -> None:
    """Each keyword of WriteArgs arrives."""
    api.answers["SetWeights"] = pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=True))

    change = client.set_weights(
        "echo", {"a": 20}, comment="why", request_id="r1", dry_run=True, expected_revision=0, force=True
    )

    assert change.changed
    assert api.requests == [
        pb.SetWeightsRequest(
            name="echo",
            weights={"a": 20},
            options=pb.WriteOptions(
                comment="why", request_id="r1", dry_run=True, expected_revision=0, force=True
            ),
        )
    ]


def test_rollback_has_one_target(api: AdminApi, client: Client) -> None:
    """The revision before, one by number, or the last stable one."""
    api.answers["Rollback"] = pb.ChangeResponse()

    client.rollback("x")
    client.rollback("x", to_revision=3)
    client.rollback("x", to_stable=True)

    requests = [request for request in api.requests if isinstance(request, pb.RollbackRequest)]
    assert [request.WhichOneof("target") for request in requests] == [None, "to_revision", "to_stable"]


def test_a_listing_reads_all_pages(api: AdminApi, client: Client) -> None:
    """The next page is asked for when it is needed, and not before."""
    pages = {
        "": pb.ListResponse(deployments=[pb.Deployment(name="a")], next_page_token="a"),
        "a": pb.ListResponse(deployments=[pb.Deployment(name="b")]),
    }

    def page(request: Message) -> Message:
        assert isinstance(request, pb.ListRequest)
        return pages[request.page_token]

    api.answers["List"] = page

    listing = client.list(page_size=1)

    assert next(listing).name == "a"
    assert len(api.requests) == 1
    assert [deployment.name for deployment in listing] == ["b"]


async def test_a_listing_reads_all_pages_with_asyncio_too(api: AdminApi, async_client: AsyncClient) -> None:
    """By `async for`."""
    api.answers["ListRevisions"] = pb.ListRevisionsResponse(revisions=[pb.Revision(number=2)])

    assert [revision.number async for revision in async_client.history("x")] == [2]


async def test_a_watch_is_an_iterator(api: AdminApi, client: Client, async_client: AsyncClient) -> None:
    """Of what the server sends; leaving it ends it."""
    events = [pb.WatchResponse(deployment=only_main()), pb.WatchResponse(current=True)]
    api.answers["Watch"] = events

    assert list(client.watch("echo")) == events
    assert [event async for event in async_client.watch("echo")] == events
    for event in client.watch():
        assert event == events[0]
        break


def test_help_shows_what_a_verb_takes() -> None:
    """Editors and help() see the parameters, `self` among them but not among a client's own."""
    assert list(inspect.signature(Client.set_weights).parameters) == ["self", "name", "weights", "options"]
    with Client() as client:
        assert list(inspect.signature(client.set_weights).parameters) == ["name", "weights", "options"]
