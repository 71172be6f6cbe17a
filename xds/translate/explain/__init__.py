"""Explain: which version a request gets, told from the very routes that Envoys are sent.

    asked      the request, byte by byte
    paths      what Envoy makes of its path
    texts      Envoy's matchers of texts
    matching   whether a route matches
    hashing    what its hash policies make of the request
    answer     what there is to say
    explain    the way from a request to an answer

Nothing is decided here that Envoy decides differently: real Envoys are asked the same things
(tests/e2e/test_explain.py). What can't be known beforehand (a dice, a matcher in somebody's own
patch) is said to be so.
"""
