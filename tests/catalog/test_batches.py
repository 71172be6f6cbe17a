"""What many peers are sent alike: messages made once, and true for as long as they are used."""

from xds.catalog.batches import Batch, Batches
from xds.catalog.catalog import Catalog
from xds.catalog.resource import Resource, fingerprint
from xds.catalog.types import Type


def cluster(name: str, version: str = "1", size: int = 10) -> Resource:
    """A cluster of so many bytes."""
    return Resource(Type.CLUSTER, name, version, b"." * size)


def filled(*names: str) -> Catalog:
    """A catalog with these clusters."""
    catalog = Catalog()
    catalog.commit(cluster(name) for name in names)
    return catalog


def versions(batch: Batch | None) -> dict[str, str]:
    """What a batch has, by name; an empty version for what is not there."""
    assert batch is not None
    return {name: resource.version if resource else "" for name, resource in batch.resources.items()}


def all_of(batches: Batches) -> list[dict[str, str]]:
    """The same of each."""
    return [versions(batches.batch(number)) for number in range(len(batches))]


def test_a_type_is_cut_into_messages_that_are_small_enough() -> None:
    """Everything in it once, as many to a message as fit."""
    batches = filled("a", "b", "c").batches(Type.CLUSTER, None, limit=20)
    assert all_of(batches) == [{"a": "1", "b": "1"}, {"c": "1"}]


def test_what_does_not_fit_into_a_message_has_one_of_its_own() -> None:
    """A resource is never cut."""
    batches = filled("a", "b").batches(Type.CLUSTER, None, limit=5)
    assert all_of(batches) == [{"a": "1"}, {"b": "1"}]


def test_all_are_given_the_same_batch() -> None:
    """The very object, by which its encoding is found."""
    catalog = filled("a", "b")
    one, other = (catalog.batches(Type.CLUSTER, None, limit=100) for _ in range(2))
    assert one.batch(0) is other.batch(0)


def test_a_change_makes_only_its_own_batch_anew() -> None:
    """The others stay the very objects they were."""
    catalog = filled("a", "b", "c")
    batches = catalog.batches(Type.CLUSTER, None, limit=20)
    before = [batches.batch(number) for number in range(2)]
    catalog.commit([cluster("c", "2")])
    after = [batches.batch(number) for number in range(2)]
    assert (after[0] is before[0], versions(after[1])) == (True, {"c": "2"})


def test_a_change_of_another_type_changes_nothing() -> None:
    """Names of one type say nothing of those of another."""
    catalog = filled("a")
    batches = catalog.batches(Type.CLUSTER, None, limit=20)
    before = batches.batch(0)
    catalog.commit([Resource(Type.ENDPOINT, "a", "2"), Resource(Type.ENDPOINT, "b", "2")])
    assert batches.batch(0) is before


def test_when_something_comes_or_goes_they_are_no_longer_everything() -> None:
    """Whoever walks through them goes on by itself; who comes later gets new ones."""
    for put, gone in (([cluster("b")], []), ([], [(Type.CLUSTER, "a")])):
        catalog = filled("a")
        batches = catalog.batches(Type.CLUSTER, None, limit=20)
        catalog.commit(put, gone)
        assert batches.batch(0) is None
        assert catalog.batches(Type.CLUSTER, None, limit=20) is not batches


def test_what_was_asked_for_by_name_may_come_and_go() -> None:
    """The answer to a name that is not there says so."""
    catalog = filled("a")
    batches = catalog.batches(Type.CLUSTER, frozenset({"a", "b"}), limit=100)
    assert all_of(batches) == [{"a": "1", "b": ""}]
    catalog.commit([cluster("b", "2")], [(Type.CLUSTER, "a")])
    assert all_of(batches) == [{"a": "", "b": "2"}]


def test_a_batch_that_has_grown_out_of_a_message_is_given_up() -> None:
    """No answer is much larger than its limit."""
    catalog = filled("a", "b")
    batches = catalog.batches(Type.CLUSTER, None, limit=20)
    catalog.commit([cluster("b", "2", size=1000)])
    assert batches.batch(0) is None


def test_a_push_has_what_was_and_what_is() -> None:
    """Of each type a commit changed."""
    catalog = filled("a", "b")
    catalog.commit([cluster("a", "2"), Resource(Type.ENDPOINT, "e", "1")], [(Type.CLUSTER, "b")])
    clusters, endpoints = (push.batch(0) for push in catalog.pushes)
    assert versions(clusters) == {"a": "2", "b": ""}
    assert versions(endpoints) == {"e": "1"}
    assert clusters is not None
    assert {name: had.version for name, had in clusters.had.items()} == {"a": "1", "b": "1"}
    assert clusters.removes


def test_a_push_is_true_until_the_next() -> None:
    """What is sent is the newest there is."""
    catalog = filled("a")
    (push,) = catalog.pushes
    catalog.commit([cluster("a", "2")])
    assert push.batch(0) is None


def test_a_batch_knows_the_fingerprint_of_what_it_changes() -> None:
    """Sending it takes a peer from the fingerprint it has to the catalog's."""
    catalog = filled("a", "b")
    before = catalog.fingerprint(Type.CLUSTER)
    catalog.commit([cluster("a", "2")])
    batch = catalog.pushes[0].batch(0)
    assert batch is not None
    assert before ^ batch.fingerprint == catalog.fingerprint(Type.CLUSTER)
    assert batch.fingerprint == fingerprint(cluster("a")) ^ fingerprint(cluster("a", "2"))


def test_only_so_many_lists_of_names_are_kept() -> None:
    """Peers that each ask for something else don't fill the memory."""
    catalog = filled("a")
    first = catalog.batches(Type.CLUSTER, frozenset({"a"}), limit=100)
    for number in range(40):
        catalog.batches(Type.CLUSTER, frozenset({f"b{number}"}), limit=100)
    assert catalog.batches(Type.CLUSTER, frozenset({"a"}), limit=100) is not first
