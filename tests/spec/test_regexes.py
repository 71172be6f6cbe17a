"""Regular expressions are checked by RE2, as Envoy has it."""

import pytest

from xds.spec.regexes import compiled, parse_regex


@pytest.mark.parametrize(
    "expression",
    ["a.*", "(?i)eu-.*", r"\d{1,3}", "[^;]+", r"\pL+", r"\p{Greek}", "[[:alpha:]]+", r"\\pL", r"\(?=x",
     "[?+]+", "(?P<name>a)", r"a\z", r"\C", "a{1000}", r"\\\\1", "x*?", "a+?"],
)  # fmt: skip
def test_what_re2_takes_is_taken(expression: str) -> None:
    """Also what Python spells differently."""
    assert parse_regex(expression) == expression


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(?=a)", "looks around"),
        ("(?<!a)b", "looks around"),
        (r"(a)\1", "refers back"),
        ("(?P<n>a)(?P=n)", "refers back"),
        ("a++", "possessive"),
        ("(?>a)", "atomic"),
        ("(a)(?(1)b|c)", "condition"),
        ("a{1001}", "1000 times"),
        ("(a", "no regular expression"),
        ("*a", "no regular expression"),
        ("(é", r"no regular expression: missing \)$"),
        ("a" * 1025, "longer than 1024"),
        ("", "empty"),
    ],
)
def test_what_re2_lacks_is_refused(expression: str, why: str) -> None:
    """With the reason, before an Envoy says it."""
    with pytest.raises(ValueError, match=why):
        parse_regex(expression)


def test_no_expression_takes_for_ever() -> None:
    """Two to the power of 60 ways to try: the test's own time limit is all that is needed."""
    assert compiled(parse_regex("(a+)+x")).fullmatch(b"a" * 60) is None


@pytest.mark.parametrize(("value", "fits"), [(b"a", True), (b"\xfc", True), ("é".encode(), False)])
def test_a_dot_is_one_byte(value: bytes, fits: bool) -> None:  # noqa: FBT001 (a parameter of the table)
    """As Envoy has it."""
    assert (compiled(".").fullmatch(value) is not None) is fits
