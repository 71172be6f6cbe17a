"""What is wrong with a request, in the words of whoever typed the command.

The server knows fields: `request: ttl: ...`. A person gave a flag: `--ttl: ...`.
"""

import re

from xds.spec.faults import Fault

_REQUESTS = {"request", "options"}
"""What the server names as the file of a fault that is in no file."""
_WORDS = {
    "name": "NAME",
    "target": "TARGET",
    "id": "NODE",
    "version": "VERSION",
    "gateway": "GATEWAY",
    "weights": "VERSION=PERCENT",
    "snapshot": "--to",
    "endpoint": "HOST:PORT",
    "endpoints": "HOST:PORT",
    "from_revision": "FROM",
    "to_revision": "--to-revision",
    "rollback_on_reject": "--on-reject",
    "file": "--file",
    "files": "--file",
}
"""Arguments, and flags under other names; every other field is a flag of its own name."""
_FLAGS = {"weight", "zone"}
"""What of an endpoint has a flag of its own."""


def as_typed(fault: Fault) -> str:
    """A fault as a line: of a file as it is, of a request with the flag."""
    if fault.file not in _REQUESTS:
        return str(fault)
    mend = f" ({fault.mend})" if fault.mend else ""
    return f"{flag(fault.path)}: {fault.message}{mend}" if fault.path else f"{fault.message}{mend}"


def flag(path: str) -> str:
    """`--request-id` of `options.request_id`, `VERSION=PERCENT a` of `weights.a`."""
    first, _, rest = re.sub(r"\[\d+\]", "", path).partition(".")
    if first in {"options", "wait", "query"}:
        return flag(rest)
    if rest in _FLAGS:
        return f"--{rest}"
    word = _WORDS.get(first) or f"--{first.replace('_', '-')}"
    return f"{word} {rest}" if first == "weights" and rest else word
