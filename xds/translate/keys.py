"""Keys: what a split hashes, behind which salt, and what a ring of endpoints hashes.

The hash of a header's value has the deployment's salt before it, so that the same people are not in
every canary. Query parameters can't be rewritten before they are hashed: there the table is turned
instead. `xds.slots.hashing` is the same arithmetic, for whoever wants to know beforehand.

A request has one hash at the route. Where the split takes it, a ring has its own, in its cluster.
"""

from xds.revisions.record import Revision
from xds.slots.hashing import offset_of
from xds.slots.table import SlotTable
from xds.spec.deployment import Canary, Deployment
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.settings import cluster_settings

_NOT_EMPTY = ".+"
_RING = "ring_hash"

HashPolicy = route_v3.RouteAction.HashPolicy


def match_key(match: route_v3.RouteMatch, canary: Canary) -> None:
    """Match only requests with a key that isn't empty."""
    matchers = match.headers if canary.route_type == "header" else match.query_parameters
    matchers.add(name=canary.route_by).string_match.safe_regex.regex = _NOT_EMPTY


def split_policy(spec: Deployment) -> HashPolicy:
    """What a sticky split hashes."""
    canary = spec.canary
    if canary.route_type == "query":
        return HashPolicy(query_parameter=HashPolicy.QueryParameter(name=canary.route_by))
    policy = by_header(canary.route_by or "")
    if spec.salt:
        rewrite = policy.header.regex_rewrite
        rewrite.pattern.regex = "^(.*)$"
        rewrite.substitution = spec.salt.replace("\\", "\\\\") + r":\1"
    return policy


def turned(spec: Deployment, split: SlotTable) -> SlotTable:
    """The table as Envoy is to walk it."""
    return split.turned(offset_of(spec.salt)) if spec.canary.route_type == "query" else split


def ring_policy(revision: Revision) -> HashPolicy | None:
    """What `ring_hash` hashes by, where the split itself hashes nothing."""
    spec = revision.spec
    header = spec.load_balancing.header if spec.load_balancing else None
    if header is None:
        return None
    policies = {
        balancing.policy
        for label in revision.labels
        if (balancing := cluster_settings(spec.settings_of(label), spec).load_balancing)
    }
    return by_header(header) if _RING in policies else None


def ring_header(spec: Deployment) -> str | None:
    """The header that rings hash by themselves, because the split hashes something else."""
    canary, header = spec.canary, spec.load_balancing.header if spec.load_balancing else None
    if header is None or not canary.is_sticky:
        return None
    same = canary.route_type == "header" and (canary.route_by or "").lower() == header.lower()
    return None if same else header


def by_header(name: str) -> HashPolicy:
    """The hash of a header's value."""
    policy = HashPolicy()
    policy.header.header_name = name
    return policy
