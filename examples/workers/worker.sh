#!/usr/bin/env bash
# A worker in shell: bash, curl and jq. For each run that it claims it runs a command with the payload on stdin.
#
#   BELFRY_URL=http://127.0.0.1:7420 CAPABILITIES=gpu,fast LEASE=60 examples/workers/worker.sh COMMAND [ARGUMENT…]
#
# TERM or Ctrl-C: ends what runs, takes no more, leaves.
set -u -m # -m: the command gets a process group of its own, so that all of it can be stopped
url=${BELFRY_URL:-http://127.0.0.1:7420}
lease=${LEASE:-60} # seconds; renewed every third of it
(($# > 0 && lease >= 3)) || { echo 'usage: worker.sh COMMAND [ARGUMENT…], LEASE of 3 seconds or more' >&2; exit 2; }

# ask PATH BODY: the answer on stdout; 0: done, 1: refused for good, 2: not now.
# The body goes through stdin: it may hold a token, and everybody on the machine can read arguments.
ask() {
    local answer status
    answer=$(curl -sS -m 90 -w '\n%{http_code}' -H 'Content-Type: application/json' --data-binary @- "$url$1" <<<"$2" 2>/dev/null) \
        || return 2
    status=${answer##*$'\n'}
    printf '%s\n' "${answer%$'\n'*}"
    case $status in 2??) return 0 ;; 429 | 5??) return 2 ;; *) return 1 ;; esac
}

# tell PATH BODY: asks until there is an answer; every request of the protocol may be repeated.
tell() {
    local answer status pause=1
    while :; do
        answer=$(ask "$1" "$2")
        status=$?
        ((status == 2)) || break
        sleep "$pause"
        pause=$((pause < 8 ? pause * 2 : 8))
    done
    ((status == 0)) || jq -r '"refused: \(.code) \(.detail)"' <<<"$answer" >&2
    printf '%s\n' "$answer"
    return "$status"
}

# renew RUN PROOF GROUP: keeps the lease while the command runs; stops the command when it is cancelled or the lease is over.
renew() {
    local answer asked safe_until=$((SECONDS + lease))
    while sleep "$((lease / 3))"; do
        asked=$SECONDS
        answer=$(ask "/v1/runs/$1:heartbeat" "$(jq -c --arg lease "${lease}s" '. + {lease: $lease}' <<<"$2")")
        case $? in
            0)
                safe_until=$((asked + lease))
                jq -e '.commands | index("cancel")' <<<"$answer" >/dev/null && break
                ;;
            1) break ;; # somebody else has the run by now
            2) ((SECONDS + lease / 3 < safe_until)) || break ;;
        esac
    done
    kill -TERM -- "-$3"
    sleep 5
    kill -KILL -- "-$3"
}

# perform CLAIM COMMAND…
perform() {
    local claim=$1 run proof output work heart code=0
    shift
    run=$(jq -r .run_id <<<"$claim")
    proof=$(jq -c '{token, fencing}' <<<"$claim")
    output=$(mktemp)
    BELFRY_RUN_ID=$run BELFRY_ATTEMPT=$(jq .attempt <<<"$claim") BELFRY_FENCING=$(jq .fencing <<<"$claim") \
        "$@" < <(jq -c .payload <<<"$claim") >"$output" 2>&1 &
    work=$!
    renew "$run" "$proof" "$work" 2>/dev/null &
    heart=$!
    wait "$work"
    code=$?
    while kill -0 "$work" 2>/dev/null; do # TERM came in between: the command goes on
        wait "$work"
        code=$?
    done
    kill -KILL -- "-$heart" 2>/dev/null
    # The log: at most 1,000 lines at a time, numbered so that a repetition adds none twice.
    jq -Rnc '[inputs | {text: .}] | range(0; length; 1000) as $i | {first: ($i + 1), lines: .[$i:$i + 1000]}' <"$output" \
        | while read -r lines; do
            tell "/v1/runs/$run:log" "$(jq -sc add <<<"$proof $lines")" >/dev/null || break
        done
    rm -f "$output"
    if ((code == 0)); then
        tell "/v1/runs/$run:complete" "$(jq -c --argjson code "$code" '. + {exit_code: $code}' <<<"$proof")" >/dev/null
    else
        tell "/v1/runs/$run:fail" \
            "$(jq -c --argjson code "$code" '. + {exit_code: $code, message: "exit code \($code)"}' <<<"$proof")" >/dev/null
    fi
    echo "$run ended with $code"
}

session=$(tell /v1/sessions "$(jq -nc --arg name "$(hostname)-$$" --arg caps "${CAPABILITIES:-}" \
    '{name: $name, agent_type: "shell", capabilities: ($caps | split(","))}')" | jq -r .id)
[[ $session == ses_* ]] || exit 1
echo "registered as $session"
leaving=
trap 'leaving=yes' TERM INT
while [[ -z $leaving ]]; do
    claims=$(tell /v1/claims "$(jq -nc --arg session "$session" --arg lease "${lease}s" \
        '{session: $session, wait: "5s", lease: $lease, start: true}')") || break
    claim=$(jq -c '.claims[0] // empty' <<<"$claims")
    [[ -z $claim ]] || perform "$claim" "$@"
done
curl -sS -m 5 -o /dev/null -X DELETE "$url/v1/sessions/$session"
echo 'left'
