"""Each method of the admin API does what it is for, through real gRPC."""

import itertools
import json

import pytest
from google.protobuf.duration_pb2 import Duration

from tests.support import files
from tests.support.admin_client import AdminClient, Services
from tests.support.delta import CLUSTER, DeltaClient
from tests.support.serving import Serving
from xds.stubs import canary_admin_v1_pb2 as pb

M1, M2 = files.tag("m1"), files.tag("m2")
CLUSTER_TEXT = """
"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: given
type: STATIC
connect_timeout: 1s
"""


def place(port: int) -> pb.Endpoint:
    """One of this machine."""
    return pb.Endpoint(address="127.0.0.1", port=port)


def lasts(seconds: int) -> Duration:
    """So many seconds."""
    return Duration(seconds=seconds)


async def test_apply_makes_and_says_what_it_made(client: AdminClient) -> None:
    """A deployment and the endpoints beside it."""
    answer = await client.apply(
        files.documents(files.deployment("chat", main="m1"), files.endpoints(m1="127.0.0.1:1"))
    )
    assert [(change.changed, change.previous) for change in answer.changes] == [(True, 0)]
    assert [(each.build, each.count, each.changed) for each in answer.endpoints] == [(M1, 1, True)]


async def test_get_has_versions_with_their_endpoints(api: Services) -> None:
    """`main` first; weights, endpoints known and needed."""
    chat = await api.deployments.Get(pb.GetRequest(name="chat"))
    said = [(v.label, v.build, v.weight, list(v.endpoints), v.known_endpoints) for v in chat.versions]
    assert said == [("main", M1, 90, ["127.0.0.1:3001"], 1), ("a", M2, 10, ["127.0.0.1:3002"], 1)]
    assert [v.min_endpoints for v in chat.versions] == [1, 1]
    assert json.loads(chat.spec_json)["name"] == "chat"


async def test_list_is_paged_by_name(client: AdminClient) -> None:
    """Every page begins behind the one before; the last has no token."""
    await client.apply(files.documents(*(files.deployment(name) for name in "bca")))
    first = await client.services.deployments.List(pb.ListRequest(page_size=2))
    assert [each.name for each in first.deployments] == ["a", "b"]
    rest = await client.services.deployments.List(
        pb.ListRequest(page_size=2, page_token=first.next_page_token)
    )
    assert ([each.name for each in rest.deployments], rest.next_page_token) == (["c"], "")


async def test_set_weights_says_who_moves(api: Services) -> None:
    """The split before, the split after, and the share of users in between."""
    answer = await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 30}))
    change = answer.change
    assert dict(change.previous_weights) == {"main": 90, "a": 10}
    assert dict(change.deployment.revision.weights) == {"main": 70, "a": 30}
    assert (change.changed, change.moved, change.previous) == (True, 20, 1)


async def test_promote_makes_the_canary_main(api: Services) -> None:
    """One revision."""
    change = (await api.deployments.Promote(pb.PromoteRequest(name="chat", version="a"))).change
    assert [(v.label, v.build, v.weight) for v in change.deployment.versions] == [("main", M2, 100)]
    assert change.deployment.revision.kind == "promote"


async def test_abort_puts_everything_on_main(api: Services) -> None:
    """Whatever is expected to be in force."""
    options = pb.WriteOptions(expected_revision=17)
    change = (await api.deployments.Abort(pb.AbortRequest(name="chat", options=options))).change
    assert dict(change.deployment.revision.weights) == {"main": 100, "a": 0}


@pytest.mark.parametrize(
    ("request_", "source"),
    [
        (pb.RollbackRequest(name="chat"), 2),
        (pb.RollbackRequest(name="chat", to_revision=1), 1),
        (pb.RollbackRequest(name="chat", to_stable=True), 2),
    ],
    ids=["back", "to a revision", "to the last stable"],
)
async def test_rollback_returns_to_a_revision(
    api: Services, request_: pb.RollbackRequest, source: int
) -> None:
    """To the one before, to one by its number, to the last with all on `main`."""
    for weight in (0, 30):
        await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": weight}))
    change = (await api.deployments.Rollback(request_)).change
    assert (change.deployment.revision.kind, change.deployment.revision.source) == ("rollback", source)


async def test_delete_and_undelete(api: Services) -> None:
    """It goes, its history stays, and it comes back as it was."""
    gone = (await api.deployments.Delete(pb.DeleteRequest(name="chat"))).change
    assert gone.deployment.deleted
    back = (await api.deployments.Undelete(pb.UndeleteRequest(name="chat"))).change
    assert not back.deployment.deleted
    assert dict(back.deployment.revision.weights) == {"main": 90, "a": 10}
    history = await api.deployments.ListRevisions(pb.ListRevisionsRequest(name="chat"))
    assert [each.kind for each in history.revisions] == ["undelete", "delete", "apply"]


