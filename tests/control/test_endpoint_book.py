"""The book of endpoints: unions over sources, drains over all, leases, and what fades."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from xds.control.endpoint_book import API, APPLY, FADE, LEASE, WHOLE, EndpointBook
from xds.spec.endpoints import Endpoint
from xds.store.records import Lease, Place, Write

REF = "s:1"


def at(host: int, **more: object) -> Endpoint:
    """An endpoint."""
    return Endpoint.model_validate({"address": f"10.0.0.{host}", "port": 80, **more})


def book(**lists: tuple[Endpoint, ...]) -> EndpointBook:
    """A book of one build, with lists by source."""
    return EndpointBook({(source, REF): given for source, given in lists.items()}, {}, frozenset(), 0.0)


def drains(*places: str) -> Write:
    """Places of the build are drained."""
    return Write(drains={(REF, place): True for place in places})


def test_a_place_on_several_lists_counts_once() -> None:
    """And says whose lists it is on."""
    (known,) = book(api=(at(1),), file=(at(1),)).known(REF)
    assert known.sources == ("api", "file")


def test_what_was_said_by_hand_decides_the_weight() -> None:
    """Whatever the file is called."""
    both = book(**{"a.yaml": (at(1, weight=3),), APPLY: (at(1, weight=2),)})
    assert [endpoint.weight for endpoint in both.usable[REF]] == [2]


def test_a_source_replaces_its_own_list_only() -> None:
    """The other one's stays."""
    both = book(api=(at(1),), file=(at(2),))
    both.adopt(Write(endpoints={(API, REF): (at(3),)}), 0.0)
    assert set(both.usable[REF]) == {at(2), at(3)}


def test_a_drain_is_over_all_sources() -> None:
    """Also those that list it later."""
    both = book(api=(at(1), at(2)))
    both.adopt(drains("10.0.0.1:80"), 0.0)
    both.adopt(Write(endpoints={("file", REF): (at(1),)}), 0.0)
    assert both.usable[REF] == (at(2),)


def test_a_drained_build_has_nothing_usable() -> None:
    """Whatever comes."""
    one = book(api=(at(1),))
    one.adopt(drains(WHOLE), 0.0)
    one.adopt(Write(endpoints={(API, REF): (at(1), at(2))}), 0.0)
    assert one.usable[REF] == ()


def test_a_drained_place_that_no_source_lists_is_still_told_of() -> None:
    """Or nobody could find out why it gets nothing when it comes back."""
    one = book(api=(at(1), at(2)))
    one.adopt(drains("10.0.0.2:80"), 0.0)
    one.adopt(Write(endpoints={(API, REF): (at(1),)}), 0.0)
    assert [(known.endpoint, known.sources, known.drained) for known in one.known(REF)] == [
        (at(1), (API,), False),
        (at(2), (), True),
    ]


def test_only_what_is_usable_concerns_envoys() -> None:
    """A drained endpoint that comes or goes is no news."""
    one = book(api=(at(1),))
    one.adopt(drains("10.0.0.2:80"), 0.0)
    assert one.adopt(Write(endpoints={(API, REF): (at(1), at(2))}), 0.0) == set()
    assert one.adopt(Write(endpoints={(API, REF): (at(1), at(3))}), 0.0) == {REF}


def test_the_last_endpoints_stay_for_a_while() -> None:
    """Not usable, so routes move; but there, until they have."""
    one = book(api=(at(1),))
    one.adopt(Write(endpoints={(API, REF): ()}), 100.0)
    assert (one.usable[REF], one.fading[REF], one.next_fade()) == ((), (at(1),), 100.0 + FADE)
    assert one.fade(100.0 + FADE) == {REF}
    assert (dict(one.fading), one.next_fade()) == ({}, None)


def test_a_build_that_has_endpoints_again_fades_no_more() -> None:
    """The old ones are gone for good."""
    one = book(api=(at(1),))
    one.adopt(Write(endpoints={(API, REF): ()}), 0.0)
    one.adopt(Write(endpoints={(API, REF): (at(2),)}), 1.0)
    assert (one.usable[REF], dict(one.fading), one.next_fade()) == ((at(2),), {}, None)


