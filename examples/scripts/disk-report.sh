#!/bin/sh
# Writes a report about the disks into $REPORT_DIR (default: a folder below the temporary one), one file a day.
set -eu
folder=${REPORT_DIR:-${TMPDIR:-/tmp}/belfry-examples/reports}
mkdir -p "$folder"
report=$folder/disks-$(date +%Y-%m-%d).txt
{
    echo "disk report of $(hostname) at $(date)"
    echo
    df -hP
    echo
    echo "largest folders of /var:"
    # Some of them may not be read by everybody: that is no failure of the report.
    du -xk --max-depth=1 /var 2>/dev/null | sort -rn | head -n 10 || true
} >"$report.new"
mv "$report.new" "$report"
echo "wrote $report, $(wc -l <"$report") lines"
fullest=$(df -P | awk 'NR > 1 && $5 ~ /%/ { sub("%", "", $5); if ($5 + 0 > most) most = $5 + 0 } END { print most + 0 }')
echo "the fullest disk is at $fullest %"
