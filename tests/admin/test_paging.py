"""Pages together are the listing, and a token is good for its own listing only."""

import base64

import hypothesis
import hypothesis.strategies as st
import pytest

from xds.admin import paging
from xds.errors import InvalidInput
from xds.stubs import canary_admin_v1_pb2 as pb


@hypothesis.given(st.sets(st.text(max_size=5), max_size=30), st.integers(1, 10))
def test_pages_together_are_the_listing(names: set[str], size: int) -> None:
    """Each item once, in order; the last page has no token."""
    listing, found, token = sorted(names), list[str](), ""
    while True:
        page = paging.page_of(pb.ListRequest(page_size=size, page_token=token), paging.name, "all")
        behind = [each for each in listing if page.after is None or each > page.after]
        items, token = page.cut(behind[: page.limit], lambda each: each)
        assert len(items) <= size
        found += items
        if not token:
            break
    assert found == listing


@hypothesis.given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_what_is_no_token_is_refused(text: str) -> None:
    """Whatever it is; "" is the first page."""
    request = pb.ListRequest()
    request.page_token = text.encode("utf-8", "replace").decode()
    if text:
        with pytest.raises(InvalidInput, match="page_token"):
            paging.page_of(request, paging.number, "revisions", "chat")


@pytest.mark.parametrize("scope", [("revisions", "other"), ("audit", "chat"), ("revisions",)])
def test_a_token_of_another_listing_is_refused(scope: tuple[str, ...]) -> None:
    """Rather than answered with the wrong items."""
    page = paging.page_of(pb.ListRequest(page_size=1), paging.number, "revisions", "chat")
    _, token = page.cut([2, 1], lambda number: number)
    assert paging.page_of(pb.ListRequest(page_token=token), paging.number, "revisions", "chat").after == 2
    with pytest.raises(InvalidInput):
        paging.page_of(pb.ListRequest(page_token=token), paging.number, *scope)


def test_two_names_are_a_key() -> None:
    """Of Envoys: gateway and id."""
    page = paging.page_of(pb.ListRequest(page_size=1), paging.names, "envoys")
    _, token = page.cut([("g", "1"), ("g", "2")], lambda pair: pair)
    assert paging.page_of(pb.ListRequest(page_token=token), paging.names, "envoys").after == ("g", "1")
