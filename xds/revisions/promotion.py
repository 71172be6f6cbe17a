"""What a deployment is after a promotion: the canary's build, and what it was set to, are `main`'s.

Settings have no level that is `main`'s alone: what is said for `main` holds for the deployment, and
canaries inherit it. So what the other canaries inherited until now is written into them where it would
change. Three things can't be written, and reach the other canaries (which have no users, at 0) too:
a setting that only the promoted canary had, where theirs was a gateway's or ours (there is no word for
"as the gateway says"); its patches of clusters; and what it told HTTP filters.
"""

from collections.abc import Mapping, Sequence

from xds.errors import InvalidInput
from xds.revisions.record import Revision
from xds.spec.deployment import MAIN, Canary, Deployment, Version
from xds.spec.envoy import EnvoyPatches, EnvoyVersionPatches, Raw, combined
from xds.spec.faults import Fault
from xds.spec.kept import says_timeout
from xds.spec.levels import cluster_said
from xds.spec.splits import Mirror, Rule
from xds.spec.upstream import ClusterSettings, LoadBalancing

_KEPT = ("envs", "secrets")
_FILTERS = "typed_per_filter_config"
_OWN = frozenset(ClusterSettings.model_fields)


def promoted(head: Revision, label: str) -> Deployment:
    """The deployment of a revision after the promotion of one of its canaries.

    Raises:
        InvalidInput: the canary's patches can't be said of the deployment.
    """
    before = head.spec
    won = _level(head, label)
    update: dict[str, object] = {
        "bento": _bento(head, label),
        "min_endpoints": before.min_endpoints_of(label),
        "envoy": _patches(before, won.envoy, label),
        **_what_bentoml_reads(won),
        **cluster_said((won, before)),
    }
    after: Deployment = before.model_copy(update=update)
    others = {
        other: _as_before(_level(head, other), version, before, after)
        for other, version in before.canary.versions.items()
        if other != label
    }
    canary: Canary = before.canary.model_copy(
        update={"versions": others, "mirror": _mirror(before.canary.mirror, label)}
    )
    balancing = _balancing(before, after, others)
    rules = _rules(before.rules, label)
    return after.model_copy(update={"canary": canary, "load_balancing": balancing, "rules": rules})


def _rules(rules: Sequence[Rule], label: str) -> tuple[Rule, ...]:
    """Who was sent to the canary by a rule still gets its build, which is `main`'s now."""
    return tuple(
        rule.model_copy(update={"version": MAIN}) if rule.version == label else rule for rule in rules
    )


def _mirror(mirror: Mirror | None, label: str) -> Mirror | None:
    """Nobody copies requests to the build that answers them."""
    return None if mirror is not None and mirror.version == label else mirror


def _level(head: Revision, label: str) -> Version:
    """What is in effect for a canary's build besides the deployment's: the first of its labels decides."""
    first = head.label_of(head.labels[label])
    return head.spec.canary.versions[first] if first != MAIN else Version()


def _bento(head: Revision, label: str) -> str | None:
    """The canary's tag; `<name>@<label>` where it has none, unless that is `main`'s anyway."""
    ref = head.builds[head.labels[label]]
    return None if ref == f"{head.deployment}@{MAIN}" else ref


def _as_before(level: Version, version: Version, before: Deployment, after: Deployment) -> Version:
    """Another canary: without users, and set to what it was set to, as far as that can be said."""
    had, has = cluster_said((level, before)), cluster_said((level, after))
    kept: dict[str, object] = {name: getattr(level, name) for name in _OWN}
    kept |= {name: value for name, value in had.items() if value != has.get(name)}
    if isinstance(balancing := kept["load_balancing"], LoadBalancing):
        kept["load_balancing"] = LoadBalancing(policy=balancing.policy)
    needs = version.min_endpoints or before.min_endpoints
    if needs != after.min_endpoints:
        kept["min_endpoints"] = needs
    return version.model_copy(update={**kept, "weight": 0.0})


def _balancing(before: Deployment, after: Deployment, others: Mapping[str, Version]) -> LoadBalancing | None:
    """The canary's policy; and the header, which only a deployment has, if anybody still hashes by it."""
    said = after.load_balancing
    if said is None or before.load_balancing is None:
        return said
    policies = {said.policy, *(each.load_balancing.policy for each in others.values() if each.load_balancing)}
    return LoadBalancing(
        policy=said.policy, header=before.load_balancing.header if "ring_hash" in policies else None
    )


def _what_bentoml_reads(won: Version) -> dict[str, object]:
    """BentoML's keys, as they are; but no timeout that nobody asked for, as services of `main` may say."""
    said = {name: value for name in _KEPT if (value := getattr(won, name)) is not None}
    if won.services is not None and not says_timeout(won.services):
        said["services"] = won.services
    return said


def _patches(before: Deployment, won: EnvoyVersionPatches | None, label: str) -> EnvoyPatches | None:
    if won is None:
        return before.envoy
    said = before.envoy or EnvoyPatches()
    cluster, filters = won.cluster, won.typed_per_filter_config
    try:
        update = {
            "cluster": combined(said.cluster or {}, cluster) if cluster else said.cluster,
            "route": _with_filters(said.route or {}, filters) if filters else said.route,
        }
    except ValueError as error:
        message = f"its patch of {error} fills what the deployment's clears, and one patch can't say both"
        path = f"canary.versions.{label}.envoy.cluster"
        mend = "apply a file whose main has the canary's bento and patches"
        raise InvalidInput([Fault(before.name, 0, path, message, mend)]) from error
    return said.model_copy(update=update)


def _with_filters(route: Raw, filters: Raw) -> Raw:
    """A patch of routes that also tells HTTP filters something; each by itself, as a whole."""
    name = next((key for key in route if key in (_FILTERS, "typedPerFilterConfig")), _FILTERS)
    told = route.get(name)
    return {**route, name: {**(told if isinstance(told, dict) else {}), **filters}}
