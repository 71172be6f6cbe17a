"""What may be reached from other machines: the whole matrix."""

import itertools
from pathlib import Path

import pytest

from xds.errors import SettingsError
from xds.server.exposure import check, is_loopback
from xds.server.settings import Settings

HERE, OPEN = "127.0.0.1:1", "0.0.0.0:1"
FILE = Path("file")
SWITCH = (False, True)


def _settings(*, xds: bool, admin: bool, tls: bool, tokens: bool, ca: bool, insecure: bool) -> Settings:
    return Settings(
        xds_listen=OPEN if xds else HERE,
        admin_listen=OPEN if admin else HERE,
        tls_cert=FILE if tls else None,
        tls_key=FILE if tls else None,
        client_ca=FILE if ca else None,
        admin_tokens=FILE if tokens else None,
        insecure=insecure,
    )


def _refusals(settings: Settings) -> str:
    try:
        return "\n".join(check(settings))
    except SettingsError as error:
        return str(error)


@pytest.mark.parametrize(("tls", "tokens", "ca"), [*itertools.product(SWITCH, repeat=3)])
@pytest.mark.parametrize(("xds", "admin"), [*itertools.product(SWITCH, repeat=2)])
def test_each_open_end_is_named_and_nothing_else(
    *, xds: bool, admin: bool, tls: bool, tokens: bool, ca: bool
) -> None:
    """Off loopback xDS needs TLS, the admin API TLS and callers who are known; on loopback, nothing."""
    said = _refusals(_settings(xds=xds, admin=admin, tls=tls, tokens=tokens, ca=ca, insecure=False))

    assert ("Envoys reach" in said) == (xds and not tls)
    assert ("the admin API is on" in said) == (admin and not tls)
    assert ("anybody can change" in said) == (admin and not tokens and not ca)
    assert bool(said) == (((xds or admin) and not tls) or (admin and not tokens and not ca))


@pytest.mark.parametrize(("listen", "tls"), [*itertools.product((HERE, OPEN), SWITCH)])
def test_reports_need_tls_off_loopback(listen: str, *, tls: bool) -> None:
    """Where they have a listener of their own, as on that of xDS."""
    file = FILE if tls else None
    said = _refusals(Settings(metrics_listen=listen, tls_cert=file, tls_key=file))
    assert ("Envoys report metrics to" in said) == (listen == OPEN and not tls)


@pytest.mark.parametrize(("xds", "admin", "tls", "tokens"), [*itertools.product(SWITCH, repeat=4)])
def test_insecure_refuses_nothing_and_names_the_same(
    *, xds: bool, admin: bool, tls: bool, tokens: bool
) -> None:
    """For the log."""
    told = check(_settings(xds=xds, admin=admin, tls=tls, tokens=tokens, ca=False, insecure=True))
    refused = _refusals(_settings(xds=xds, admin=admin, tls=tls, tokens=tokens, ca=False, insecure=False))

    assert "; ".join(told) == refused.partition(" (or say")[0]


def test_the_refusal_names_the_flags() -> None:
    """All of them, and the two ways around."""
    said = _refusals(_settings(xds=True, admin=True, tls=False, tokens=False, ca=False, insecure=False))

    flags = ("--tls-cert", "--tls-key", "--admin-tokens", "--client-ca", "--insecure", "127.0.0.1")
    assert [flag for flag in flags if flag not in said] == []


@pytest.mark.parametrize(
    ("listen", "here"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        ("localhost.example:1", False),
        ("canary.internal:1", False),
    ],
)
def test_loopback(listen: str, *, here: bool) -> None:
    """Addresses that only this machine reaches, and the one name that is always one of them."""
    assert is_loopback(listen) is here
