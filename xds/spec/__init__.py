"""Deployment files: the model, reading and writing them, messages for what is wrong.

    deployment, upstream, endpoints, gateway   the models: what a file can say
    envoy                                      what people bring of Envoy's own configuration, as JSON
    values, names, places                      their scalars: what a value may be
    relations                                  what must hold between keys
    keys, kept                                 keys that mean nothing here, or nothing yet

    scalars, nodes, tree, source, lines        text -> values that know their lines
    fit, complaint, findings, faults           a value -> a model, and what is wrong with it
    endpoint_lists, drafts, read, spanning     documents and files, everything at once
    gateways, claims                           a server's gateways; who claims which host and path
    proxyless                                  what gRPC's own clients can't do

    write, schema                              the way back, and JSON Schema for editors

Pure: no file is opened here.
"""
