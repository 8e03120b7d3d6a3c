#!/bin/bash
# Proves: a shell with pipelines, background jobs, command substitution, traps and
# loops goes on. Every line that goes into a pipeline comes out of it, in order.
set -u

fail() { echo "$*" >&2; exit 1; }

more() {
    if [[ -n ${SAMPLE_STOP:-} ]]; then [[ ! -e $SAMPLE_STOP ]]; else (( step < ${SAMPLE_STEPS:-20} )); fi
}

signals=0
trap 'signals=$((signals + 1))' USR1

# A slow pipeline that lives as long as the script: numbers in, their doubles out.
coproc doubler { while read -r number; do echo $((number * 2)); done | sed -u 's/^/double /'; }
sleep 1000 & sleeper=$!

echo ready
step=0
sum=0
while more; do
    count=$(seq 1 2000 | grep -v 7 | sort -n | tr ' ' '\n' | wc -l)
    [[ $count == 1458 ]] || fail "step $step: the pipeline counts $count lines, not 1458"
    echo "$step" >&"${doubler[1]}"
    read -r word value <&"${doubler[0]}" || fail "step $step: the coprocess is gone"
    [[ $word == double && $value == $((step * 2)) ]] || fail "step $step: the coprocess says '$word $value'"
    kill -USR1 $$
    sum=$(( (sum * 31 + value) % 1000000007 ))
    step=$((step + 1))
done

(( signals == step )) || fail "the trap ran $signals times, not $step"
kill $sleeper || fail "the background job is gone"
wait $sleeper
(( $? == 143 )) || fail "the background job ended otherwise"
printf 'ok checksum %016x steps %d\n' "$sum" "$step"
