#!/bin/sh
# Rotates the logs of a folder: every *.log becomes NAME.log.TIME.gz, the newest KEEP of each name stay. Reads
# {"folder":"…","keep":N} from stdin, as belfry gives the payload; without a folder it makes one with an example in it.
set -eu
payload=$(cat)
# Enough for two plain values, and nothing to install.
folder=$(printf '%s' "$payload" | sed -n 's/.*"folder" *: *"\([^"]*\)".*/\1/p')
keep=$(printf '%s' "$payload" | sed -n 's/.*"keep" *: *\([0-9][0-9]*\).*/\1/p')
keep=${keep:-5}
if [ -z "$folder" ]; then
    folder=${TMPDIR:-/tmp}/belfry-examples/logs
    mkdir -p "$folder"
    echo "$(date) an entry of run ${BELFRY_RUN_ID:-by hand}" >>"$folder/example.log"
fi
[ -d "$folder" ] || { echo "there is no folder $folder" >&2; exit 2; }

rotated=0
removed=0
for log in "$folder"/*.log; do
    [ -s "$log" ] || continue
    old=$log.$(date +%Y%m%d-%H%M%S).$$
    mv "$log" "$old"
    : >"$log"
    gzip -f "$old"
    rotated=$((rotated + 1))
    echo "rotated $log to $old.gz ($(wc -c <"$old.gz") bytes)"
    # Names carry the time, so their order is that of their age.
    for gone in $(ls -1r "$log".*.gz | tail -n +$((keep + 1))); do
        rm -f "$gone"
        removed=$((removed + 1))
    done
done
echo "$rotated rotated, $removed removed, the newest $keep of each kept in $folder"
