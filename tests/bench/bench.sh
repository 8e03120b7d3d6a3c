#!/bin/bash
# Builds what is measured and runs it. ./run bench calls this. usage: bench.sh [SECTION]...
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

mkdir -p build/bench
gcc -O2 -Wall -Wextra -Werror -pthread -o build/bench/micro tests/bench/micro.c
exec /usr/bin/python3 tests/bench/bench.py "$@"
