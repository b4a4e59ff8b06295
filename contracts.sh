#!/usr/bin/env bash
# Writes anew what the code's contracts are: OrleansContracts.txt (grain interfaces as they go over the wire) and PublicAPI.Unshipped.txt
# (what others can build on). A build fails where they differ from the code. Review the differences: each breaks a client or a silo of
# another version, unless it only adds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
orleans="ORLEANS0016 ORLEANS0017 ORLEANS0018 ORLEANS0019 ORLEANS0020 ORLEANS0022 ORLEANS0023 ORLEANS0024"
for project in Chatterbox.Interfaces Chatterbox.Grains; do
  echo "# Written by contracts.sh" >"$project/OrleansContracts.txt"
  dotnet restore "$project" -v q
  dotnet format "$project/$project.csproj" analyzers --no-restore --severity info --diagnostics $orleans
done
for project in Chatterbox.Interfaces Chatterbox.Client; do
  # From nothing, so that what is gone goes too. The analyzer names each symbol as the file has it, also those in generated code.
  [ -s "$project/PublicAPI.Shipped.txt" ] || echo '#nullable enable' >"$project/PublicAPI.Shipped.txt"
  echo '#nullable enable' >"$project/PublicAPI.Unshipped.txt"
  symbols=$(dotnet build "$project" -c Release -v q -nologo --no-incremental | grep -oP "RS0016: Symbol '\K.*(?=' is not part of)" || true)
  LC_ALL=C sort -u <<<"$symbols" | sed '/^$/d' >>"$project/PublicAPI.Unshipped.txt"
done
git --no-pager diff --stat -- '*OrleansContracts.txt' '*PublicAPI.Unshipped.txt'
