"""What a route says of retries, and a cluster of how many there may be."""

from typing import Any

import pytest

from xds.revisions import decide
from xds.revisions.record import Note
from xds.slots.table import SLOTS, Segment, SlotTable
from xds.spec.deployment import Deployment
from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.clusters import cluster
from xds.translate.split import MOST_TRIES, route
from xds.translate.values import match_path
from xds.translate.view import View

ELSEWHERE = {"on_other_version": True}


def view(retry: dict[str, Any], **how: Any) -> View:
    """A deployment with a canary and these retries."""
    said = {"name": "chat", "retry": retry, "canary": {"versions": {"a": {"weight": 20}}}}
    spec = Deployment.model_validate(said | how.pop("said", {}))
    revision = decide.apply(spec, None, {}, Note("me", 1.0))
    assert revision is not None
    return View(Gateway(name="edge"), revision, {}, lends=False, **how)


def policy(seen: View, segments: int = 1) -> route_v3.RetryPolicy:
    """The policy of a split in which the canary has so many segments."""
    main, canary = seen.revision.labels["main"], seen.revision.labels["a"]
    pairs = [Segment(owner, 1) for _ in range(segments) for owner in (canary, main)]
    table = SlotTable.of([*pairs, Segment(main, SLOTS - len(pairs))])
    return route(seen, "split", match_path("/"), table).route.retry_policy


def test_by_default_only_what_never_reached_the_model_is_retried() -> None:
    """On the same version, and twice."""
    said = policy(view({}))
    assert "5xx" not in said.retry_on
    assert said.num_retries.value == 2
    assert not said.refresh_cluster_on_retry


@pytest.mark.parametrize(
    ("segments", "attempts", "tries"),
    [(1, 1, 2), (1, 2, 2), (3, 2, 4), (3, 6, 6), (100, 2, MOST_TRIES), (100, 10, 10)],
)
def test_elsewhere_it_takes_as_many_as_there_are_segments_and_one(
    segments: int, attempts: int, tries: int
) -> None:
    """Bounded, unless more attempts are asked for."""
    said = policy(view({**ELSEWHERE, "attempts": attempts}), segments)
    assert (said.refresh_cluster_on_retry, said.num_retries.value) == (True, tries)


def test_5xx_only_where_asked_for() -> None:
    """Wherever it is tried again."""
    assert policy(view({"on_5xx": True})).retry_on.endswith(",5xx")


def test_envoys_that_cannot_lack_only_that() -> None:
    """They try the same version again, as often as the deployment says."""
    said = policy(view({**ELSEWHERE, "attempts": 3}, other_version=False), 5)
    assert (said.refresh_cluster_on_retry, said.num_retries.value) == (False, 3)


def test_where_one_version_has_everyone_there_is_no_other() -> None:
    """Pins, rules and cookies are such routes, too."""
    seen = view(ELSEWHERE)
    whole = route(seen, "split", match_path("/"), SlotTable.whole(seen.revision.labels["a"]))
    assert not whole.route.retry_policy.refresh_cluster_on_retry


@pytest.mark.parametrize(("said", "least"), [({}, 1_024), ({"circuit_breakers": {"max_retries": 7}}, 7)])
def test_retries_elsewhere_have_a_budget(said: dict[str, Any], least: int) -> None:
    """A share of what is under way, and at least so many; without, there is a plain bound."""
    seen = view(ELSEWHERE, said=said)
    (bounds,) = cluster(seen, seen.builds()[0]).circuit_breakers.thresholds
    assert bounds.retry_budget.budget_percent.value == 20
    assert bounds.retry_budget.min_retry_concurrency.value == least
    assert not bounds.HasField("max_retries")
    plain = view({})
    assert cluster(plain, plain.builds()[0]).circuit_breakers.thresholds[0].max_retries.value == 64
