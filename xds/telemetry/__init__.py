"""Envoy's metrics, by version: taken in, kept in windows, summed up.

    records     what is asked for, and what is answered: plain values
    query       who can answer: Envoy's own stream (`Telemetry`), Prometheus, a test's fake
    buckets     the bounds of latencies, merging, percentiles
    message     one message of Envoy's metrics service -> what it says about our clusters
    window      what a series saw in five seconds, in a minute; packed once it is over
    series      the windows of one build, gateway and revision
    archive     all series, by whose they are; how many there may be
    feed        one stream of reports
    votes       what Envoys find of a cluster's endpoints, and who has a say
    telemetry   all of it: who reports, what is new in a report, and the answers

No clock here: who calls says what time it is (epoch seconds).
"""
