# Stands in for python:3.11-slim: Debian's Python, where the official one has its own, and a pip that
# finds all it needs in a folder.
FROM stage-base
RUN ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/pip3 /usr/local/bin/pip \
    && rm /usr/lib/python3.11/EXTERNALLY-MANAGED
COPY . /opt/wheels
RUN printf '%s\n' '[global]' 'no-index = true' 'find-links = /opt/wheels' 'disable-pip-version-check = true' \
    'root-user-action = ignore' >/etc/pip.conf
CMD ["python3"]
