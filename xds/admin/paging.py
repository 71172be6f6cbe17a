"""Pages of a listing. A token says which listing it is of and the key of the last item that was sent.

Keys rather than positions: what is added or goes meanwhile neither repeats nor hides anything else.
"""

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from xds.admin.rules import HIGHEST, fault
from xds.errors import InvalidInput

DEFAULT_SIZE = 100

T = TypeVar("T")
K = TypeVar("K")


class Paged(Protocol):
    """A request for a page."""

    page_size: int
    page_token: str


@dataclasses.dataclass(frozen=True)
class Page(Generic[K]):
    """Which part of a listing is asked for.

    Attributes:
        scope: what is listed.
        size: items on the page, at most.
        after: the key of the last item of the page before; None: from the beginning on.
    """

    scope: tuple[str, ...]
    size: int
    after: K | None

    @property
    def limit(self) -> int:
        """Items to look up: one more than fits tells whether there is another page."""
        return self.size + 1

    def cut(self, found: Sequence[T], key: Callable[[T], K]) -> tuple[Sequence[T], str]:
        """The items of the page, and the token of the next one ("": there is none)."""
        items = found[: self.size]
        return items, _token(self.scope, key(items[-1])) if len(found) > self.size else ""


def page_of(request: Paged, key: Callable[[object], K | None], *scope: str) -> Page[K]:
    """The page that a request is for.

    Args:
        request: checked already but for its token.
        key: makes the listing's key of what a token has, or None.
        scope: the listing, and what else of the request decides on what is in it.

    Raises:
        InvalidInput: the token is of another listing, or none at all.
    """
    after = _after(request.page_token, key, scope) if request.page_token else None
    return Page(scope, request.page_size or DEFAULT_SIZE, after)


def number(said: object) -> int | None:
    """A key that counts."""
    return said if type(said) is int and 0 <= said <= HIGHEST else None


def name(said: object) -> str | None:
    """A key that is a name."""
    return said if isinstance(said, str) else None


def names(said: object) -> tuple[str, str] | None:
    """A key of two names."""
    match said:
        case [str(first), str(second)]:
            return first, second
        case _:
            return None


def _token(scope: tuple[str, ...], key: object) -> str:
    said = json.dumps([*scope, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _after(token: str, key: Callable[[object], K | None], scope: tuple[str, ...]) -> K:
    match _said(token):
        case [*listing, last] if listing == list(scope) and (found := key(last)) is not None:
            return found
        case _:
            mend = "give the next_page_token of the page before, or none"
            raise InvalidInput([fault("page_token", "is not of this listing", mend)])


def _said(token: str) -> object:
    try:
        said: object = json.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return said
