"""Envoy's schema, read out of envoy-data-plane and compiled to `xds/stubs`; build-time code.

envoy-data-plane is betterproto2 code: dataclasses that carry field numbers, types, oneofs, maps,
enums and services. Its codec is thousands of times slower than protobuf's, so it is the schema and
protobuf is the codec. What is read here is written down as FileDescriptorProtos again, and protoc
makes modules of them that live in our own package and clash with nobody's:

    catalogue    which packages, messages, enums and services there are, and their protobuf names
    fields       the fields of a message, and what they refer to
    elsewhere    messages whose modules another distribution brings
    closure      everything that a set of messages needs
    descriptors  one class -> one descriptor
    files        all descriptors -> one file a package, with its imports
    compiler     files -> protoc -> modules and their types

`python -m protos.schema`, from the root of the repository, does it all; hatch_build.py calls that.
"""
