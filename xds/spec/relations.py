"""What must hold between the keys of a deployment: rules that no single value can break.

Each rule is a generator over a model whose values are all fine by themselves. A relation says what
it looked at, so that it is not judged where one of those was faulty to begin with.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pydantic_core import PydanticCustomError

from xds.spec.complaint import parts_of, show
from xds.spec.deployment import MAIN, Canary, Deployment
from xds.spec.findings import Findings, Path
from xds.spec.names import parse_key_header, parse_query_key
from xds.spec.places import is_below
from xds.spec.upstream import ClusterSettings, HeaderEdits


class Relation(NamedTuple):
    """One relation that doesn't hold.

    Attributes:
        path: where to say so.
        message: what is wrong.
        mend: what to write instead.
        of: what else it depends on.
        is_warning: it does no harm.
    """

    path: Path
    message: str
    mend: str = ""
    of: tuple[Path, ...] = ()
    is_warning: bool = False


def judge(deployment: Deployment, findings: Findings) -> None:
    """Note every relation of a deployment that doesn't hold."""
    for rule in _RULES:
        _note(rule(deployment), findings)
    _note(broken_settings(deployment, ()), findings)
    for label, version in deployment.canary.versions.items():
        _note(broken_settings(version, _version(label)), findings)


def judge_defaults(settings: ClusterSettings, findings: Findings, at: Path) -> None:
    """Note every relation of a gateway's defaults that doesn't hold."""
    _note(broken_settings(settings, at), findings)
    balancing = settings.load_balancing
    if balancing and balancing.policy == "ring_hash":
        findings.fault(
            (*at, "load_balancing", "policy"),
            "ring_hash depends on how a deployment is split",
            "set it on the deployments",
        )


def _note(relations: Iterator[Relation], findings: Findings) -> None:
    for path, message, mend, others, is_warning in relations:
        if not any(findings.spoiled(each) for each in (path, *others)):
            (findings.warn if is_warning else findings.fault)(path, message, mend)


_TYPE, _BY, _MISSING = ("canary", "route_type"), ("canary", "route_by"), ("canary", "when_missing")
_BALANCING = ("load_balancing",)
_SELECTOR, _AFFINITY = ("canary", "version_selector"), ("canary", "session_affinity")


def _version(label: str, *path: str) -> Path:
    return ("canary", "versions", label, *path)


def _split_has_its_key(deployment: Deployment) -> Iterator[Relation]:
    canary = deployment.canary
    if canary.route_type == "random":
        return
    if canary.route_by is None:
        what, example = (
            ("a header", "X-User-ID") if canary.route_type == "header" else ("a query parameter", "user")
        )
        yield Relation(_BY, f"a split by {what} needs its name", f"write route_by: {example}", (_TYPE,))
        return
    try:
        (parse_key_header if canary.route_type == "header" else parse_query_key)(canary.route_by)
    except PydanticCustomError as error:
        message, mend = parts_of(error)
        yield Relation(_BY, message, mend, (_TYPE,))


def _key_has_its_split(deployment: Deployment) -> Iterator[Relation]:
    canary = deployment.canary
    if canary.route_type != "random" or canary.route_by is None:
        return
    if "route_type" in canary.model_fields_set:
        message = f"does nothing in a random split: nobody is told apart by {show(canary.route_by)}"
        yield Relation(_BY, message, "write route_type: header, or query", (_TYPE,), is_warning=True)
    else:
        yield Relation(_TYPE, "is missing, though there is a route_by", "write header or query", (_BY,))


def _missing_key_needs_a_split(deployment: Deployment) -> Iterator[Relation]:
    canary = deployment.canary
    if canary.route_type == "random" and "when_missing" in canary.model_fields_set:
        message = "does nothing in a random split: it has no key that could be missing"
        yield Relation(_MISSING, message, "leave it out", (_TYPE, _BY), is_warning=True)


