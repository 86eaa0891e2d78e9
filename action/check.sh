#!/bin/bash
# Runs `imagelock check`; sets the outputs exit-code and sarif, and writes the job's summary.
#   CHECK_ARGUMENTS="--all" SUMMARY=true SARIF=imagelock.sarif action/check.sh
set -euo pipefail

read -ra arguments <<<"$CHECK_ARGUMENTS"

# Annotations, and the problems in the log, come from the first of the three runs only.
report() { env --unset=GITHUB_ACTIONS "$IMAGELOCK" --quiet check "${arguments[@]}" --format "$1" 2>/dev/null; }

code=0
"$IMAGELOCK" check "${arguments[@]}" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"

if [ "$code" -le 1 ]; then
    if [ "$SUMMARY" = true ]; then
        { report markdown || true; } >>"$GITHUB_STEP_SUMMARY"
    fi
    if [ -n "$SARIF" ]; then
        report sarif >"$SARIF" || true
        echo "sarif=$SARIF" >>"$GITHUB_OUTPUT"
    fi
fi
exit "$code"
