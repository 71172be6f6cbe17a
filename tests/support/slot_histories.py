"""Long histories of one deployment's shares, and how others lay them out."""

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from xds.slots.table import SLOTS, Segment, SlotTable

MAIN = "main"
Shares = dict[str, int]
Kind = Literal["raise", "swap", "add", "remove", "replace", "set", "abort"]
KINDS: tuple[Kind, ...] = ("raise", "swap", "add", "remove", "replace", "set", "abort")


class Step(NamedTuple):
    """One change; which owners and how much are taken modulo what there is."""

    kind: Kind
    one: int
    other: int
    slots: int


def shares_after(steps: Iterable[Step], most: int) -> Iterator[Shares]:
    """The shares after each step.

    Args:
        steps: what happens.
        most: owners at a time, `main` among them.
    """
    shares = {MAIN: SLOTS}
    names = (f"build-{number}" for number in itertools.count(1))
    for step in steps:
        shares = _after(shares, step, names, most)
        yield shares


def random_steps(dice: random.Random, number: int, kinds: tuple[Kind, ...], finest: int = 1) -> list[Step]:
    """Steps by chance, `finest` slots or more at a time."""
    sizes = (finest, 5 * finest, 100 * finest, 1000 * finest)
    return [
        Step(dice.choice(kinds), dice.randrange(100), dice.randrange(100), min(SLOTS, dice.choice(sizes)))
        for _ in range(number)
    ]


def necessary(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """The fewest slots that can change hands: the sum of the increases."""
    return sum(max(0, size - before.get(owner, 0)) for owner, size in after.items())


def cumulative(shares: Mapping[str, int]) -> SlotTable:
    """What Envoy does by itself: owners side by side, always in the same order."""
    return SlotTable.of(Segment(owner, size) for owner, size in shares.items())


def _after(shares: Shares, step: Step, names: Iterator[str], most: int) -> Shares:
    after, canaries = dict(shares), [owner for owner in shares if owner != MAIN]
    if not canaries or (step.kind == "add" and len(shares) < most):
        canaries.append(next(names))
        after.setdefault(canaries[-1], 0)
        step = step._replace(kind="raise", one=-1)
    one = canaries[step.one % len(canaries)] if step.one >= 0 else canaries[-1]
    match step.kind:
        case "raise" | "add":
            _move(after, MAIN, one, step.slots)
        case "swap":
            owners = list(after)
            _move(after, owners[step.one % len(owners)], owners[step.other % len(owners)], step.slots)
        case "remove":
            after[MAIN] += after.pop(one)
        case "replace":
            after[next(names)] = after.pop(one)
        case "set":
            dice = random.Random(step.one * 100 + step.other)
            cuts = sorted(dice.randrange(SLOTS + 1) for _ in canaries)
            sizes = [end - begin for begin, end in itertools.pairwise([0, *cuts, SLOTS])]
            after = dict(zip(after, sizes, strict=True))
        case "abort":
            after = dict.fromkeys(after, 0) | {MAIN: SLOTS}
    return after


def _move(shares: Shares, giver: str, taker: str, slots: int) -> None:
    given = min(shares[giver], slots)
    shares[giver] -= given
    shares[taker] += given
