"""Writes that are answered when the Envoys have confirmed them, or it is known that they won't."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from xds.admin import deployment_messages as messages
from xds.admin.closing import Closing
from xds.admin.failures import Stopping
from xds.admin.messages import confirmation
from xds.admin.terms import Patience
from xds.control.confirmation import Progress
from xds.control.plane import ControlPlane
from xds.control.standing import Outcome, Standing
from xds.stubs import canary_admin_v1_pb2 as admin

T = TypeVar("T")


class Waiting:
    """Waits for the Envoys, for who asked to."""

    def __init__(self, plane: ControlPlane, closing: Closing) -> None:
        self._plane = plane
        self._closing = closing

    def progress(self, name: str, revision: int, patience: Patience) -> AsyncIterator[Progress]:
        """A revision (0: the one in force) on its way.

        Raises:
            NotFound: there is no such deployment or revision.
        """
        return self._plane.confirm(
            name,
            revision,
            patience.share,
            patience.timeout,
            rollback_on_reject=patience.rollback_on_reject,
        )

    async def changes(self, outcomes: Iterable[Outcome], patience: Patience | None) -> list[admin.Change]:
        """What verbs did, and what became of it."""
        outcomes = list(outcomes)
        if patience is None:
            return [messages.change(outcome) for outcome in outcomes]
        confirmations = await _together(self._confirmed(outcome, patience) for outcome in outcomes)
        now = self._plane.deployments.those(outcome.standing.revision.deployment for outcome in outcomes)
        made = []
        for outcome, said in zip(outcomes, confirmations, strict=True):
            change = messages.change(_as_of(outcome, now))
            change.confirmation.CopyFrom(said)
            made.append(change)
        return made

    async def change(self, outcome: Outcome, patience: Patience | None) -> admin.ChangeResponse:
        """What a verb did, and what became of it."""
        (change,) = await self.changes([outcome], patience)
        return admin.ChangeResponse(change=change)

    async def deployments(self, names: Iterable[str], patience: Patience | None) -> list[admin.Confirmation]:
        """What became of endpoints, at each deployment that has them."""
        if patience is None:
            return []
        patience = dataclasses.replace(
            patience, rollback_on_reject=False
        )  # there is no revision to return to
        return await _together(self._last(self.progress(name, 0, patience)) for name in names)

    async def resources(
        self, gateway: str, number: int, patience: Patience | None, *, changed: bool = True
    ) -> admin.Confirmation | None:
        """What became of resources that people gave a gateway."""
        if patience is None:
            return None
        return await self._last(
            self._plane.confirm_resources(
                gateway,
                number,
                patience.share,
                patience.timeout,
                rollback_on_reject=patience.rollback_on_reject and changed,
            )
        )

    async def _confirmed(self, outcome: Outcome, patience: Patience) -> admin.Confirmation:
        revision = outcome.standing.revision
        if not outcome.changed:  # what is in force was there before, and has nothing to do with this write
            patience = dataclasses.replace(patience, rollback_on_reject=False)
        return await self._last(self.progress(revision.deployment, revision.number, patience))

    async def _last(self, progress: AsyncIterator[Progress]) -> admin.Confirmation:
        """The last of it; of a server that stops, what was known until then."""
        last = admin.Confirmation()
        try:
            async for each in self._closing.over(progress):
                last = confirmation(each)
        except Stopping:
            if last.state == admin.Confirmation.STATE_UNSPECIFIED:
                raise
        return last


def _as_of(outcome: Outcome, now: Mapping[str, Standing]) -> Outcome:
    """The same, with what the Envoys have by now."""
    made = outcome.standing.revision
    standing = now.get(made.deployment)
    if standing is None or standing.revision != made:
        return outcome
    return dataclasses.replace(outcome, standing=standing)


async def _together(waits: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All of them at the same time; where one fails, nobody waits for the others."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
