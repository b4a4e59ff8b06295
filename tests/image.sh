#!/usr/bin/env bash
# Builds the Dockerfile and runs the image, without a Docker engine and without a registry of images: Debian's buildah and podman, on
# stand-ins for the three base images that are made here from Debian packages and this machine's SDK. It proves the Dockerfile's
# instructions, the user, the volume, a read-only root and the health check; it says nothing about the real base images.
#   tests/image.sh          needs root on Debian; a few minutes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ "$(id -u)" = 0 ] || { echo "tests/image.sh needs root." >&2; exit 2; }
export DEBIAN_FRONTEND=noninteractive
for command in buildah podman mmdebstrap; do
  command -v "$command" >/dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends buildah podman crun mmdebstrap; break; }
done

work=$(mktemp -d)
store=(--root "$work/images" --runroot "$work/run" --storage-driver overlay)
container=
cleanup() {
  [ -z "$container" ] || podman "${store[@]}" rm -f "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || sources=/etc/apt/sources.list
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")

echo "Making stand-ins for the base images ..."
mmdebstrap --quiet --variant=minbase --include=ca-certificates,libicu72,libssl3,libgssapi-krb5-2,libstdc++6,zlib1g,tzdata \
  "$release" "$work/debian.tar" "$sources"

base() {
  local name=$1
  shift
  local at
  at=$(buildah "${store[@]}" from scratch)
  buildah "${store[@]}" add -q "$at" "$work/debian.tar" / >/dev/null
  for part in "$@"; do buildah "${store[@]}" copy -q "$at" "$dotnet/$part" "/usr/share/dotnet/$part" >/dev/null; done
  local root
  root=$(buildah "${store[@]}" mount "$at")
  ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
  echo 'app:x:1654:1654::/home/app:/bin/sh' >>"$root/etc/passwd"
  echo 'app:x:1654:' >>"$root/etc/group"
  mkdir -p "$root/home/app" && chown 1654:1654 "$root/home/app"
  buildah "${store[@]}" umount "$at" >/dev/null
  buildah "${store[@]}" config --env APP_UID=1654 --env ASPNETCORE_HTTP_PORTS=8080 --env DOTNET_RUNNING_IN_CONTAINER=true "$at"
  buildah "${store[@]}" commit -q --rm "$at" "$name" >/dev/null
}
base mcr.microsoft.com/dotnet/aspnet:10.0 dotnet host shared
base mcr.microsoft.com/dotnet/sdk:10.0 dotnet host shared sdk sdk-manifests templates packs

# Node, for the page: this machine's.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
at=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" add -q "$at" "$work/debian.tar" / >/dev/null
buildah "${store[@]}" copy -q "$at" "$prefix/bin/node" /usr/bin/node >/dev/null
buildah "${store[@]}" copy -q "$at" "$prefix/lib/node_modules/npm" /usr/lib/node_modules/npm >/dev/null
root=$(buildah "${store[@]}" mount "$at")
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
buildah "${store[@]}" umount "$at" >/dev/null
buildah "${store[@]}" commit -q --rm "$at" docker.io/library/node:22-slim >/dev/null
npmrc=()
[ ! -e "$HOME/.npmrc" ] || npmrc=(--volume "$HOME/.npmrc:/root/.npmrc:ro")

# The restore inside uses this machine's package sources, cache and certificates.
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
echo "Building the Dockerfile ..."
buildah "${store[@]}" bud -q --format docker --pull-never --isolation chroot --network host --volume "$HOME/.nuget:/root/.nuget:rw" \
  --volume "$certificates:/etc/ssl/certs/ca-certificates.crt:ro" --env NUGET_CERT_REVOCATION_MODE=offline "${npmrc[@]}" \
  -t chatterbox-silo . >/dev/null

echo "Running it: read-only root, no capabilities, as its own user ..."
key=a-service-key-of-32-bytes-or-more-for-this-run
mkdir -p "$work/data" && chown 1654:1654 "$work/data"
container=$(podman "${store[@]}" run -d --runtime crun --cgroups disabled --ulimit host --network host --read-only --tmpfs /tmp --cap-drop all \
  --security-opt no-new-privileges -v "$work/data:/data" -e ASPNETCORE_URLS=http://127.0.0.1:28080 \
  -e Chatterbox__Silo__Port=21111 -e Chatterbox__Gateway__Port=21112 \
  -e Chatterbox__Auth__ServiceKey="$key" chatterbox-silo)
podman "${store[@]}" exec "$container" test -s page/index.html || { echo "The image has no page." >&2; exit 1; }
for _ in $(seq 120); do
  podman "${store[@]}" exec "$container" ./Chatterbox.Silo --health >/dev/null 2>&1 && healthy=1 && break
  sleep 0.5
done
[ -n "${healthy:-}" ] || { podman "${store[@]}" logs "$container"; echo "The container did not become healthy." >&2; exit 1; }

CHATTERBOX_SERVICE_KEY=$key ./chatterbox set alice temperature=0.9 --gateway 127.0.0.1:21112 >/dev/null
podman "${store[@]}" stop -t 60 "$container" >/dev/null
ls -l "$work/data"
ls "$work"/data/*.db >/dev/null
echo "The image builds, runs read-only as $(podman "${store[@]}" inspect -f '{{.Config.User}}' "$container"), is healthy, and keeps its data in /data."
