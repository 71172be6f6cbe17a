"""The specs folder at size: how long until ready, and from an edit of a file to an Envoy that has it.

    python -m bench.specs [--files 5000] [--mode table] [--edits 5] [--pulled 500]

Files have one deployment of three versions each; every third says its endpoints in a document of its own,
the last tenth says none. An edit is a new weight in one file, written beside it and renamed over it; the
clock runs from just before that until a simulated Envoy has the last byte. CPU is that of all threads of the
server, until it rests.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from bench import meter
from bench.fleet import Fleet
from bench.servers import Canary, name_of

FIRST_SHARE = 11
"""Slots; every edit gives version `a` one more."""


def text(deployment: int, share: int, files: int) -> str:
    """One file."""
    name, percent = name_of(deployment), share / 100
    by_tag, silent = deployment % 3 == 1, deployment >= files * 9 // 10
    places = {
        label: f"[10.{number}.{deployment // 250}.{deployment % 250 + 1}:3000]"
        for number, label in enumerate(("main", "a", "b"))
    }

    def runs(label: str) -> str:
        if by_tag:
            return f'bento: "{name}:{label}"'
        return "min_endpoints: 1" if silent else f"endpoints: {places[label]}"

    lines = [
        f"name: {name}",
        runs("main"),
        "canary:",
        "  route_type: header",
        "  route_by: X-User-ID",
        "  versions:",
        f"    a: {{weight: {percent:.2f}, {runs('a')}}}",
        f"    b: {{weight: 10, {runs('b')}}}",
    ]
    if by_tag and not silent:
        lines += ["---", "endpoints:", *(f'  "{name}:{label}": {places[label]}' for label in places)]
    return "\n".join(lines) + "\n"


class Bench:
    """One folder, one store, one server after the other."""

    def __init__(self, folder: Path, files: int, mode: str) -> None:
        self._folder, self._files, self._mode = folder, files, mode
        self._specs = folder / "specs"
        self._specs.mkdir()
        for deployment in range(files):
            self._write(deployment, 1_000)
        self._share = FIRST_SHARE

    def start(self, store: str) -> Canary:
        """Start a server; says how long it took."""
        os.environ["CANARY_SPECS"] = str(self._specs)
        server = Canary(self._folder, self._mode)
        server.wait_until_ready()
        seconds, spent = (server.ready - server.begun) / 1e9, meter.cpu(server.pid)
        print(
            f"ready, {store:18} {seconds:8.2f} s   cpu {spent:7.2f} s   {meter.memory(server.pid) >> 20} MB"
        )
        return server

    def edit(self, server: Canary, fleet: Fleet, edits: int) -> None:
        """One file at a time."""
        seconds, cpu = [], []
        for number in range(edits):
            share = self._next_share()
            fleet.arm(number, share)
            with meter.measured(server.pid, rest=1.0) as spent:
                begun = time.time_ns()
                self._write(number, share)
                said = fleet.wait()
            seconds.append((said.times.last - begun) / 1e9)
            cpu.append(spent.cpu)
        print(f"one file edited, pushed   {statistics.median(seconds):8.3f} s   ", end="")
        print(f"cpu {statistics.median(cpu):7.3f} s   (median of {edits}, worst {max(seconds):.3f} s)")

    def pull(self, server: Canary, fleet: Fleet, count: int) -> None:
        """Many files at once, as `git pull` does it."""
        share = self._next_share()
        fleet.follow(count, share)
        with meter.measured(server.pid, rest=2.0) as spent:
            starts = []
            for deployment in range(count):
                starts.append(time.time_ns())
                self._write(deployment, share)
            written = time.time_ns()
        said = fleet.lags(starts, 1)
        last = said.raw["lags"][0]["last"] / 1e9
        print(f"{count} files edited, pushed  {last:8.3f} s   cpu {spent.cpu:7.3f} s   ", end="")
        print(f"(written in {(written - starts[0]) / 1e9:.3f} s; {said.raw['missed']} not seen)")

    def touch(self, server: Canary) -> None:
        """All files at once, nothing new in them."""
        with meter.measured(server.pid, rest=2.0) as spent:
            for file in self._specs.iterdir():
                file.touch()
        print(f"all files touched                    cpu {spent.cpu:7.3f} s")

    def _next_share(self) -> int:
        self._share += 1
        return self._share

    def _write(self, deployment: int, share: int) -> None:
        file = self._specs / f"{name_of(deployment)}.yaml"
        beside = file.with_suffix(".new")
        beside.write_text(text(deployment, share, self._files))
        beside.rename(file)


def main() -> None:
    """Measure, and print a line for each figure."""
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("--files", type=int, default=5_000)
    about.add_argument("--mode", default="table")
    about.add_argument("--edits", type=int, default=5)
    about.add_argument("--pulled", type=int, default=500)
    asked = about.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), asked.files, asked.mode)
        print(f"{asked.files} files, mode {asked.mode}")
        bench.start("empty store").stop()
        server = bench.start("filled store")
        fleet = Fleet(Path(folder), "delta", 1)
        try:
            fleet.connect(server.address, record=None)
            bench.edit(server, fleet, asked.edits)
            bench.pull(server, fleet, asked.pulled)
            bench.touch(server)
        finally:
            fleet.stop()
            server.stop()


if __name__ == "__main__":
    main()
