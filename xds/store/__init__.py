"""The store: what must survive. Revisions, builds, endpoints, and what was applied from which file.

`records` are the values that go in and out, `sqlite` keeps them. What a caller was told is committed
is there and whole after a crash; the interface is small, because PostgreSQL follows.
"""
