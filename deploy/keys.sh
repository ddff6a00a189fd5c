#!/bin/sh
# Makes the secrets of a stack: a directory for each, a file for each key in it, as `kubectl create secret generic NAME
# --from-file=DIRECTORY` takes them and docker-compose.yml mounts them. What is there already is left alone.
#
#     sh deploy/keys.sh [DIRECTORY]      (deploy/secrets, which git takes no notice of)
set -eu

out=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$out"
# What is mounted is read by the container's own user; the directory above keeps everyone else out.
umask 022

random() {
    od -A n -t x1 -N 32 /dev/urandom | tr -d ' \n'
}

# keep NAME KEY TEXT
keep() {
    mkdir -p "$out/$1"
    [ -e "$out/$1/$2" ] || printf '%s' "$3" > "$out/$1/$2"
}

keep postgres-superuser password "$(random)"
for service in asset job render stitch audio; do
    keep postgres-roles "${service}_owner" "$(random)"
    keep postgres-roles "${service}_service" "$(random)"
    owner=$(cat "$out/postgres-roles/${service}_owner")
    role=$(cat "$out/postgres-roles/${service}_service")
    keep "$service-database-owner" database_url \
        "postgres://${service}_owner:$owner@postgres/film?schema=$service&grant_to=${service}_service"
    keep "$service-database" database_url "postgres://${service}_service:$role@postgres/film?schema=$service"
done

password=$(random)
keep nats-server auth.conf "authorization { user: filmstrip, password: \"$password\" }
"
keep nats-client nats_url "nats://filmstrip:$password@nats:4222"

keep object-store access_key_id filmstrip
keep object-store secret_access_key "$(random)"
# The one server that takes its keys from its environment only.
[ -e "$out/s3.env" ] || printf 'ROOT_ACCESS_KEY=%s\nROOT_SECRET_KEY=%s\n' \
    "$(cat "$out/object-store/access_key_id")" "$(cat "$out/object-store/secret_access_key")" > "$out/s3.env"

keep link link_secret "$(random)"
keep gateway-api api_auth_key "$(random)"

echo "The API's key is in $out/gateway-api/api_auth_key."
