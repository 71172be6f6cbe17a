"""Static tokens: a file of names and hashes, read again when it changes.

The file is looked at with each call (one stat), so a token that was taken out is refused at once. A file
that can't be read or is wrong changes nothing: what was last fine goes on, and the log says so once.
"""

import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from xds.admin.access import Caller, Certificate, Metadata, bearer_token
from xds.errors import CanaryError, InvalidInput, SettingsError, Unauthenticated
from xds.spec.tokens import Token, read_tokens, sha256_of

_MEND = "set CANARY_TOKEN, or send the metadata `authorization: Bearer <token>`"

log = structlog.get_logger(__name__)

_State = tuple[int, int, int, int]
"""What tells one content of a file, and who may read it, from another: times of change, size, inode."""


class StaticTokens:
    """Whoever sends a token of the file."""

    def __init__(self, file: Path, now: Callable[[], float] = time.time) -> None:
        """Read the file.

        Args:
            file: a list of tokens (`xds.spec.tokens`).
            now: seconds since the epoch.

        Raises:
            SettingsError, InvalidInput: it can't be read; it is wrong.
        """
        self._file = file
        self._now = now
        self._seen = _state(file)
        self._tokens = _read(file)

    async def authenticate(self, metadata: Metadata, certificate: Certificate | None) -> Caller:  # noqa: ARG002 (the protocol's)
        """Find the token's owner."""
        self._look_again()
        sent = bearer_token(metadata)
        if not sent:
            raise Unauthenticated(f"no token was sent ({_MEND})")
        found = self._owner_of(sent)
        if found is None:
            raise Unauthenticated("nobody has this token (ask for one: `canary token NAME` makes it)")
        if found.expires is not None and found.expires <= datetime.fromtimestamp(self._now(), UTC):
            raise Unauthenticated(
                f"the token of {found.name} expired on {found.expires:%Y-%m-%d} "
                "(ask for a new one: `canary token NAME` makes it)"
            )
        return Caller(found.name, "token")

    def _owner_of(self, sent: str) -> Token | None:
        """Each is compared, and in constant time: how long it takes tells nothing."""
        digest = sha256_of(sent)
        found = [token for token in self._tokens if hmac.compare_digest(token.sha256, digest)]
        return found[0] if found else None

    def _look_again(self) -> None:
        state = _state(self._file)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._tokens = _read(self._file)
        except CanaryError as error:
            log.error("the tokens stay as they were", file=str(self._file), error=str(error))
        else:
            log.info("read the tokens again", file=str(self._file), tokens=len(self._tokens))


def _state(file: Path) -> _State | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _read(file: Path) -> tuple[Token, ...]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"can't read the tokens {file}: {error.strerror}; make one with "
            f"`canary token NAME --append {file}`"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"can't read the tokens {file}: it is not UTF-8; save it as UTF-8") from error
    tokens, faults = read_tokens(str(file), text)
    if faults:
        raise InvalidInput(faults)
    return tokens
