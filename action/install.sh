#!/bin/bash
# Makes an environment with imagelock as it is in this action's commit, and its dependencies by hash.
#   action/install.sh
# Sets IMAGELOCK for the steps that follow.
set -euo pipefail

action=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment=$RUNNER_TEMP/imagelock

find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "::error::imagelock needs Python 3.11 or later: add a step with actions/setup-python before this one" >&2
    return 2
}

if [ ! -x "$environment/bin/imagelock" ]; then
    python=$(find_python)
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$action/action/requirements.txt"
    # No build: the source of this commit is what runs.
    packages=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$action/src" >"$packages/imagelock.pth"
    printf '#!/bin/sh\nexec "%s" -m imagelock "$@"\n' "$environment/bin/python" >"$environment/bin/imagelock"
    chmod +x "$environment/bin/imagelock"
fi
"$environment/bin/imagelock" --version
echo "IMAGELOCK=$environment/bin/imagelock" >>"$GITHUB_ENV"
