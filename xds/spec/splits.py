"""What decides before and beside the split: selectors, affinity, rules, mirrors.

Versions are named by label, and a label that a deployment has no more (after a promotion, say) is
passed over by translation; a file that names one is refused.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from xds.spec.complaint import wrong
from xds.spec.names import CookieName, CookiePath, KeyHeader, QueryName, Salt, SecretText
from xds.spec.places import HttpPath, PathPrefix
from xds.spec.regexes import Regex
from xds.spec.upstream import Model
from xds.spec.values import CookieAge, Percent, Text

__all__ = [
    "HeaderMatch",
    "Mirror",
    "PathMatch",
    "QueryMatch",
    "Rule",
    "RuleMatch",
    "Salt",
    "Secret",
    "SessionAffinity",
    "VersionSelector",
]


class Secret(Model):
    """A header that requests have to carry to be pinned; whoever can read the deployment can read it."""

    header: KeyHeader
    """Its name."""
    value: SecretText
    """What it has to say, exactly."""


class VersionSelector(Model):
    """Pins a request to the version it names, whatever the version's weight."""

    header: KeyHeader | None = None
    """The header that names the version."""
    query: QueryName | None = None
    """The query parameter that names it, if no header does."""
    cookie: CookieName | None = None
    """The cookie that names it, if neither does."""
    unknown: Literal["ignore", "not_found"] = "ignore"
    """Of requests that name a version there isn't: go on as if they named none, or 404."""
    secret: Secret | None = None
    """Only requests with this header are pinned; others go on as if they named none."""


class SessionAffinity(Model):
    """A cookie that keeps everyone, `main`'s users too, with the build that chance gave them."""

    cookie: CookieName | None = None
    """The cookie's name; absent: `canary-<deployment>`."""
    max_age: CookieAge = 24 * 3600.0
    """How long it holds, from the first answer on; in whole seconds."""
    path: CookiePath | None = None
    """The cookie's path; absent: the deployment's `path_prefix`."""


class _ValueMatch(Model):
    """One way to look at a text; exactly one is given."""

    exact: Text | None = None
    """All of it."""
    prefix: Text | None = None
    """How it begins."""
    regex: Regex | None = None
    """An RE2 expression for all of it."""


def _only_true(value: object) -> object:
    if value is False:
        raise wrong("a query parameter can only be asked for", "write present: true")
    return value


_OnlyTrue = Annotated[bool, BeforeValidator(_only_true)]


class HeaderMatch(_ValueMatch):
    """What a header has to be like: text alone is short for `exact`."""

    present: bool | None = None
    """Whether it is there at all."""


class QueryMatch(_ValueMatch):
    """What a query parameter has to be like, as it stands in the URL: text alone is short for `exact`."""

    present: _OnlyTrue | None = None
    """That it is there at all."""


class PathMatch(Model):
    """What the path has to be like: text alone is short for `prefix`."""

    exact: HttpPath | None = None
    """All of it."""
    prefix: PathPrefix | None = None
    """This path and everything below."""
    regex: Regex | None = None
    """An RE2 expression for all of it, without the query."""


_CHOICE = "write exactly one of"


def _one_way(match: _ValueMatch | PathMatch) -> _ValueMatch | PathMatch:
    said = [key for key in type(match).model_fields if getattr(match, key) is not None]
    if len(said) != 1:
        message = f"says {' and '.join(said)}" if said else "says nothing"
        raise wrong(message, f"{_CHOICE} {', '.join(type(match).model_fields)}")
    return match


def _short_for(key: str, model: type[Model]) -> BeforeValidator:
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value, json_schema_input_type=str | model
    )


class RuleMatch(Model):
    """Which requests a rule is about: those that fit everything it says."""

    headers: dict[
        KeyHeader,
        Annotated[
            HeaderMatch,
            AfterValidator(_one_way),
            _short_for("exact", HeaderMatch),
        ],
    ] = Field(default_factory=dict)
    """By header."""
    query: dict[
        QueryName, Annotated[QueryMatch, AfterValidator(_one_way), _short_for("exact", QueryMatch)]
    ] = Field(default_factory=dict)
    """By query parameter."""
    path: Annotated[PathMatch, AfterValidator(_one_way), _short_for("prefix", PathMatch)] | None = None
    """The path."""


def _not_everything(match: RuleMatch) -> RuleMatch:
    if match == RuleMatch():
        raise wrong("matches every request", "say headers, query or path")
    return match


class Rule(Model):
    """Sends requests that match to a version, before the split; the first rule that matches decides."""

    match: Annotated[RuleMatch, AfterValidator(_not_everything)]
    """Which requests."""
    version: Text
    """The version they get."""
    percentage: Percent = 100.0
    """How many of them; the others are split like everybody else."""


class Mirror(Model):
    """Sends copies of requests to a version, and drops its answers."""

    version: Text
    """The version that gets the copies."""
    percentage: Percent = 100.0
    """Of how many requests."""
