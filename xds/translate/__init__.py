"""Translate: revisions and endpoints -> Envoy messages. The last room that knows what a canary is.

view        a deployment as one gateway is to serve it: what everything here is made from
settings    inherited settings: version, deployment, gateway, our defaults
clusters    a cluster for each build
endpoints   a cluster load assignment for each build
routes      the split: weighted clusters by header hash, query hash or at random
hosts       virtual hosts: deployments that share a host, longest path first
models      what tells deployments apart by the model in the body
proxyless   all of it for gRPC's own clients
listeners   a gateway's listeners
raw         messages people wrote: parsed, and merged over ours
    raw_check     what is wrong with them, all at once
    raw_types     the message a type URL names
    raw_names     what messages name: the clusters
    raw_silent    what Envoy refuses only once, and is therefore refused here
    raw_patches   patches of what we generate
    raw_gateway   a gateway's own HTTP filters and virtual hosts
log         the access log's fields
bootstrap   what an Envoy needs to find us
adoption    what an Envoy that has a bootstrap already lacks of that
"""
