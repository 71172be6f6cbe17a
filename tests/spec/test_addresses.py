"""IP addresses and names, told apart."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from xds.spec.places import ip_or_none, is_ip, parse_address

octets = st.integers(0, 300).map(str) | st.sampled_from(["00", "01", "", "1 ", "٣"])
dotted = st.lists(octets, min_size=3, max_size=5).map(".".join)
names = st.from_regex(r"[a-z0-9_]{1,4}(\.[a-z0-9-]{1,4}){0,3}\.?", fullmatch=True)
addresses = st.ip_addresses().map(str) | dotted | names


@given(addresses)
def test_an_ip_address_is_one_that_the_standard_library_takes(value: str) -> None:
    """In its shortest form."""
    try:
        expected: str | None = str(ipaddress.ip_address(value))
    except ValueError:
        expected = None
    assert ip_or_none(value) == expected


@given(addresses)
def test_an_address_that_was_read_tells_by_itself_what_it_is(value: str) -> None:
    """Names end otherwise, and have no colons."""
    try:
        address = parse_address(value)
    except ValueError:
        return
    assert is_ip(address) == (ip_or_none(address) is not None)
