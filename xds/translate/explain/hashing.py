"""What a route's hash policies make of a request (facts: "Sticky splits")."""

import dataclasses
import re
from collections.abc import Iterable

import xxhash

from xds.spec.regexes import Match
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.stubs import envoy_type_matcher_v3_pb2 as matcher_v3
from xds.translate.explain.asked import Request, Untold
from xds.translate.explain.texts import compiled

_BITS = 64
_REFERENCE = re.compile(rb"\\([\\\d])")
_LONGEST = 60
"""Characters of a value that are shown."""

Policy = route_v3.RouteAction.HashPolicy


@dataclasses.dataclass(frozen=True)
class Hash:
    """What was hashed.

    Attributes:
        value: 64 bits.
        said: what it was made of, for people: `X-User-ID 'user123'`.
    """

    value: int
    said: str


def hash_of(policies: Iterable[Policy], request: Request) -> Hash | None:
    """The hash that Envoy chooses by; None where nothing that it hashes is there.

    Raises:
        Untold: it hashes something that isn't in the request, as the client's address.
    """
    found: Hash | None = None
    for policy in policies:
        one = _one(policy, request)
        if one is not None:
            found = one if found is None else _both(found, one)
        if policy.terminal and found is not None:
            break
    return found


def shown(values: Iterable[bytes]) -> str:
    """Values for people: text where they are text, cut where they are long."""
    return ", ".join(repr(_cut(value.decode(errors="backslashreplace"))) for value in values)


def _one(policy: Policy, request: Request) -> Hash | None:
    match policy.WhichOneof("policy_specifier"):
        case "header":
            return _header(policy.header, request)
        case "query_parameter":
            name = policy.query_parameter.name
            return _single(name, request.parameter(name))
        case "cookie":
            return _single(f"the cookie {policy.cookie.name}", request.cookie(policy.cookie.name))
        case other:
            raise Untold(f"it hashes by {other}, which a request doesn't show")


def _header(policy: Policy.Header, request: Request) -> Hash | None:
    values = request.values(policy.header_name)
    if not values:
        return None
    digest = 0
    rewrite = policy.regex_rewrite if policy.HasField("regex_rewrite") else None
    for value in sorted(_rewritten(rewrite, value) if rewrite else value for value in values):
        digest = xxhash.xxh64_intdigest(value, seed=digest)
    return Hash(digest, f"{policy.header_name} {shown(values)}")


def _single(name: str, value: bytes | None) -> Hash | None:
    return None if value is None else Hash(xxhash.xxh64_intdigest(value), f"{name} {shown([value])}")


def _both(before: Hash, after: Hash) -> Hash:
    turned = (before.value << 1 | before.value >> (_BITS - 1)) & (2**_BITS - 1)
    return Hash(turned ^ after.value, f"{before.said} and {after.said}")


def _rewritten(rewrite: matcher_v3.RegexMatchAndSubstitute, value: bytes) -> bytes:
    substitution = rewrite.substitution.encode()

    def said(found: Match) -> bytes:
        def of(reference: re.Match[bytes]) -> bytes:
            what = reference[1]
            return (found.group(int(what)) or b"") if what.isdigit() else what

        return _REFERENCE.sub(of, substitution)

    return compiled(rewrite.pattern.regex).sub(said, value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
