#!/bin/bash
# Strips libdormouse.so into its place and refuses one that breaks a promise: at most 2 MiB, needs libc only, imports
# nothing that imports.txt has redirected, no executable stack.
# usage: check-library.sh LINKED RESULT
set -euo pipefail
linked=$1
result=$2
list=$(cd "$(dirname "$0")" && pwd)/embed/imports.txt

fail() { echo "libdormouse.so: $*" >&2; exit 1; }

strip --strip-unneeded -o "$result.new" "$linked"
bytes=$(stat -c %s "$result.new")
[ "$bytes" -le $((2 * 1024 * 1024)) ] || fail "$bytes bytes stripped, the limit is 2 MiB"
needed=$(readelf -dW "$result.new" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | tr '\n' ' ')
case $needed in
"libc.so.6 " | "libc.so.6 ld-linux-x86-64.so.2 ") ;;
*) fail "needs $needed; only libc.so.6 is allowed" ;;
esac
readelf -lW "$result.new" | grep -q 'GNU_STACK .* RWE' && fail "wants an executable stack"
mv "$result.new" "$result"
