# The `canary` command in an image: `serve` unless told otherwise, not as root, its store in a volume.
# Nothing here needs BuildKit, and nothing but pip a network.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv --without-pip /opt/canary && pip --python /opt/canary/bin/python install --no-cache-dir .

FROM python:3.11-slim
COPY --from=build /opt/canary /opt/canary
RUN useradd --uid 10001 --home-dir /var/lib/canary --create-home --shell /usr/sbin/nologin canary
ENV PATH=/opt/canary/bin:$PATH PYTHONUNBUFFERED=1 CANARY_STORE=/var/lib/canary/canary.db
USER canary
WORKDIR /var/lib/canary
VOLUME /var/lib/canary
EXPOSE 18000 18001 18002
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as http; http.urlopen('http://127.0.0.1:18002/readyz', timeout=2)"]
ENTRYPOINT ["canary"]
CMD ["serve", "--xds-listen", "0.0.0.0:18000", "--admin-listen", "0.0.0.0:18001", "--http-listen", "0.0.0.0:18002"]
