#!/bin/sh
# Unpacks Debian packages into artifacts/packages, without installing them. Arguments: command:package pairs; a command that is on the path,
# or was unpacked before, is left alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
packages=$root/artifacts/packages

missing=''
for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "$packages/usr/bin/${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0
echo "Unpacking$missing"
mkdir -p "$packages/downloads"
# Without rights to update the lists, those that are there must do.
as_root=''
[ "$(id -u)" -eq 0 ] || as_root='sudo -n'
# shellcheck disable=SC2086
$as_root apt-get update -qq || true
# shellcheck disable=SC2086
(cd "$packages/downloads" && apt-get download -qq $missing)
for file in "$packages"/downloads/*.deb; do
    dpkg-deb -x "$file" "$packages"
done
rm -rf "$packages/downloads"
