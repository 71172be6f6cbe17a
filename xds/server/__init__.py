"""The server: settings, adapters from grpc.aio to the plain core, wiring, start and stop.

settings   what a server is started with
xds        the aggregated discovery service: bytes in, bytes out, one stream an Envoy
status     client status: what each Envoy has, for whatever speaks Envoy's own API
load       load reports, taken politely
listeners  the two gRPC servers: options, ports, health and reflection
tls        certificates and keys, tried before anything listens
exposure   what may be reached from other machines
entrance   how the admin API is entered: tokens, client certificates, anybody
http       /healthz, /readyz, /metrics
specs      the specs folder, watched; spec_files: its files, of which only what changed is read again
logs       structlog, for people or for machines
run        all of it together
"""
