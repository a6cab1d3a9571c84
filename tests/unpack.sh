#!/bin/sh
# Unpacks Debian packages into artifacts/packages, without installing them. Arguments: command:package pairs, or command:package,package; a
# command that is on the path, or was unpacked before, is left alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
packages=$root/artifacts/packages

missing=''
for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "$packages/usr/bin/${pair%%:*}" ] || missing="$missing $(printf %s "${pair#*:}" | tr ',' ' ')"
done
[ -n "$missing" ] || exit 0
echo "Unpacking$missing"
mkdir -p "$packages/downloads"
# Without rights to update the lists, those that are there must do.
as_root=''
[ "$(id -u)" -eq 0 ] || as_root='sudo -n'
# shellcheck disable=SC2086
$as_root apt-get update -qq || true
# One by one: a package that cannot be had keeps none of the others away.
status=0
for package in $missing; do
    (cd "$packages/downloads" && apt-get -o APT::Sandbox::User="$(id -un)" download -qq "$package") || status=1
done
for file in "$packages"/downloads/*.deb; do
    [ -f "$file" ] || continue
    dpkg-deb -x "$file" "$packages"
done
rm -rf "$packages/downloads"
exit $status
