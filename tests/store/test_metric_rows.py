"""Minutes of metrics: kept for a day, replaced by their newer selves, never more than so many."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.metric_reports import Reports
from xds.control.keeping import MetricKeeper
from xds.store import metric_rows
from xds.store.interface import Store
from xds.store.sqlite import SqliteStore
from xds.telemetry.archive import Key, Minute
from xds.telemetry.telemetry import Telemetry
from xds.telemetry.window import Window, pack

NOW = 1_800_000_000
DAY = 24 * 3600


def minute(start: int, packed: bytes = b"x", build: str = "v1") -> Minute:
    """A row."""
    key: Key = ("d", build, "default", 1)
    return key, start, packed


def test_they_come_back_oldest_first(tmp_path: Path) -> None:
    """After the file was closed and opened again."""
    store = SqliteStore(tmp_path / "db")
    store.save_minutes([minute(NOW), minute(NOW - 60), minute(NOW, build="v2")], NOW)
    store.close()
    store = SqliteStore(tmp_path / "db")
    assert store.metric_minutes(0) == [minute(NOW - 60), minute(NOW), minute(NOW, build="v2")]
    assert store.metric_minutes(NOW) == [minute(NOW), minute(NOW, build="v2")]
    store.close()


def test_a_minute_is_replaced(tmp_path: Path) -> None:
    """By what it came to in the end."""
    store = SqliteStore(tmp_path / "db")
    store.save_minutes([minute(NOW, b"half")], NOW)
    store.save_minutes([minute(NOW, b"whole")], NOW + 60)
    assert store.metric_minutes(0) == [minute(NOW, b"whole")]
    store.close()


def test_a_day_is_kept_and_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(metric_rows, "MOST", 3)
    store = SqliteStore(tmp_path / "db")
    store.save_minutes([minute(NOW - DAY - 60), minute(NOW - 60)], NOW)
    assert store.metric_minutes(0) == [minute(NOW - 60)]
    store.save_minutes([minute(NOW + 60 * number) for number in range(5)], NOW)
    assert [start for _, start, _ in store.metric_minutes(0)] == [NOW + 120, NOW + 180, NOW + 240]
    store.close()


async def test_whoever_else_waits_has_a_turn_while_a_day_is_taken_back(tmp_path: Path) -> None:
    """Thousands of minutes come back whole, and piece by piece."""
    store = SqliteStore(tmp_path / "db")
    start = int(time.time()) // 60 * 60 - 3600
    raw = pack(Window())
    store.save_minutes([((f"d{number}", "v1", "default", 1), start, raw) for number in range(3_000)], start)

    async def ask(question: object) -> None:
        assert callable(question)
        known: Store = store
        question(known)

    turns = 0

    async def wait_for_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(wait_for_turns())
    telemetry = Telemetry(lambda _deployment, _build: 1)
    async with MetricKeeper(telemetry, ask):
        assert turns >= 3
        assert len(list(telemetry.scopes())) == 3_000
    waiting.cancel()
    store.close()


async def test_a_store_that_is_out_of_reach_stops_nobody(tmp_path: Path) -> None:
    """What ended is in memory still; the server goes on."""
    store = SqliteStore(tmp_path / "db")

    async def ask(question: object) -> None:
        assert callable(question)
        known: Store = store
        question(known)

    telemetry = Telemetry(lambda _deployment, _build: 1)
    async with MetricKeeper(telemetry, ask) as keeper:
        store._database._connection.execute("DROP TABLE metric_minutes")
        Reports(telemetry).report(d_v1={"2xx": 1})
        await keeper.save(final=True)
    assert [scope.build for scope in telemetry.scopes("d")] == ["v1"]
    store.close()
