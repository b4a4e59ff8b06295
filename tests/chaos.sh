#!/usr/bin/env bash
# Three silos on PostgreSQL, clients of several kinds, faults at random, and what was promised compared with what is there.
#   tests/chaos.sh [--minutes N] [--longest SECONDS] [--paused ROUNDS] [--stale ROUNDS] [--seed S]
# Needs root, PostgreSQL's binaries, iproute2 and nftables; steps clocks where libfaketime (faketime) is installed.
# Exit code 0: nothing found; 1: something, named in the table; 2: it cannot run here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build tests/Chatterbox.Chaos -c Release -v q -nologo >&2
exec dotnet tests/Chatterbox.Chaos/bin/Release/net10.0/Chatterbox.Chaos.dll "$@"
