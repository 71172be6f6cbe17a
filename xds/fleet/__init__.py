"""The fleet: which Envoys are connected, which gateway each belongs to, what each has applied."""
