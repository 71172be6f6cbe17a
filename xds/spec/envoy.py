"""What people bring of Envoy's own configuration: raw values, and patches of what we generate.

Here they are JSON and nothing more; what they mean to Envoy, `xds.translate.raw` knows.
"""

from pydantic import JsonValue

from xds.spec.upstream import Model

Raw = dict[str, JsonValue]
"""An Envoy message as JSON. In a patch mappings merge, everything else replaces, and null clears."""


def combined(first: Raw, then: Raw) -> Raw:
    """One patch that does what two do in turn.

    Raises:
        ValueError: the first clears what the second fills, which no one patch says; the key.
    """
    spelled = {_plain(key): key for key in first}
    out = dict(first)
    for key, value in then.items():
        before = spelled.get(_plain(key))
        if before is None:
            out[key] = value
            continue
        was = out.pop(before)
        if was is None and isinstance(value, dict):
            raise ValueError(key)
        if isinstance(was, dict) and isinstance(value, dict) and was.get("@type") == value.get("@type"):
            out[key] = combined(was, value)
        else:
            out[key] = value
    return out


def _plain(key: str) -> str:
    """`connectTimeout` and `connect_timeout` are one field."""
    return key.replace("_", "").lower()


class EnvoyPatches(Model):
    """Patches of what is generated for a deployment."""

    route: Raw | None = None
    """Merged over each of its Routes."""
    cluster: Raw | None = None
    """Merged over the Cluster of each of its builds."""


class EnvoyVersionPatches(Model):
    """Patches of what is generated for one version."""

    cluster: Raw | None = None
    """Merged over the Cluster of its build, after the deployment's."""
    typed_per_filter_config: Raw | None = None
    """Of the version's entry in the split: what HTTP filters do with its requests."""


class GatewayPatches(Model):
    """Patches of what is generated for a gateway's listeners."""

    listener: Raw | None = None
    """Merged over each Listener."""
    filter_chain: Raw | None = None
    """Merged over each listener's one FilterChain: TLS, for example."""
    http_connection_manager: Raw | None = None
    """Merged over each HttpConnectionManager."""
