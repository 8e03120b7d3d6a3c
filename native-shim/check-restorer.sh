#!/bin/bash
# Strips the restorer into its place and refuses one that could not run where it is moved to: no relocation, no undefined
# symbol, no interpreter, no thread-local storage.
# usage: check-restorer.sh LINKED RESULT
set -euo pipefail
linked=$1
result=$2

fail() { echo "$(basename "$linked"): $*" >&2; exit 1; }

relocations=$(readelf -rW "$linked" | grep -c R_X86_64 || true)
[ "$relocations" -eq 0 ] || fail "$relocations relocations: $(readelf -rW "$linked" | grep R_X86_64 | head -n 3)"
undefined=$(nm -u "$linked" | awk '{ print $2 }' | tr '\n' ' ')
[ -z "$undefined" ] || fail "undefined: $undefined"
readelf -lW "$linked" | grep -Eq 'INTERP|TLS' && fail "has an interpreter or thread-local storage"
strip -o "$result.new" "$linked"
mv "$result.new" "$result"
