"""Revisions: what a deployment was and is.

`record` is the immutable record, `builds` gives builds their lasting keys, `decide` makes the next
revision from the one in force, `history` says where a rollback leads and which builds are still to
be kept. Plain functions: the caller brings the time and commits what comes back.
"""
