"""Control: one change end to end. Decide, make it last, publish it.

state      what is in force, in memory: a mirror of the store
intake     what a batch of documents changes, or everything that is wrong with it (pure)
assembly   one gateway's views -> resources, only what changed (pure); a file for each mode:
    table      listeners and one table of routes
    proxyless  for gRPC's own clients: a listener and routes for each host
brought    what a deployment brings, made once for all targets of a gateway
hosts      who answers on which host
ledger     what came and what went
resources  Envoy resources that people give a gateway: read, encoded (pure)
references what must hold between them and what there is (pure)
giving     what a gateway is given becomes a record, or faults (pure)
lanes      keeping one deployment's rejected configuration from holding up the others
    proof      which routes were accepted, and by default held to
    trial      finding the offender among many
publisher  from state to catalogs: coalescing, retiring builds
image      what was published last, kept in the store: the next start answers from it
writer     one change at a time, whole: durable first, then seen
deployments  the verbs; expected, merge: under which conditions, over what
    shown      what there is to see: standing (made once for all), differences, feeds
gateways   snapshots, and a whole gateway back (gateway_rollback, snapshots)
fleet      the connected Envoys
confirmation  following a change until the Envoys have it
pulse      something happened: whoever watches looks again
plane      all of it put together
"""
