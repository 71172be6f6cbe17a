"""Slots: who owns which of the 10,000 equal pieces of the hash space.

`table` is the value, `layout` decides how it changes when shares change, `hashing` says which slot
a key falls into. Owners are build keys; nothing here knows what a version or a weight is.
"""
