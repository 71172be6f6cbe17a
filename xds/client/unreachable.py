"""Why a server can't be reached, of grpc's account of it, and what to do.

grpc tells of a failed handshake in a line of its own sources' words, and ends it with "OK".
"""

import re

_VERIFY = re.compile(r"CERTIFICATE_VERIFY_FAILED: (?P<why>[^:]+)")
_NAME = "Hostname Verification Check failed"
_TRIED = "failed to connect"
_NEVER = (_TRIED, "DNS resolution failed")
_HANDSHAKE = ("Tls handshake failed", "SSL_ERROR", "verification check failed")


def refused(details: str) -> bool:
    """Whether there never was a connection, so that no request was sent."""
    return details.startswith(_NEVER)


def unreachable(server: str, details: str) -> str:
    """What went wrong, in a sentence with the mend.

    Args:
        server: who was asked.
        details: grpc's account, on one line.
    """
    if (verify := _VERIFY.search(details)) is not None:
        return (
            f"TLS: the certificate of {server} can't be trusted: {verify['why']} (CANARY_TLS_CA names the "
            "authority that signed it)"
        )
    if _NAME in details:
        return (
            f"TLS: the certificate of {server} is for another name (CANARY_TLS_SERVER_NAME names the one in "
            "it, if it is the right server)"
        )
    if "WRONG_VERSION_NUMBER" in details:
        return f"TLS: {server} speaks no TLS (unset CANARY_TLS_*, or is it another port?)"
    if any(said in details for said in _HANDSHAKE):
        return f"TLS: no connection to {server}: {details} (CANARY_TLS_CA, _CERT and _KEY say how to call it)"
    tried = details.startswith(_TRIED)  # then the end of the account says why
    why = details.rpartition(": ")[2] if tried else details
    if why == "Socket closed":
        why = f"{why}; it may want TLS, or a client certificate: CANARY_TLS_CA, _CERT, _KEY"
    return (
        f"no answer from {server}: {why} (is `canary serve` running there? --server or CANARY_SERVER names "
        "another)"
    )
