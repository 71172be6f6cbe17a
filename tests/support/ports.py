"""Ports nobody else is using.

They lie below the kernel's ephemeral range: a port from inside it could be taken by any outgoing
connection between the moment it was found free and the moment it is bound.
"""

import random
import socket

LOOPBACK = "127.0.0.1"
_RANGE = range(15_000, 32_000)
_given_out: set[int] = set()


def free_port() -> int:
    """Find a free port on the loopback address, never the same one twice in a process."""
    for port in random.sample(_RANGE, k=len(_RANGE)):
        if port not in _given_out and _is_free(port):
            _given_out.add(port)
            return port
    raise RuntimeError("no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
