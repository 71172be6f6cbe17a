"""What an edit of a build's endpoints comes to: what is to be written, or everything that is wrong.

An edit that changes nothing is an empty write. Nothing here waits or commits.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from xds.control.endpoint_book import API, APPLY, LEASE, WHOLE, EndpointBook, title
from xds.control.endpoint_targets import lost, users
from xds.control.state import State
from xds.errors import InvalidInput, NotFound, TooFewEndpoints
from xds.revisions.record import Revision
from xds.spec.endpoints import Endpoint
from xds.spec.faults import Fault
from xds.spec.proxyless import unresolved
from xds.store.records import Lease, Place, Write

_SHOWN = 10


def set_list(book: EndpointBook, ref: str, endpoints: Sequence[Endpoint]) -> Write:
    """These and no others are the API's."""
    _refuse_twice(ref, endpoints)
    return _api(book, ref, endpoints)


def add(book: EndpointBook, ref: str, endpoints: Sequence[Endpoint]) -> Write:
    """These as well; of one that is there already, the new weight and zone."""
    _refuse_none(ref, endpoints)
    new = {str(endpoint): endpoint for endpoint in endpoints}
    kept = {str(endpoint): endpoint for endpoint in book.lists_of(ref).get(API, ())}
    _refuse_twice(ref, endpoints)
    return _api(book, ref, tuple((kept | new).values()))


def remove(
    book: EndpointBook, ref: str, endpoints: Sequence[Endpoint], absent: Callable[[str], bool]
) -> Write:
    """Take these off the API's list, and end their leases; they aren't drained any more either.

    Args:
        book: what there is.
        ref: the build.
        endpoints: at least one.
        absent: whether a source is gone, so that nobody could take them off its list there.

    Raises:
        NotFound: the build has no such endpoint.
        InvalidInput: another source lists one, so it would stay.
    """
    _refuse_none(ref, endpoints)
    places = _known_places(book, ref, endpoints)
    faults = [
        Fault(ref, 0, "endpoints", f"{known.endpoint} is listed by {title(source)}", _instead(source))
        for known in book.known(ref)
        for source in known.sources
        if str(known.endpoint) in places and source not in (API, LEASE) and not absent(source)
    ]
    if faults:
        raise InvalidInput(faults)
    left = {
        (source, ref): tuple(each for each in given if str(each) not in places)
        for source, given in book.lists_of(ref).items()
        if source != LEASE and any(str(each) in places for each in given)
    }
    return Write(
        endpoints=left,
        leases={(ref, where): None for where in places if book.lease((ref, where))},
        drains={(ref, where): False for where in places & book.drained_places(ref)},
    )


def drain(book: EndpointBook, ref: str, endpoints: Sequence[Endpoint]) -> Write:
    """No requests for these; none named: for none of the build's, whatever comes.

    Raises:
        NotFound: the build has no such endpoint.
    """
    places = _known_places(book, ref, endpoints) if endpoints else {WHOLE}
    return Write(drains={(ref, where): True for where in sorted(places - book.drained_places(ref))})


def undrain(book: EndpointBook, ref: str, endpoints: Sequence[Endpoint]) -> Write:
    """Undo draining these; none named: draining the build. What was drained by itself stays so.

    Raises:
        NotFound: the build has no such endpoint.
    """
    places = _known_places(book, ref, endpoints) if endpoints else {WHOLE}
    return Write(drains={(ref, where): False for where in sorted(places & book.drained_places(ref))})


def lease(book: EndpointBook, ref: str, endpoint: Endpoint, ttl: float) -> Write:
    """It is there until its lease is over."""
    place: Place = (ref, str(endpoint))
    wanted = Lease(endpoint, ttl)
    return Write() if book.lease(place) == wanted else Write(leases={place: wanted})


