"""The fleet: which Envoys are connected, which gateway each belongs to, what each has applied.

membership   which gateway a node belongs to
admission    who is let in; who is not is told why, and remembered
profile      what an Envoy can do, and so which target it follows
limits       who can't do what a deployment asks for, and what they do instead
envoys       which streams are one Envoy's
convergence  how far the Envoys of a deployment have got
status       what each Envoy has of what it is to have, resource by resource
"""
