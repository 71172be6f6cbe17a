"""Hosts, paths and addresses: what requests are sent to, and where they end up.

Each is brought into the one form that is compared and stored: hosts and names in lower case,
IP addresses compressed, paths without a slash at the end.
"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from xds.spec.complaint import show, wrong

_LABEL = re.compile(r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253
_PORT_AT_END = re.compile(r"(.*):[0-9]*")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_NOT_IN_PATHS = re.compile(r"[^!-~]|[?#\\]")


def parse_host(value: str) -> str:
    """A host requests are addressed to, in lower case: `a.example.com`, `*.example.com`, `a.*`, `*`.

    Raises:
        ValueError: it has a port, a scheme, a path, or characters that no host has.
    """
    host = value.lower()
    if not host:
        raise wrong("a host can't be empty")
    if "/" in host:
        alone = host.rpartition("://")[2].partition("/")[0]
        raise wrong(
            f"{show(value)} is more than a host",
            f"write {alone}; a path goes to path_prefix" if alone else "",
        )
    with_port = _PORT_AT_END.fullmatch(host)
    if with_port and ":" not in with_port[1]:
        raise wrong(f"{show(value)} has a port, and hosts are matched without", f"write {with_port[1]}")
    name = host.removeprefix("*.") if host.startswith("*.") else host.removesuffix(".*")
    if host != "*" and not _is_name(name):
        raise wrong(f"{show(value)} is no host", _host_mend(host))
    return host


def _host_mend(host: str) -> str:
    if not host.isascii():
        try:
            return f"write {host.encode('idna').decode('ascii')}"
        except UnicodeError:
            return ""
    if host.endswith(".") and _is_name(host[:-1]):
        return f"write {host[:-1]}"
    if "*" in host:
        return "a * stands for the whole, the beginning or the end: *, *.example.com, api.*"
    return "use letters, digits, dashes and dots"


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in name.split("."))


def parse_domain(value: str) -> str:
    """A domain below which hosts are made up, in lower case.

    Raises:
        ValueError: it is no host, or has a wildcard.
    """
    domain = parse_host(value)
    if "*" in domain:
        raise wrong(f"{show(value)} has a wildcard", "write the domain alone: example.com")
    return domain


def parse_path_prefix(value: str) -> str:
    """The path a deployment answers below, without a slash at the end.

    Raises:
        ValueError: it is relative, or has a query, a fragment, `//`, `.`, `..`, or a `*`.
    """
    if not value.startswith("/"):
        raise wrong(f"{show(value)} doesn't start with a slash", f"write /{value}" if value else "write /")
    if "//" in value:
        raise wrong(f"{show(value)} has an empty part", f"write {re.sub('/+', '/', value)}")
    if _NOT_IN_PATHS.search(value):
        raise wrong(
            f"{show(value)} has characters that no path has", "leave out queries, fragments and spaces"
        )
    parts = value.split("/")
    if "." in parts or ".." in parts:
        raise wrong(f"{show(value)} has . or .. in it, which gateways resolve before they match")
    if value.endswith("*"):
        above = value.rstrip("*/") or "/"
        raise wrong(f"{show(value)} ends with a *", f"write {above}: it covers everything below")
    return value.rstrip("/") or "/"


def is_below(path: str, prefix: str) -> bool:
    """Whether a path is a prefix (as of a deployment) or lies below it."""
    return prefix in ("/", path) or path.startswith(f"{prefix}/")


def parse_http_path(value: str) -> str:
    """A path to ask for, as it stands.

    Raises:
        ValueError: it is relative, or has spaces or control characters.
    """
    if not value.startswith("/"):
        raise wrong(f"{show(value)} doesn't start with a slash", f"write /{value}" if value else "write /")
    if re.search(r"[^!-~]", value):
        raise wrong(f"{show(value)} has characters that no path has")
    return value


def parse_ip(value: str) -> str:
    """An IP address in its shortest form.

    Raises:
        ValueError: it is none.
    """
    address = ip_or_none(value)
    if address is None:
        mend = "write 127.0.0.1" if value.lower() == "localhost" else "write 0.0.0.0 for all interfaces"
        raise wrong(f"{show(value)} is no IP address", mend)
    return address


def parse_address(value: str) -> str:
    """An IP address in its shortest form, or a host name in lower case.

    Raises:
        ValueError: it is neither.
    """
    address = ip_or_none(value)
    if address is not None:
        return address
    name = value.lower()
    last = name.removesuffix(".").rpartition(".")[2]
    if not _is_name(name.removesuffix(".")) or last.isdigit():
        host, colon, port = value.rpartition(":")
        mend = f"write address: {host}, port: {port}" if colon and port.isdigit() else ""
        raise wrong(f"{show(value)} is neither an IP address nor a host name", mend)
    return name


def ip_or_none(value: str) -> str | None:
    """The IP address in its shortest form; None of anything else, also of one with a scope."""
    if _IPV4.fullmatch(value):
        return value  # as most are; `ipaddress` takes twenty times as long to say so
    try:
        return None if "%" in value else str(ipaddress.ip_address(value))
    except ValueError:
        return None


def is_ip(address: str) -> bool:
    """Whether an address that was read is an IP address: no name has a colon, or ends with a number."""
    return ":" in address or address.rpartition(".")[2].isdigit()


Host = Annotated[str, AfterValidator(parse_host)]
Domain = Annotated[str, AfterValidator(parse_domain)]
PathPrefix = Annotated[str, AfterValidator(parse_path_prefix)]
HttpPath = Annotated[str, AfterValidator(parse_http_path)]
IpAddress = Annotated[str, AfterValidator(parse_ip)]
Address = Annotated[str, AfterValidator(parse_address)]
