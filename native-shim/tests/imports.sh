#!/bin/bash
# A name that the C# object asks for and that imports.txt does not know fails the build.
# usage: imports.sh BUILD_RUNTIME_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -r "$here/../embed" "$work/embed"
mkdir "$work/out"
cp "$1/exports.renames" "$work/out/"

# Undecided: the list loses a name that is needed.
sed -i '/^own *malloc /d; /^own *malloc$/d' "$work/embed/imports.txt"
if "$work/embed/join.sh" "$1/inputs.txt" "$work/out" 2>"$work/said"; then
    echo "join.sh accepted an import that nobody has decided about" >&2
    exit 1
fi
grep -q 'nobody has decided about `malloc`' "$work/said"

# A line that is no decision.
cp "$here/../embed/imports.txt" "$work/embed/imports.txt"
echo 'perhaps malloc' >>"$work/embed/imports.txt"
if "$work/embed/join.sh" "$1/inputs.txt" "$work/out" 2>"$work/said"; then
    echo "join.sh accepted a verb that does not exist" >&2
    exit 1
fi
grep -q 'not a verb' "$work/said"
