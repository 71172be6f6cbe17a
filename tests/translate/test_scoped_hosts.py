"""A host as a scope of its own."""

import dataclasses

import pytest

from xds.catalog.resource import encode
from xds.catalog.types import Type
from xds.discovery import delta
from xds.discovery.answer import Answer, Item
from xds.revisions import decide
from xds.revisions.record import Note
from xds.slots.table import Segment, SlotTable
from xds.spec.deployment import Deployment
from xds.spec.endpoints import Endpoint
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.hosts import section, virtual_host
from xds.translate.scopes import keys_of, own_scopes, scope
from xds.translate.view import View

FOUR = [("2", 2000), ("1", 3000), ("3", 3000), ("1", 2000)]
"""As many segments as three versions ever have (`xds.slots.layout`)."""
EIGHT = [("2", 1000), ("1", 3000), ("3", 500), ("1", 1500), ("2", 900), ("1", 1100), ("3", 700), ("2", 1300)]
TEXT = """\
name: chat
bento: chat:v1.0.0
canary:
  route_type: header
  route_by: X-User-ID
  versions:
    a: {bento: "chat:v1.1.0", weight: 20}
    b: {bento: "chat:v1.2.0", weight: 30}
"""


def deployment() -> Deployment:
    """Three versions by header."""
    (document,) = read([("chat.yaml", TEXT)]).documents
    assert document.deployment is not None
    return document.deployment


@pytest.mark.parametrize(("segments", "limit"), [(FOUR, 850), (EIGHT, 1024)], ids=["4", "8"])
def test_a_weight_change_is_a_kilobyte(segments: list[tuple[str, int]], limit: int) -> None:
    """The whole answer to an Envoy, of three versions on one host, by the segments of the slot table."""
    spec = deployment()
    revision = decide.apply(spec, None, {}, Note("test", 0.0))
    assert revision is not None
    keys = dict(zip("123", revision.builds, strict=True))
    slots = SlotTable.of(Segment(keys[owner], size) for owner, size in segments)
    view = View(
        Gateway(name="default", mode="scoped"),
        dataclasses.replace(revision, slots=slots),
        {ref: (Endpoint(address="10.0.0.1", port=80),) for ref in revision.builds.values()},
    )
    (host,), part = section(view)
    resource = encode(Type.SCOPED_ROUTE, host, scope(host, virtual_host(host, [part])))
    answer = Answer(Type.SCOPED_ROUTE, "12345.0", (Item(host, None, resource),))
    assert max(len(route.route.weighted_clusters.clusters) for route in part.routes) == len(segments)
    assert len(delta.encode(answer)) < limit


def test_a_virtual_host_of_the_gateways_own_is_a_scope_for_each_domain() -> None:
    """Each answers on its own domain, and all else is the same."""
    host = route_v3.VirtualHost(name="legacy", domains=["a.test", "b.test"])
    host.routes.add(name="all").match.prefix = "/"
    scopes = list(own_scopes(host))
    tables = [each.route_configuration.virtual_hosts[0] for each in scopes]
    assert [keys_of(each) for each in scopes] == [("a.test",), ("b.test",)]
    assert [[*table.domains] for table in tables] == [["a.test"], ["b.test"]]
    assert {(table.name, table.routes[0].name) for table in tables} == {("legacy", "all")}
