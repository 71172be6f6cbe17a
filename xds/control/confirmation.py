"""Confirmed by the fleet: following a change on its way to the Envoys."""

import dataclasses
import enum
from collections.abc import AsyncIterator

from xds.control.deployments import Deployments
from xds.control.publisher import Publisher
from xds.control.resource_control import ResourceControl
from xds.control.state import State


class Confirmed(enum.Enum):
    """How a change fared."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    TIMED_OUT = "timed out"
    NO_ENVOY = "no Envoy"
    SUPERSEDED = "superseded"


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a change has got with the connected Envoys it concerns.

    Attributes:
        state: the last progress of all has another one than WAITING.
        envoys: how many are connected.
        confirmed: how many of them have it.
        rejections: what an Envoy refuses of it: `<id>: <type> <name>: <text>`.
        waiting_for: the ids of those that have not confirmed it, at most 10.
        undone_by: the revision that undid it; None: it was not undone.
    """

    state: Confirmed
    envoys: int
    confirmed: int
    rejections: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()
    undone_by: int | None = None


class Confirmation:
    """Follows changes."""

    def __init__(
        self, state: State, publisher: Publisher, deployments: Deployments, resources: ResourceControl
    ) -> None:
        self._state = state
        self._publisher = publisher
        self._deployments = deployments
        self._resources = resources

    def of_deployment(
        self, name: str, revision: int, share: float, timeout: float | None, *, rollback_on_reject: bool
    ) -> AsyncIterator[Progress]:
        """Follow a revision; see `ControlPlane.confirm`."""
        raise NotImplementedError

    def of_resources(
        self, gateway: str, number: int, share: float, timeout: float | None, *, rollback_on_reject: bool
    ) -> AsyncIterator[Progress]:
        """Follow a set of resources; see `ControlPlane.confirm_resources`."""
        raise NotImplementedError
