#!/bin/sh
# Stands in for Cargo: "deploys" what the test has started already, and lists its process so that the test can see
# whether it was ended.
case "$1" in
infra)
    echo "deploying $3" >&2
    if [ "$3" = "$FAKE_BROKEN" ]; then
        echo "error: $3 does not build" >&2
        exit 101
    fi
    echo $$ >>"$FAKE_PROCESSES"
    printf '%s\n' "$FAKE_ENDPOINTS"
    exec sleep 600
    ;;
metadata)
    printf '{"target_directory":"%s"}\n' "$FAKE_TARGET"
    ;;
esac
