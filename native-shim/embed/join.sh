#!/bin/bash
# Joins the C# object with the runtime's archives and decides about everything it asks of libc (imports.txt).
# usage: join.sh INPUTS OUTDIR      INPUTS: object=, sdk=, framework= (written by Dormouse.Runtime.csproj)
# OUTDIR/exports.renames was written by dm-gen. Makes OUTDIR/runtime.o and OUTDIR/runtime.ld, a response file for the linker that binds the refused names.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
inputs=$1
out=$2
object= sdk= framework=
while IFS='=' read -r key value; do
    case $key in
    object) object=$value ;;
    sdk) sdk=$value ;;
    framework) framework=$value ;;
    esac
done <"$inputs"
[ -f "$object" ] || { echo "join.sh: $inputs names no object file; run dotnet publish for runtime/Dormouse.Runtime" >&2; exit 1; }

mkdir -p "$out"
# Exported functions are C, with a gate before C#: the object's own symbols of these names step aside, before anything of
# the runtime's archives could be bound to them.
objcopy --redefine-syms="$out/exports.renames" "$object" "$out/object.o"
ld -r -o "$out/joined.o" "$out/object.o" "${sdk}libbootstrapperdll.o" --start-group \
    "${sdk}libRuntime.WorkstationGC.a" "${framework}libSystem.Native.a" "${sdk}libeventpipe-disabled.a" \
    "${sdk}libRuntime.VxsortDisabled.a" "${sdk}libstandalonegc-disabled.a" "${sdk}libstdc++compat.a" --end-group

# Undefined names, without our own, without the section bounds that the last link defines, and without the _Rh names
# that the runtime's assembler files declare and never use.
nm -u "$out/joined.o" | awk '{ print $2 }' | grep -Ev '^(dm_|__start_|__stop_|_GLOBAL_OFFSET_TABLE_$|_Rh)' | sort -u >"$out/imports"

awk -v names="$out/renames" -v response="$out/runtime.ld" -v list="$here/imports.txt" '
    FNR == NR {
        if ($1 == "" || $1 ~ /^#/) next
        if ($1 !~ /^(allow|own|zero|refuse|none)$/ || $2 == "" || $2 in verb) {
            printf "%s:%d: not a verb, or a name twice: %s\n", list, FNR, $0 > "/dev/stderr"; bad = 1
        }
        verb[$2] = $1
        next
    }
    !($1 in verb) { printf "%s: nobody has decided about `%s`, which the C# object now asks for\n", list, $1 > "/dev/stderr"; bad = 1; next }
    verb[$1] != "allow" { print $1, "dm_rt_" $1 > names }
    verb[$1] ~ /zero|refuse|none/ { print "--defsym=dm_rt_" $1 "=dm_rt_" verb[$1] > response }
    END { exit bad }' "$here/imports.txt" "$out/imports"

objcopy --redefine-syms="$out/renames" "$out/joined.o" "$out/runtime.o"
rm -f "$out/joined.o" "$out/object.o"
