"""The xDS protocol as plain state machines: decoded requests in, answers out.

    subscription  what a peer asked for of one type
    watch         one type on one stream: what is owed, in flight, refused
    order         when a route may go out and when a cluster may go away
    rejections    finding the offender in an answer that was refused
    stream        one stream: its watches, and the next answer to send
    delta         the incremental dialect: requests and answers as bytes
    hub           all streams of a catalog: who cares about a change

Time, tasks and grpc live in `xds.server`; a test drives these with plain calls.
"""