def _salt_needs_a_split(deployment: Deployment) -> Iterator[Relation]:
    canary = deployment.canary
    if canary.route_type == "random" and canary.salt:
        message = "does nothing in a random split: nothing is hashed"
        yield Relation(("canary", "salt"), message, "leave it out", (_TYPE, _BY), is_warning=True)


def _affinity_needs_chance(deployment: Deployment) -> Iterator[Relation]:
    canary = deployment.canary
    if canary.session_affinity is not None and canary.affinity is None:
        message = "does nothing here: the key keeps everyone where they are"
        mend = "write when_missing: sticky to keep those without a key as well, or leave it out"
        yield Relation(_AFFINITY, message, mend, (_TYPE, _BY, _MISSING), is_warning=True)


def _selector_selects(deployment: Deployment) -> Iterator[Relation]:
    said = deployment.canary.version_selector
    if said is not None and not (said.header or said.query or said.cookie):
        message = "doesn't say where requests name a version"
        yield Relation(_SELECTOR, message, "write header, query or cookie: {header: X-Version}")


def _selector_has_names_of_its_own(deployment: Deployment) -> Iterator[Relation]:
    """A build's name in the affinity cookie, or a secret, would be read as a version's."""
    said = deployment.canary.version_selector
    if said is None:
        return
    cookie = deployment.affinity_cookie
    if deployment.canary.affinity is not None and said.cookie == cookie:
        message = f"{show(cookie)} is also the cookie of session_affinity, which names a build"
        others = (_TYPE, _BY, _MISSING, _AFFINITY, (*_AFFINITY, "cookie"), ("name",))
        yield Relation((*_SELECTOR, "cookie"), message, "use another cookie", others)
    secret = said.secret
    if secret is not None and said.header is not None and secret.header.lower() == said.header.lower():
        message = f"{show(said.header)} is also the secret's header"
        yield Relation(
            (*_SELECTOR, "header"), message, "use another header", ((*_SELECTOR, "secret", "header"),)
        )


def _versions_are_there(deployment: Deployment) -> Iterator[Relation]:
    """Rules and mirrors name versions that the deployment has."""
    labels = list(deployment.weights())
    named: list[tuple[Path, str]] = [
        (("rules", index, "version"), rule.version) for index, rule in enumerate(deployment.rules)
    ]
    if deployment.canary.mirror is not None:
        named.append((("canary", "mirror", "version"), deployment.canary.mirror.version))
    for path, label in named:
        if label not in labels:
            message, mend = f"there is no version {show(label)}", f"write one of {', '.join(labels)}"
            yield Relation(path, message, mend, (("canary", "versions"),))


def _rules_are_below_the_path(deployment: Deployment) -> Iterator[Relation]:
    """A rule narrows what the deployment answers to."""
    for index, rule in enumerate(deployment.rules):
        for key in ("exact", "prefix"):
            path = getattr(rule.match.path, key, None)
            if path is not None and not is_below(path, deployment.path_prefix):
                yield Relation(
                    ("rules", index, "match", "path"),
                    f"{show(path)} is not below {deployment.path_prefix}, which the deployment answers to",
                    "write the whole path, as it is in the request",
                    (("path_prefix",),),
                )


def _main_hashes_by_a_fitting_header(deployment: Deployment) -> Iterator[Relation]:
    said = deployment.load_balancing
    if said is None:
        return
    policies = {
        version.load_balancing.policy
        for version in deployment.canary.versions.values()
        if version.load_balancing
    }
    header, policy = (*_BALANCING, "header"), (*_BALANCING, "policy")
    if said.policy == "ring_hash":
        yield from _ring_hash(deployment.canary, said.header, policy, header)
    elif said.header is not None and "ring_hash" not in policies:
        yield Relation(header, f"does nothing with {said.policy}", "leave it out", (policy,), is_warning=True)


