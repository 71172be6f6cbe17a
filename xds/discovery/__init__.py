"""The xDS protocol as plain state machines: decoded requests in, answers out.

subscription  what a peer asked for of one type
watch         one type on one stream: what is owed, in flight, refused
order         when a route may go out and when a cluster may go away
rejections    finding the offender in an answer that was refused
stream        one stream: its watches, and the next answer to send
dialect       in what the two dialects differ
delta, sotw   each dialect's requests and answers as bytes
request, node what a peer says, and who it is
hub           catalogs by target, and the streams that are to hear of a change

Time, tasks and grpc live in `xds.server`; a test drives these with plain calls.
"""