async def test_the_history_says_what_can_be_returned_to(api: Services) -> None:
    """Newest first, a page at a time."""
    await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 0}))
    await api.endpoints.Drain(pb.EndpointsRequest(target="chat@a"))
    first = await api.deployments.ListRevisions(pb.ListRevisionsRequest(name="chat", page_size=1))
    rest = await api.deployments.ListRevisions(
        pb.ListRevisionsRequest(name="chat", page_token=first.next_page_token)
    )
    assert [each.number for each in (*first.revisions, *rest.revisions)] == [2, 1]
    assert "endpoint" in rest.revisions[0].not_returnable


async def test_diff_of_revisions_and_of_files(api: Services) -> None:
    """Of the newest two, and of what is in force with a file."""
    await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 30}))
    (between,) = (await api.deployments.Diff(pb.DiffRequest(name="chat"))).differences
    assert (between.before, between.after, between.moved) == ("revision 1", "revision 2", 20)
    file = pb.File(name="new.yaml", text=files.deployment("new"))
    (new,) = (await api.deployments.Diff(pb.DiffRequest(files=[file]))).differences
    assert (new.before, new.after) == ("nothing", "new.yaml:1")


async def test_watch_has_what_is_there_and_then_what_changes(api: Services) -> None:
    """The deployment, the end of the beginning, the next revision, the deletion."""
    watching = api.deployments.Watch(pb.WatchRequest())
    events = aiter(watching)
    assert (await anext(events)).deployment.revision.number == 1
    assert (await anext(events)).current
    await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 30}))
    while (event := await anext(events)).deployment.revision.number != 2:
        pass
    await api.deployments.Delete(pb.DeleteRequest(name="chat"))
    while not (event := await anext(events)).deleted:
        pass
    assert event.deleted == "chat"
    watching.cancel()


async def test_wait_says_that_nobody_is_there(api: Services) -> None:
    """Without any Envoy nothing is confirmed; the stream ends."""
    briefly = pb.WaitOptions(timeout=Duration(nanos=1_000_000))
    said = [each async for each in api.deployments.Wait(pb.WaitRequest(name="chat", wait=briefly))]
    assert said[-1].state == pb.Confirmation.NO_ENVOY


async def test_a_write_waits_for_the_envoys(served: Serving, api: Services) -> None:
    """It is answered once they have confirmed it."""
    async with DeltaClient(served.xds) as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.ack(await envoy.receive())
        options = pb.WriteOptions(wait=pb.WaitOptions(timeout=lasts(10)))
        request = pb.SetWeightsRequest(name="chat", weights={"a": 30}, options=options)
        change = (await api.deployments.SetWeights(request)).change
    assert change.confirmation.state == pb.Confirmation.CONFIRMED
    assert (change.confirmation.confirmed, change.confirmation.envoys) == (1, 1)


async def test_endpoints_are_listed_by_build(api: Services) -> None:
    """With the versions that run them and whose lists they are on."""
    builds = (await api.endpoints.List(pb.ListEndpointsRequest(target="chat"))).builds
    assert [(each.build, list(each.versions), each.usable) for each in builds] == [
        (M1, ["chat@main"], 1),
        (M2, ["chat@a"], 1),
    ]
    assert list(builds[0].endpoints[0].sources) == ["apply"]
    first = await api.endpoints.List(pb.ListEndpointsRequest(page_size=1))
    rest = await api.endpoints.List(pb.ListEndpointsRequest(page_size=1, page_token=first.next_page_token))
    assert [each.build for each in (*first.builds, *rest.builds)] == [M1, M2]


async def test_endpoints_are_set_added_and_removed(api: Services) -> None:
    """Those of the API; the files' stay."""
    request = pb.EndpointsRequest(target="chat@a", endpoints=[place(1), place(2)])
    assert (await api.endpoints.Set(request)).build.usable == 3
    request = pb.EndpointsRequest(target="chat@a", endpoints=[place(3)])
    assert (await api.endpoints.Add(request)).build.usable == 4
    assert not (await api.endpoints.Add(request)).changed
    request = pb.EndpointsRequest(target="chat@a", endpoints=[place(1), place(3)])
    left = (await api.endpoints.Remove(request)).build
    assert [each.port for each in left.endpoints] == [2, 3002]


async def test_drain_and_undrain(api: Services) -> None:
    """No requests, whatever the sources say."""
    drained = (await api.endpoints.Drain(pb.EndpointsRequest(target="chat@a"))).build
    assert (drained.drained, drained.usable) == (True, 0)
    again = (await api.endpoints.Undrain(pb.EndpointsRequest(target="chat@a"))).build
    assert (again.drained, again.usable) == (False, 1)


