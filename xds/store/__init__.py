"""The store: what must survive. Revisions, builds, endpoints, the audit, and what was applied from where.

`records` are the values that go in and out, `interface` is what a store is asked (PostgreSQL follows),
`sqlite` is the one there is: `database` opens the file, `schema` says what is in it, `reading` and
`writing` are its statements, `image_rows` what was published, `backup` copies it. What a caller was told
is committed is there and whole after a crash.
"""
