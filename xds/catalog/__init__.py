"""The catalog: encoded resources, their versions, and what changed.

Messages come in, bytes stay. A resource is encoded once, when it changes; every stream is sent
those bytes. Nothing here knows what a canary is, and nothing knows what a stream is.
"""
