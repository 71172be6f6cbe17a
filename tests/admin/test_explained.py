"""Explain and Simulate through real gRPC."""

import asyncio

import pytest

from tests.support import files
from tests.support.admin_client import AdminClient, Services
from xds.slots.hashing import slot_of_header
from xds.stubs import canary_admin_v1_pb2 as pb

BY = "X-User-ID"
KEYS = [f"user-{number}".encode() for number in range(1000)]


def talk(weight: float = 20, **canary: object) -> str:
    """A deployment split by a header."""
    said = files.split(BY, route_type="header", a=("t2", weight), b=("t3", 10))
    return files.deployment("talk", main="t1", canary={**said, **canary})


PLACES = files.endpoints(t1="127.0.0.1:4001", t2="127.0.0.1:4002", t3="127.0.0.1:4003")


@pytest.fixture
async def talking(client: AdminClient) -> Services:
    """With `talk` deployed."""
    await client.apply(files.documents(talk(), PLACES))
    return client.services


def as_user(user: bytes) -> list[pb.ExplainRequest.Header]:
    """The header somebody sends."""
    return [pb.ExplainRequest.Header(name=BY.lower(), value=user)]


async def test_a_request_is_explained(talking: Services) -> None:
    """Version, slot, segment, and the sentence that puts them together."""
    request = pb.ExplainRequest(name="talk", headers=as_user(b"user123"))
    answer = await talking.deployments.Explain(request)
    (said,) = answer.explanations
    slot = slot_of_header([b"user123"], "talk")
    assert (answer.host, answer.gateway, answer.revision) == ("talk", "default", 1)
    assert said.slot == slot
    assert said.segment.start <= said.slot <= said.segment.end
    assert (said.route, said.deployment, said.version) == ("talk/sticky", "talk", "a")
    assert said.reason == (
        f"{BY} 'user123' hashes to slot {slot}, which is in a's segment 7000-8999 (of 10000)."
    )


async def test_without_a_key_chance_decides(talking: Services) -> None:
    """No version, no slot; the shares instead."""
    (said,) = (await talking.deployments.Explain(pb.ExplainRequest(name="talk"))).explanations
    assert (said.version, said.HasField("slot")) == ("", False)
    assert dict(said.shares) == {"main": 70, "a": 20, "b": 10}
    assert said.reason.startswith(f"{BY} is missing or empty, and when_missing is random. Chance decides")


async def test_many_keys_at_once(talking: Services) -> None:
    """In their order, each as if it were asked for by itself."""
    request = pb.ExplainRequest(name="talk", keys=KEYS)
    many = (await talking.deployments.Explain(request)).explanations
    one = await talking.deployments.Explain(pb.ExplainRequest(name="talk", headers=as_user(KEYS[7])))
    assert len(many) == len(KEYS)
    assert many[7].slot == one.explanations[0].slot
    assert {each.version for each in many} == {"main", "a", "b"}


async def test_a_version_without_endpoints_has_lent_its_slots(client: AdminClient) -> None:
    """Told is what Envoys do now."""
    await client.apply(files.documents(talk(), files.endpoints(t1="127.0.0.1:4001", t3="127.0.0.1:4003")))
    many = (await client.services.deployments.Explain(pb.ExplainRequest(name="talk", keys=KEYS))).explanations
    assert {each.version for each in many} == {"main", "b"}


async def test_raising_a_weight_moves_the_increase(talking: Services) -> None:
    """From main to a, the least possible; the keys say the same."""
    file = pb.File(name="talk.yaml", text=talk(weight=35))
    (said,) = (await talking.deployments.Simulate(pb.SimulateRequest(files=[file], keys=KEYS))).simulations
    assert (said.name, said.revision, said.moved, said.least, said.note) == ("talk", 1, 15, 15, "")
    (move,) = said.moves
    assert (move.from_version, move.to_version, move.percent) == ("main", "a", 15)
    assert {(key.before, key.after) for key in said.keys if key.moved} == {("main", "a")}
    assert 100 < sum(key.moved for key in said.keys) < 200


async def test_what_was_simulated_is_what_happens(talking: Services) -> None:
    """Key by key; and nothing happened before."""
    file = pb.File(name="talk.yaml", text=talk(weight=50))
    (said,) = (await talking.deployments.Simulate(pb.SimulateRequest(files=[file], keys=KEYS))).simulations
    assert (await talking.deployments.Get(pb.GetRequest(name="talk"))).revision.number == 1
    applied = await talking.deployments.Apply(pb.ApplyRequest(files=[file]))
    many = (await talking.deployments.Explain(pb.ExplainRequest(name="talk", keys=KEYS))).explanations
    assert [key.after for key in said.keys] == [each.version for each in many]
    assert applied.changes[0].moved == said.moved


async def test_another_salt_hashes_everybody_anew(talking: Services) -> None:
    """It moves far more than the weights need, and says so; `apply` counts the same."""
    file = pb.File(name="talk.yaml", text=talk(salt="other"))
    (said,) = (await talking.deployments.Simulate(pb.SimulateRequest(files=[file], keys=KEYS))).simulations
    assert (said.moved, said.least) == (100 - 49 - 4 - 1, 0)
    assert said.note == "everybody is hashed anew: the key or its salt changes"
    assert abs(sum(key.moved for key in said.keys) / len(KEYS) - 0.46) < 0.06
    (change,) = (await talking.deployments.Apply(pb.ApplyRequest(files=[file]))).changes
    assert change.moved == said.moved


async def test_a_new_deployment_moves_nobody(talking: Services) -> None:
    """There is nobody yet."""
    file = pb.File(name="new.yaml", text=files.deployment("new"))
    (said,) = (await talking.deployments.Simulate(pb.SimulateRequest(files=[file]))).simulations
    assert (said.name, said.revision, said.moved, list(said.moves)) == ("new", 0, 0, [])


async def test_others_are_served_in_between(talking: Services) -> None:
    """Ten thousand keys don't keep the server."""
    many = asyncio.ensure_future(talking.deployments.Explain(pb.ExplainRequest(name="talk", keys=KEYS * 10)))
    await talking.deployments.Get(pb.GetRequest(name="talk"))
    assert not many.done()
    assert len((await many).explanations) == 10_000