async def test_a_lease_is_made_renewed_and_ended(api: Services) -> None:
    """By the endpoint itself."""
    request = pb.RegisterRequest(target="chat@a", endpoint=place(7), ttl=lasts(30))
    assert (await api.endpoints.Register(request)).created
    assert not (await api.endpoints.Register(request)).created
    ended = await api.endpoints.Deregister(pb.DeregisterRequest(target="chat@a", endpoint=place(7)))
    assert [each.port for each in ended.build.endpoints] == [3002]


async def test_watching_endpoints(api: Services) -> None:
    """Each build as it is, then the one that changes."""
    watching = api.endpoints.Watch(pb.WatchEndpointsRequest(target="chat"))
    events = aiter(watching)
    assert [(await anext(events)).build for _ in range(2)] == [M1, M2]
    await api.endpoints.Drain(pb.EndpointsRequest(target="chat@a"))
    changed = await anext(events)
    assert (changed.build, changed.drained) == (M2, True)
    watching.cancel()


async def test_gateways_and_their_snapshots(api: Services) -> None:
    """One for each change, newest first; all of them can be returned to."""
    await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": 30}))
    (gateway,) = (await api.gateways.List(pb.ListGatewaysRequest())).gateways
    assert (gateway.name, gateway.deployments, list(gateway.listeners)) == (
        "default",
        1,
        ["127.0.0.1:10000"],
    )
    first = await api.gateways.ListSnapshots(pb.ListSnapshotsRequest(gateway="default", page_size=1))
    rest = await api.gateways.ListSnapshots(
        pb.ListSnapshotsRequest(gateway="default", page_token=first.next_page_token)
    )
    newest, oldest = (*first.snapshots, *rest.snapshots)
    assert (newest.change, dict(newest.revisions)) == ("set-weights chat", {"chat": 2})
    assert newest.number == gateway.snapshot
    back = await api.gateways.Rollback(pb.RollbackGatewayRequest(gateway="default", snapshot=oldest.number))
    (change,) = back.changes
    assert dict(change.deployment.revision.weights) == {"main": 90, "a": 10}


async def test_resources_are_given_and_taken_back(api: Services) -> None:
    """Whole sets, numbered."""
    for name in ("given", "other"):
        text = CLUSTER_TEXT.replace("given", name)
        request = pb.SetResourcesRequest(gateway="default", files=[pb.File(name="r.yaml", text=text)])
        assert (await api.resources.Set(request)).changed
    back = (await api.resources.Rollback(pb.RollbackResourcesRequest(gateway="default"))).resources
    assert (back.number, back.kind, back.source) == (3, "rollback", 1)
    now = await api.resources.Get(pb.GetResourcesRequest(gateway="default"))
    assert [json.loads(each)["name"] for each in now.contents_json] == ["given"]
    second = await api.resources.Get(pb.GetResourcesRequest(gateway="default", number=2))
    assert [json.loads(each)["name"] for each in second.contents_json] == ["other"]
    request_ = pb.ListResourceRevisionsRequest(gateway="default")
    history = (await api.resources.ListRevisions(request_)).revisions
    assert [(each.number, list(each.contents_json)) for each in history] == [(3, []), (2, []), (1, [])]


async def test_the_fleet(served: Serving, api: Services) -> None:
    """Who is connected, what one of them has, who comes and goes."""
    watching = api.fleet.Watch(pb.WatchEnvoysRequest())
    events = aiter(watching)
    assert (await anext(events)).current
    async with DeltaClient(served.xds, node_id="e1") as envoy:
        await envoy.subscribe(CLUSTER)
        await envoy.ack(await envoy.receive())
        while not (await anext(events)).envoy.in_sync:
            pass
        (listed,) = (await api.fleet.List(pb.ListEnvoysRequest())).envoys
        assert (listed.id, listed.gateway, listed.dialect, listed.applied) == ("e1", "default", "delta", 2)
        one = await api.fleet.Get(pb.GetEnvoyRequest(id="e1"))
        assert {(each.type, each.state) for each in one.resources} == {("Cluster", "synced")}
    while not (event := await anext(events)).gone:
        pass
    assert event.gone == "e1"
    watching.cancel()


async def test_the_audit_is_paged_newest_first(api: Services) -> None:
    """Each entry once."""
    for weight in range(3):
        await api.deployments.SetWeights(pb.SetWeightsRequest(name="chat", weights={"a": weight}))
    verbs, token = [], ""
    for _ in itertools.count():
        page = await api.audit.List(pb.ListAuditRequest(page_size=3, page_token=token))
        verbs += [each.verb for each in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert verbs == ["set-weights", "set-weights", "set-weights", "apply"]


async def test_the_server_says_what_it_is_and_who_calls(served: Serving, api: Services) -> None:
    """Its address, its clock, and the caller as it takes him."""
    said = await api.server.Get(pb.GetServerRequest(), metadata=(("canary-author", "ada"),))
    assert (said.admin_address, said.caller, list(said.admin_access)) == (served.admin, "ada", ["anybody"])
    assert said.now.seconds >= said.started_at.seconds > 0
