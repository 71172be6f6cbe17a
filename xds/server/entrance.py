"""How the admin API is entered: by a token, else by a client certificate, else by anybody.

A certificate or a token would do, but gRPC for Python can only require a certificate of everybody or ask
nobody for one. So where there are tokens, the admin listener asks for no certificates.
"""

import dataclasses

from xds.admin.access import Anybody, Authenticator, ClientCertificates
from xds.admin.tokens import StaticTokens
from xds.server.settings import Settings
from xds.server.tls import Tls


@dataclasses.dataclass(frozen=True)
class Entrance:
    """What the admin listener shows and asks for."""

    tls: Tls | None
    authenticator: Authenticator
    access: str
    """Who gets in: `tokens`, `client certificates`, `anybody`."""


def admin_entrance(settings: Settings, tls: Tls | None) -> Entrance:
    """Choose it.

    Raises:
        SettingsError, InvalidInput: the tokens can't be read.
    """
    if settings.admin_tokens is not None:
        asks_nobody = dataclasses.replace(tls, client_ca=None) if tls is not None else None
        return Entrance(asks_nobody, StaticTokens(settings.admin_tokens), "tokens")
    if tls is not None and tls.client_ca is not None:
        return Entrance(tls, ClientCertificates(), "client certificates")
    return Entrance(tls, Anybody(), "anybody")
