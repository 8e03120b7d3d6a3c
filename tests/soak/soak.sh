#!/bin/bash
# Checkpoints and restarts until something breaks: the tests of the category "soak". ./run soak calls this.
# usage: soak.sh [CYCLES [FILTER]]; without: 300 cycles of each program, 100 of the MPI jobs, all of them.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

[ $# -lt 1 ] || export DORMOUSE_SOAK_CYCLES=$1
filter="TestCategory=soak${2:+&FullyQualifiedName~$2}"
exec dotnet test tests/Dormouse.EndToEnd -c Release --nologo --filter "$filter" --logger "console;verbosity=normal"
