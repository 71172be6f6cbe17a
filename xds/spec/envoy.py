"""What people bring of Envoy's own configuration: raw values, and patches of what we generate.

Here they are JSON and nothing more; what they mean to Envoy, `xds.translate.raw` knows.
"""

from pydantic import JsonValue

from xds.spec.upstream import Model

Raw = dict[str, JsonValue]
"""An Envoy message as JSON. In a patch mappings merge, everything else replaces, and null clears."""


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
