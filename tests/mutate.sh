#!/bin/sh
# Mutation testing of persistence and of the reducer: each fails below 80 %. Reports are in tests/StrykerOutput.
set -e
cd "$(dirname "$0")"
dotnet tool restore
dotnet stryker -f stryker-reducer.json
dotnet stryker -f stryker-persistence.json
