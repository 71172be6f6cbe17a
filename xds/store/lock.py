"""One server a store: two of them would number revisions apart, and overwrite each other's endpoints.

The lock is the kernel's (flock) on a file beside the store, so it goes with the process, however that
ends. The file stays, with the pid of whoever held it last; only the lock on it means something.
"""

import fcntl
import os
from pathlib import Path

from xds.errors import StoreError


class Lock:
    """Held from its making until `release`, or the end of the process.

    Args:
        path: the store; the lock is on `<store>.lock`, where the store really is.

    Raises:
        StoreError: another process holds it; named by its pid, if that can be told.
        OSError: the file can't be opened.
    """

    def __init__(self, path: Path | str) -> None:
        self._file = os.open(f"{Path(path).resolve()}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._file, 20).decode(errors="replace").strip()
            self.release()
            who = f" (pid {pid})" if pid.isdigit() else ""
            raise StoreError(
                f"the store {path} is in use by another server{who}; stop that one, or name another store"
            ) from None
        except OSError:
            self.release()
            raise
        os.truncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another one have it."""
        os.close(self._file)
