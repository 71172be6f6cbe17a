"""A stream that is moved to another catalog: only what differs goes out."""

from tests.support.talk import Talk, cluster
from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource
from xds.catalog.types import Type


def catalog(*resources: Resource) -> Catalog:
    """A catalog of these."""
    made = Catalog()
    made.commit(resources)
    return made


def test_only_differences_go_out() -> None:
    """Added, changed and removed; what is equal in both is not sent."""
    talk = Talk(cluster("same"), cluster("changed"), cluster("gone"))
    talk.ask(Type.CLUSTER)
    talk.take()
    talk.stream.retarget(catalog(cluster("same"), cluster("changed", "2"), cluster("new")))
    assert talk.take() == {"changed": "2", "gone": None, "new": "1"}
    assert talk.hear() is None


def test_what_is_in_flight_counts_as_had() -> None:
    """Until the peer says otherwise."""
    talk = Talk(cluster("a"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.stream.retarget(catalog(cluster("a"), cluster("b")))
    talk.ack()
    assert talk.take() == {"b": "1"}


def test_names_of_no_interest_are_not_owed() -> None:
    """A named subscription stays what it is."""
    talk = Talk(cluster("a"))
    talk.ask(Type.ROUTE, "r")
    talk.take()
    talk.stream.retarget(catalog(Resource(Type.ROUTE, "other", "1")))
    assert talk.hear() is None


def test_a_refused_version_stays_parked() -> None:
    """Moving does not try it again; the other catalog's version goes out."""
    talk = Talk(cluster("a", "bad"))
    talk.ask(Type.CLUSTER)
    talk.hear()
    talk.nack()
    talk.stream.retarget(catalog(cluster("a", "bad")))
    assert talk.hear() is None
    talk.stream.retarget(catalog(cluster("a", "good")))
    assert talk.take() == {"a": "good"}
