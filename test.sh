#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. Ends with one line: N passed, N failed.
# Needs Debian or Ubuntu with the .NET SDK of global.json on PATH; installing packages needs root.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

command -v dotnet >/dev/null || fail "The .NET SDK is not on PATH: install .NET 10 first."

# PostgreSQL's own binaries: the tests start servers of their own. The chaos run cuts networks and steps clocks.
missing_packages=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing_packages+=(postgresql)
command -v ip >/dev/null || missing_packages+=(iproute2)
PATH=$PATH:/usr/sbin:/sbin command -v nft >/dev/null || missing_packages+=(nftables)
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing_packages+=(faketime)
if [ ${#missing_packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing_packages[*]} ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing_packages[@]}"; } >"$results/apt.log" 2>&1 \
      || { tail -n 20 "$results/apt.log"; fail "${missing_packages[*]} could not be installed."; }
  else
    echo "Not installed: ${missing_packages[*]} (apt-get install). Tests that need them will be skipped."
  fi
fi

echo "Building ..."
dotnet build Chatterbox.Grains.sln -c Release -v q >"$results/build.log" 2>&1 || { tail -n 40 "$results/build.log"; fail "The build failed."; }

status=0
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  echo "Testing $name ..."
  dotnet test "$project" -c Release --no-build --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
    --logger "console;verbosity=minimal" --blame-hang-timeout 20m || status=1
  [ -s "$results/$name.trx" ] || { echo "$name left no results."; status=1; missing=$((${missing:-0} + 1)); }
done

# Each results file has one line of counters.
count() { cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk '{ sum += $1 } END { print sum + 0 }'; }
total=$(count total) executed=$(count executed) passed=$(count passed)
failed=$((${executed:-0} - ${passed:-0} + ${missing:-0})) skipped=$((${total:-0} - ${executed:-0}))
[ "${passed:-0}" -gt 0 ] || status=1
echo "${passed:-0} passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && exit $status || exit 1
