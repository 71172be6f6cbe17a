#!/bin/sh
# As the official image does: flags are Envoy's, and Envoy does not run as root.
set -e
case ${1-} in -*) set -- envoy "$@" ;; esac
if [ "${1-}" = envoy ] && [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=101 --regid=101 --clear-groups -- "$@"
fi
exec "$@"
