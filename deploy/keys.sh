#!/bin/sh
# Makes the secrets of a stack: a directory for each, a file for each key in it, as `kubectl create secret generic NAME
# --from-file=DIRECTORY` takes them and docker-compose.yml mounts them. What is there already is left alone.
#
#     sh deploy/keys.sh [DIRECTORY]      (deploy/secrets, which git takes no notice of)
set -eu

out=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$out"
# It may have been there before, and open.
chmod 700 "$out"
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

# derived FILE SOURCE: what FILE holds came out of SOURCE. A FILE without its SOURCE would stay with a password that nobody else
# has once SOURCE were drawn anew.
derived() {
    if [ -e "$out/$1" ] && [ ! -e "$out/$2" ]; then
        echo "$out/$1 is there and $out/$2, which it was made from, is not: bring that back, or remove both." >&2
        exit 1
    fi
}

# Before anything is drawn.
for service in asset job render stitch audio; do
    derived "$service-database-owner/database_url" "postgres-roles/${service}_owner"
    derived "$service-database/database_url" "postgres-roles/${service}_service"
done
derived nats-server/auth.conf nats-client/nats_url
derived s3.env object-store/access_key_id
derived s3.env object-store/secret_access_key

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

keep nats-client nats_url "nats://filmstrip:$(random)@nats:4222"
# The one that is there, also when only the server's file has to be made again.
password=$(sed -n 's|^nats://filmstrip:\([^@]*\)@.*$|\1|p' "$out/nats-client/nats_url")
if [ -z "$password" ] && [ ! -e "$out/nats-server/auth.conf" ]; then
    echo "$out/nats-client/nats_url is not of the form nats://filmstrip:PASSWORD@HOST:PORT: bring nats-server/auth.conf yourself." >&2
    exit 1
fi
keep nats-server auth.conf "authorization { user: filmstrip, password: \"$password\" }
"

keep object-store access_key_id filmstrip
keep object-store secret_access_key "$(random)"
# The one server that takes its keys from its environment only.
[ -e "$out/s3.env" ] || printf 'ROOT_ACCESS_KEY=%s\nROOT_SECRET_KEY=%s\n' \
    "$(cat "$out/object-store/access_key_id")" "$(cat "$out/object-store/secret_access_key")" > "$out/s3.env"

keep link link_secret "$(random)"
keep gateway-api api_auth_key "$(random)"
keep grafana admin_password "$(random)"

echo "The API's key is in $out/gateway-api/api_auth_key, the password of Grafana's admin in $out/grafana/admin_password."
