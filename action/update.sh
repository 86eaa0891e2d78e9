#!/bin/bash
# Runs `imagelock update` and `imagelock render`; sets the outputs changed, exit-code and body, a Markdown file for the
# text of a pull request.
#   UPDATE_ARGUMENTS="go node" action/update.sh
set -euo pipefail

read -ra arguments <<<"$UPDATE_ARGUMENTS"
body=$RUNNER_TEMP/imagelock-update.md
before=$RUNNER_TEMP/imagelock-before.lock

lockfile=images.lock
if [ -e "$lockfile" ]; then cp "$lockfile" "$before"; else : >"$before"; fi

# What an earlier step has left in the checkout is no update.
state() {
    {
        git status --porcelain
        git diff HEAD || true
        if [ -e "$lockfile" ]; then cat "$lockfile"; fi
    } | git hash-object --stdin
}
state_before=$(state)

finish() {
    echo "exit-code=$1" >>"$GITHUB_OUTPUT"
    echo "changed=$2" >>"$GITHUB_OUTPUT"
}

code=0
"$IMAGELOCK" update "${arguments[@]}" || code=$?
if [ "$code" = 3 ]; then
    echo "::warning::a registry did not answer; nothing was changed, and a later run may succeed"
    finish 3 false
    exit 0
fi
if [ "$code" != 0 ]; then
    finish "$code" false
    exit "$code"
fi
# A table, a dotted key or an inline table: without any of them, `render` has nothing to do and fails.
tables="^[[:blank:]]*(\[[[:blank:]]*)?[\"']?(render|pin|export)[\"']?[[:blank:]]*([].]|=[[:blank:]]*[{])"
if grep -Eq "$tables" images.toml; then
    "$IMAGELOCK" render || code=$?
fi
if [ "$code" != 0 ]; then
    finish "$code" false
    exit "$code"
fi

if [ "$(state)" = "$state_before" ]; then
    finish 0 false
    exit 0
fi
if [ -s "$before" ]; then
    "$IMAGELOCK" diff --format markdown "$before" "$lockfile" >"$body"
else
    echo "images.lock is new." >"$body"
fi
# The text of a pull request holds 64 KiB: whole lines only, and how many were left out.
if [ "$(wc -c <"$body")" -gt 60000 ]; then
    head -c 60000 "$body" | sed '$d' >"$body.cut"
    left_out=$(($(wc -l <"$body") - $(wc -l <"$body.cut")))
    printf '\n%d more lines are left out: see images.lock.\n' "$left_out" >>"$body.cut"
    mv "$body.cut" "$body"
fi
echo "body=$body" >>"$GITHUB_OUTPUT"
cat "$body" >>"$GITHUB_STEP_SUMMARY"
finish 0 true
