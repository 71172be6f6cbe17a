"""The access log: one JSON object a request on standard output. Never bodies, queries or keys."""

from google.protobuf.struct_pb2 import Struct

from xds.spec.gateway import Gateway
from xds.stubs import envoy_config_accesslog_v3_pb2 as accesslog
from xds.stubs import envoy_extensions_access_loggers_stream_v3_pb2 as stream_v3
from xds.translate.values import METADATA, VERSION, packed


def access_log(gateway: Gateway) -> accesslog.AccessLog:
    """Which deployment, version and build served a request, and how that went."""
    fields = {
        "time": "%START_TIME%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "deployment": f"%METADATA(ROUTE:{METADATA}:deployment)%",
        "version": f"%RESP({gateway.version_header})%" if gateway.version_header else f"%REQ({VERSION})%",
        "build": f"%METADATA(CLUSTER:{METADATA}:build)%",
        "method": "%REQ(:METHOD)%",
        "host": "%REQ(:AUTHORITY)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "response_flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "upstream": "%UPSTREAM_HOST%",
    }
    json_format = Struct()
    json_format.update(fields)
    stdout = stream_v3.StdoutAccessLog()
    stdout.log_format.json_format.CopyFrom(json_format)
    return accesslog.AccessLog(name="envoy.access_loggers.stdout", typed_config=packed(stdout))