def test_every_lease_begins_anew_at_the_start() -> None:
    """Nobody could renew while there was no server."""
    lease = {(REF, "10.0.0.1:80"): Lease(at(1), 30.0)}
    started = EndpointBook({}, lease, frozenset(), 1_000.0)
    assert (started.usable[REF], started.next_due()) == ((at(1),), 1_030.0)


def test_a_renewed_lease_is_over_later() -> None:
    """By all of its time."""
    place: Place = (REF, "10.0.0.1:80")
    one = EndpointBook({}, {place: Lease(at(1), 30.0)}, frozenset(), 0.0)
    one.renew(place, 20.0)
    assert (one.overdue(49.0), one.overdue(50.0)) == ([], [place])


def test_the_end_of_a_lease_leaves_what_others_list() -> None:
    """A union loses only what was on that list alone."""
    place: Place = (REF, "10.0.0.1:80")
    one = EndpointBook({(API, REF): (at(1),)}, {place: Lease(at(1), 30.0)}, frozenset(), 0.0)
    assert one.known(REF)[0].sources == (API, LEASE)
    assert one.adopt(Write(leases={place: None}), 0.0) == set()
    assert one.usable[REF] == (at(1),)


def test_a_trial_changes_nothing() -> None:
    """It is another book."""
    one = book(api=(at(1),))
    assert one.trial(REF, drains(WHOLE), 0.0).usable[REF] == ()
    assert one.usable[REF] == (at(1),)


places = st.integers(1, 4).map(at)
lists = st.lists(places, unique=True, max_size=3).map(tuple)
where = st.sampled_from([WHOLE, *(f"10.0.0.{host}:80" for host in range(1, 5))])
writes = st.one_of(
    st.builds(
        lambda source, given: Write(endpoints={(source, REF): given}),
        st.sampled_from([API, APPLY, "a.yaml", "file_sd: x.json"]),
        lists,
    ),
    st.builds(
        lambda endpoint, ends: Write(leases={(REF, str(endpoint)): None if ends else Lease(endpoint, 9.0)}),
        places,
        st.booleans(),
    ),
    st.builds(lambda place, on: Write(drains={(REF, place): on}), where, st.booleans()),
)


@given(st.lists(writes, max_size=25))
def test_a_book_agrees_with_a_plain_model(history: list[Write]) -> None:
    """After anything, usable is all that is listed or leased, less what is drained; a restart agrees."""
    one = EndpointBook({}, {}, frozenset(), 0.0)
    by_source: dict[tuple[str, str], tuple[Endpoint, ...]] = {}
    leases: dict[Place, Lease] = {}
    drained: set[Place] = set()
    for write in history:
        before = one.usable.get(REF, ())
        changed = one.adopt(write, 0.0)
        by_source |= write.endpoints
        leases = {place: lease for place, lease in {**leases, **write.leases}.items() if lease is not None}
        drained = {place for place in {*drained, *write.drains} if write.drains.get(place, True)}
        assert bool(changed) == (one.usable.get(REF, ()) != before)
        assert set(one.usable.get(REF, ())) == _model(by_source, leases, drained)
        assert one.trial(REF, Write(), 0.0).known(REF) == one.known(REF)
    again = EndpointBook(by_source, leases, frozenset(drained), 0.0)
    assert again.usable.get(REF, ()) == one.usable.get(REF, ())


def _model(
    by_source: Mapping[tuple[str, str], tuple[Endpoint, ...]],
    leases: Mapping[Place, Lease],
    drained: set[Place],
) -> set[Endpoint]:
    there = {endpoint for given in by_source.values() for endpoint in given}
    there |= {lease.endpoint for lease in leases.values()}
    if (REF, WHOLE) in drained:
        return set()
    return {endpoint for endpoint in there if (REF, str(endpoint)) not in drained}
