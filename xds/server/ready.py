"""The ready file: there while the server is ready, with the addresses it took."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from xds.errors import SettingsError


class ReadyFile:
    """Where to say so, if anywhere.

    Raises:
        SettingsError: it can't be written there.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        with self._explained():
            self._write("{}", and_show=False)

    def remove(self) -> None:
        """Not ready, or not any more; what a server that was killed left goes too."""
        if self._path is not None:
            with self._explained():
                self._path.unlink(missing_ok=True)

    def write(self, addresses: Mapping[str, str]) -> None:
        """Ready."""
        with self._explained():
            self._write(json.dumps(addresses), and_show=True)

    def _write(self, text: str, *, and_show: bool) -> None:
        """Whoever sees the file sees all of it."""
        if self._path is None:
            return
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        partial.write_text(text)
        if and_show:
            partial.replace(self._path)
        else:
            partial.unlink()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SettingsError(
                f"can't write the ready file {self._path}: {error.strerror}; check its folder and permissions"
            ) from error