def _versions_override_the_policy_only(deployment: Deployment) -> Iterator[Relation]:
    mains = deployment.load_balancing
    for label, version in deployment.canary.versions.items():
        said = version.load_balancing
        if said is None:
            continue
        policy, header = (_version(label, *_BALANCING, key) for key in ("policy", "header"))
        if said.header is not None:
            message = "belongs to the route, and a route is chosen before its version is"
            yield Relation(header, message, "move it to the deployment's load_balancing")
        elif said.policy == "ring_hash" and (mains is None or mains.policy != "ring_hash"):
            yield from _ring_hash(
                deployment.canary, mains.header if mains else None, policy, (*_BALANCING, "header")
            )


def _slow_start_has_no_ring(deployment: Deployment) -> Iterator[Relation]:
    """A ring is laid by weights alone: what Envoy ignores there is not sent."""
    message, mend = "slow_start has no effect with ring_hash", "leave it out, or use least_request"
    mains = deployment.load_balancing
    if deployment.slow_start and mains and mains.policy == "ring_hash":
        yield Relation(("slow_start",), message, mend, (_BALANCING,), is_warning=True)
    for label, version in deployment.canary.versions.items():
        balancing = version.load_balancing or mains
        if not balancing or balancing.policy != "ring_hash":
            continue
        policy = _version(label, *_BALANCING)
        if version.slow_start:
            path = _version(label, "slow_start")
            yield Relation(path, message, mend, (policy, _BALANCING), is_warning=True)
        elif version.load_balancing and deployment.slow_start:
            yield Relation(policy, message, mend, (("slow_start",),), is_warning=True)


def _ring_hash(canary: Canary, header: str | None, policy: Path, at: Path) -> Iterator[Relation]:
    if header is None:
        key = canary.route_by if canary.route_type == "header" and canary.route_by else "X-User-ID"
        yield Relation(policy, "ring_hash needs a header to hash by", f"write header: {key}", (at, _BY))


def _builds_without_a_tag_are_its_own(deployment: Deployment) -> Iterator[Relation]:
    """`chat@a` has the endpoints of chat's version a: nothing else may run it."""
    for label in deployment.weights():
        name, at, _ = (deployment.bento_of(label) or "").partition("@")
        if at and name != deployment.name:
            path = ("bento",) if label == MAIN else _version(label, "bento")
            message = f"is a build without a tag of {name}, and nobody else can run it"
            yield Relation(path, message, "write name:version", (("name",),))


_RULES: tuple[Callable[[Deployment], Iterator[Relation]], ...] = (
    _builds_without_a_tag_are_its_own,
    _split_has_its_key,
    _key_has_its_split,
    _missing_key_needs_a_split,
    _salt_needs_a_split,
    _affinity_needs_chance,
    _selector_selects,
    _selector_has_names_of_its_own,
    _versions_are_there,
    _rules_are_below_the_path,
    _main_hashes_by_a_fitting_header,
    _versions_override_the_policy_only,
    _slow_start_has_no_ring,
)


def broken_settings(settings: ClusterSettings, at: Path) -> Iterator[Relation]:
    """The relations within one level's settings that don't hold."""
    tls = settings.tls
    if tls and bool(tls.cert_file) != bool(tls.key_file):
        given, other = ("cert_file", "key_file") if tls.cert_file else ("key_file", "cert_file")
        other_path = (*at, "tls", other)
        yield Relation((*at, "tls", given), f"has no {other} to go with it", f"add {other}", (other_path,))
    if settings.headers:
        yield from _edits(settings.headers.request, (*at, "headers", "request"))
        yield from _edits(settings.headers.response, (*at, "headers", "response"))


def _edits(edits: HeaderEdits, at: Path) -> Iterator[Relation]:
    seen: dict[str, str] = {}
    for name in edits.set:
        if name.lower() in seen:
            message = f"is {seen[name.lower()]} again: header names don't differ by case"
            yield Relation((*at, "set", name), message, "keep one of them")
        seen[name.lower()] = name
    for index, name in enumerate(edits.remove):
        if name.lower() in seen:
            yield Relation((*at, "remove", index), f"{name} is also set", "keep one of them")
