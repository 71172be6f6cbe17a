"""What a batch says is judged with what its gateways say."""

from xds.control.intake import check
from xds.control.state import State
from xds.spec.gateway import Gateway
from xds.spec.read import read
from xds.spec.upstream import UpstreamSettings
from xds.store.records import Memory

CHECKS = "health_check: {type: grpc}\n"


def test_grpc_checks_are_applied_only_where_the_protocol_carries_them() -> None:
    """An Envoy would refuse the cluster: fine on the gateway whose default is grpc, a fault on the other."""
    gateways = [Gateway(name="plain"), Gateway(name="grpc", defaults=UpstreamSettings(protocol="grpc"))]
    documents = [
        document
        for gateway in gateways
        for document in read(
            [(f"{gateway.name}.yaml", f"name: {gateway.name}\ngateways: [{gateway.name}]\n{CHECKS}")]
        ).documents
    ]

    assert [fault.file for fault in check(State(gateways, Memory({}, {}, {}, {})), documents)] == [
        "plain.yaml"
    ]
