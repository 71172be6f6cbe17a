"""What Envoy is to do with a key, computed from the route table that it really has.

An oracle of its own: it knows nothing of `xds.slots`, only Envoy's rule (the hash of the value behind
the policy's salt, modulo 10,000, walked over the weighted entries in their order).
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, cast

import xxhash

from tests.support.envoys import Json

SLOTS = 10_000


@dataclasses.dataclass(frozen=True)
class Entry:
    """One weighted entry of a split: a segment of the slot table."""

    version: str
    cluster: str
    weight: int


def routes_of(table: Json, host: str) -> list[dict[str, Any]]:
    """The routes of a host, in the order Envoy tries them."""
    for virtual_host in cast("list[dict[str, Any]]", table["virtual_hosts"]):
        if host in virtual_host["domains"]:
            return cast("list[dict[str, Any]]", virtual_host["routes"])
    raise LookupError(f"no virtual host for {host}")


@dataclasses.dataclass(frozen=True)
class Split:
    """The segments a host's keys are spread over, in order, and what stands before a key."""

    entries: tuple[Entry, ...]
    salt: str

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


def sticky_split(table: Json, host: str, deployment: str = "") -> Split:
    """The sticky split of a host, or of one of the deployments that share it."""
    for route in routes_of(table, host):
        if deployment and not route.get("name", "").startswith(f"{deployment}/"):
            continue
        clusters = route.get("route", {}).get("weighted_clusters", {})
        if clusters.get("use_hash_policy"):
            return Split(tuple(map(_entry, clusters["clusters"])), _salt(route["route"]["hash_policy"][0]))
    raise LookupError(f"{host} has no sticky split")


def predict(split: Split, key: str) -> Entry:
    """The entry that owns a key."""
    slot = xxhash.xxh64_intdigest(f"{split.salt}{key}".encode()) % SLOTS
    for entry in split:
        if slot < entry.weight:
            return entry
        slot -= entry.weight
    raise AssertionError("the segments do not add up to 10,000")


def _salt(policy: dict[str, Any]) -> str:
    """What a policy puts before a header's value."""
    substitution = policy.get("header", {}).get("regex_rewrite", {}).get("substitution", r"\1")
    return cast("str", substitution).removesuffix(r"\1").replace(r"\\", "\\")


def _entry(cluster: dict[str, Any]) -> Entry:
    edits = cluster.get("response_headers_to_add", [])
    headers = {edit["header"]["key"].lower(): edit["header"]["value"] for edit in edits}
    return Entry(headers["x-canary-version"], cluster["name"], cluster.get("weight", 0))
