"""Generated protobuf modules: Envoy's messages and our admin API (see protos/README.md)."""
