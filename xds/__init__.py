"""Canary: an Envoy control plane for canary deployments.

The rooms, in the order in which a change walks through them (docs/architecture.md):

    spec       deployment files: the model, reading them, messages for what is wrong
    slots      the slot table: who owns which of the 10,000 pieces of the hash space
    revisions  what a deployment was and is: builds, immutable revisions, the next one
    translate  revision + endpoints -> Envoy messages
    catalog    encoded resources, versions, what changed
    discovery  the xDS protocol as plain state machines: bytes in, bytes out
    fleet      the Envoys: identity, and what each has applied
    store      what must survive: revisions, endpoints, what was applied from where
    control    one change end to end: decide, commit, publish
    admin      the gRPC admin API
    server     settings, gRPC adapters, wiring, start and stop
    cli        the `canary` command
    stubs      generated protobuf modules (not in git)

An import points to a room further up in this list, never down; import-linter enforces it.
"""

__version__ = "0.1.0"