def poll(
    state: State, source: str, lists: Mapping[str, tuple[Endpoint, ...]], absent: Callable[[str], bool]
) -> Write:
    """A source lists these now, by build ref, and for all other builds nothing.

    The lists that sources which are gone (`absent`) had of these builds make way: a source under a new
    name takes over from itself.
    """
    book = state.book
    coming: dict[tuple[str, str], tuple[Endpoint, ...]] = {
        (other, ref): ()
        for ref, given in lists.items()
        if given
        for other in book.lists_of(ref)
        if absent(other)
    }
    coming |= {(source, ref): () for ref in book.owned_by(source)}
    coming |= {(source, ref): given for ref, given in lists.items()}
    return Write(
        endpoints={
            (by, ref): given for (by, ref), given in coming.items() if given != book.lists_of(ref).get(by, ())
        }
    )


def check(state: State, ref: str, after: EndpointBook) -> None:
    """Make sure that a build can have what it would have.

    Raises:
        InvalidInput: names beside addresses, or names where clients resolve none.
    """
    union = after.union.get(ref, ())
    faults = []
    if len({endpoint.is_name for endpoint in union}) > 1:
        message = f"the endpoints of {ref} would mix host names and IP addresses"
        mend = "give all of a build's endpoints in one of the two ways"
        faults.append(Fault(ref, 0, "endpoints", message, mend))
    endpoints = {**state.book.union, ref: union}
    for head in users(state, ref):
        faults += unresolved(head.spec, state.gateways.values(), endpoints, ref)
    if faults:
        raise InvalidInput(dict.fromkeys(faults))


def check_users(state: State, ref: str, after: EndpointBook) -> None:
    """Make sure that nobody's requests end nowhere who could be served before.

    Raises:
        TooFewEndpoints: there are such; the message says how it could be done all the same.
    """
    usable = after.usable.get(ref, ())
    for head in users(state, ref):
        before = {each: state.endpoints.get(each, ()) for each in head.builds.values()}
        then, when = {**before, ref: usable}, state.lend_when(head)
        if lost(head, then, when) > lost(head, before, when):
            others = ", ".join(f"{head.deployment}@{label}" for label in _rest(head, ref))
            mend = f"send its share to {others} first, " if others else ""
            raise TooFewEndpoints(
                f"{ref} would have no usable endpoint (now {len(before.get(ref, ()))}), and"
                f" {head.deployment} has nobody else to serve its users; add endpoints first,"
                f" {mend}or force it"
            )


def _rest(head: Revision, ref: str) -> Iterator[str]:
    """The labels of a revision's canaries on other builds."""
    for label, key in head.labels.items():
        if label != "main" and head.builds[key] != ref:
            yield label


def _api(book: EndpointBook, ref: str, endpoints: Sequence[Endpoint]) -> Write:
    same = tuple(endpoints) == book.lists_of(ref).get(API, ())
    return Write() if same else Write(endpoints={(API, ref): tuple(endpoints)})


def _refuse_twice(ref: str, endpoints: Iterable[Endpoint]) -> None:
    times = Counter(str(endpoint) for endpoint in endpoints)
    faults = [
        Fault(ref, 0, "endpoints", f"{where} is listed twice", "use weight to give it more")
        for where, count in times.items()
        if count > 1
    ]
    if faults:
        raise InvalidInput(faults)


def _known_places(book: EndpointBook, ref: str, endpoints: Iterable[Endpoint]) -> set[str]:
    places = {str(endpoint) for endpoint in endpoints}
    there = [str(known.endpoint) for known in book.known(ref)]
    missing = sorted(places.difference(there))
    if missing:
        has = ", ".join(there[:_SHOWN]) or "none"
        raise NotFound(f"{ref} has no endpoint {', '.join(missing)} (it has: {has})")
    return places


def _refuse_none(ref: str, endpoints: Sequence[Endpoint]) -> None:
    if not endpoints:
        raise InvalidInput([Fault(ref, 0, "endpoints", "names none", "write at least one host:port")])


def _instead(source: str) -> str:
    if source == APPLY:
        return "apply its list without it, or drain it"
    where = source.partition(": ")[2] or source
    return f"edit {where}, or drain it"
