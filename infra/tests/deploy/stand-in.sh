#!/bin/sh
# Stands in for `sam` and `cargo-lambda`: tells a version, takes notes of its arguments, and answers as they would.
program=$(basename "$0")
case "$program $1 $2" in
"cargo-lambda lambda --version") echo "cargo-lambda ${CARGO_LAMBDA_VERSION:-1.9.2} (67129fc 2026-08-21Z)" ;;
"sam --version "*) echo "SAM CLI, version ${SAM_VERSION:-1.170.0}" ;;
"sam list stack-outputs")
    echo "sam $*" >>"$NOTES"
    echo '[{"OutputKey":"ApiUrl","OutputValue":"https://a1.execute-api.eu-west-1.amazonaws.com","Description":""}]'
    ;;
*)
    echo "$program $*" >>"$NOTES"
    [ "$1" != "$FAILS" ]
    ;;
esac
