"""The file of admin tokens: who may call, with the hash of what they send.

    - {name: ci, sha256: "9f86d0...", expires: "2027-01-31"}

A token is 256 bits of chance, so a plain SHA-256 is right: there is nothing to guess that salt or a slow
hash would protect, and each call is checked against every entry. A file that leaks lets nobody in.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, JsonValue

from xds.spec.complaint import show, wrong
from xds.spec.faults import Fault
from xds.spec.findings import Findings
from xds.spec.fit import fit
from xds.spec.source import parts_of
from xds.spec.upstream import Model

_NAME = re.compile(r"[!-~]{1,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def token_name(value: str) -> str:
    """Check what a token's owner is called.

    Raises:
        ValueError: it is not 1 to 100 visible ASCII characters without blanks or quotes.
    """
    if not _NAME.fullmatch(value) or '"' in value or "\\" in value:
        raise wrong(f"{show(value)} is no name", "up to 100 letters, digits, dots, dashes or the like: ci")
    return value


def moment(value: object) -> datetime:
    """Read `2027-01-31` (its beginning) or `2027-01-31T12:00:00Z`; without a zone it is UTC.

    Raises:
        ValueError: it is neither.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime):
        raise wrong(f"{show(value)} is no date", "write 2027-01-31 or 2027-01-31T12:00:00Z")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _hash(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise wrong(f"{show(value)} is no SHA-256", "64 hex digits in lower case, as `canary token` writes")
    return value


class Token(Model):
    """Who has a token, and how to know it."""

    name: Annotated[str, AfterValidator(token_name)]
    """The author of what is changed with it."""
    sha256: Annotated[str, AfterValidator(_hash)]
    """Of the token's text, as 64 hex digits."""
    expires: Annotated[datetime, BeforeValidator(moment)] | None = None
    """From when on it is refused."""


class Tokens(NamedTuple):
    """A file of tokens: of use only if nothing is wrong with it."""

    tokens: tuple[Token, ...]
    faults: tuple[Fault, ...]


def sha256_of(token: str) -> str:
    """The hash a token is known by."""
    return hashlib.sha256(token.encode()).hexdigest()


def write_token(token: Token) -> str:
    """The line of the file for a token."""
    expires = f', expires: "{token.expires.isoformat()}"' if token.expires else ""
    return f'- {{name: "{token.name}", sha256: "{token.sha256}"{expires}}}'


def read_tokens(file: str, text: str) -> Tokens:
    """Read a file of tokens, with every fault at once.

    An empty file is a fault, as half-written ones begin like that; `[]` says that nobody has a token.
    """
    parts, faults = parts_of(file, text)
    if faults:
        return Tokens((), tuple(faults))
    if not parts or parts[0].value is None:
        return Tokens((), (Fault(file, 0, "", "has no tokens", "make one: canary token NAME --append FILE"),))
    findings = parts[0].findings
    for more in parts[1:]:
        findings.fault_at(more.line, (), "a second document", "keep one list")
    tokens = _tokens(parts[0].value, findings)
    return Tokens(tuple(tokens), tuple(sorted(findings.faults)))


def _tokens(value: JsonValue, findings: Findings) -> list[Token]:
    if not isinstance(value, list):
        findings.fault((), f"{show(value)} is no list", "write - {name: ci, sha256: ...}")
        return []
    tokens: list[Token] = []
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            findings.fault((index,), f"{show(item)} is no mapping", "write {name: ci, sha256: ...}")
        elif token := fit(Token, item, findings, (index,), strict=True):
            tokens.append(token)
    return tokens
