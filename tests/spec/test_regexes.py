"""Regular expressions are checked as far as Python can stand in for RE2."""

import pytest

from xds.spec.regexes import parse_regex


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
        ("a" * 1025, "longer than 1024"),
        ("", "empty"),
    ],
)
def test_what_re2_lacks_is_refused(expression: str, why: str) -> None:
    """With the reason, before an Envoy says it."""
    with pytest.raises(ValueError, match=why):
        parse_regex(expression)
