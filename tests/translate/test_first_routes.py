"""An Envoy that starts waits for its routes, however long they take."""

import pytest

from xds.spec.gateway import Gateway, Listen
from xds.stubs import (
    envoy_extensions_filters_network_http_connection_manager_v3_pb2 as http_v3,
)
from xds.translate.listeners import listener


@pytest.mark.parametrize("mode", ["table", "scoped"])
def test_a_listener_waits_for_its_routes_without_end(mode: str) -> None:
    """By default Envoy gives up after 15 s, says it is ready, and answers 404: a busy machine gets there."""
    gateway = Gateway.model_validate({"name": "default", "mode": mode})
    made = listener(gateway, Listen(port=10000))
    manager = http_v3.HttpConnectionManager()
    made.filter_chains[0].filters[0].typed_config.Unpack(manager)

    source = (
        manager.rds.config_source
        if mode == "table"
        else manager.scoped_routes.scoped_rds.scoped_rds_config_source
    )

    assert source.HasField("initial_fetch_timeout")
    assert source.initial_fetch_timeout.ToNanoseconds() == 0
