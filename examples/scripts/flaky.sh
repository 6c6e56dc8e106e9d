#!/bin/sh
# Fails at the first two attempts of a run, succeeds at the third: belfry tells the attempt in BELFRY_ATTEMPT, and a state
# file counts too, so that the script does the same when it is run by hand.
set -eu
state=${TMPDIR:-/tmp}/belfry-examples/flaky-${BELFRY_RUN_ID:-by-hand}
mkdir -p "$(dirname "$state")"
tries=$(($(cat "$state" 2>/dev/null || echo 0) + 1))
echo "$tries" >"$state"
echo "try $tries (attempt ${BELFRY_ATTEMPT:-?} of run ${BELFRY_RUN_ID:-by hand})"
if [ "$tries" -lt 3 ]; then
    echo "the service is away" >&2
    exit 1
fi
rm -f "$state"
echo "it worked"
