# Stands in for envoyproxy/envoy: the same release of Envoy, started as its own user, and nothing a
# health check might lean on: no Python, no curl.
FROM stage-base
RUN rm -rf /usr/bin/python3* /usr/bin/pip* /usr/lib/python3*
COPY envoy /usr/local/bin/envoy
COPY envoy-entrypoint.sh /docker-entrypoint.sh
RUN groupadd -g 101 envoy && useradd -u 101 -g 101 -M envoy && mkdir /etc/envoy \
    && envoy --version && ! command -v python3 && ! command -v curl && ! command -v wget
EXPOSE 10000
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]
