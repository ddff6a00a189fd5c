#!/bin/sh
# `render` grows with what is due and shrinks again. Not run yet: needs a cluster with KEDA and the stand-in providers.
# Usage: BASE=https://films.example API_KEY=... CAMPAIGN=<id of a campaign with photographs> scaling.sh [jobs]
set -eu

namespace="${NAMESPACE:-filmstrip}"
jobs="${1:-40}"
: "${BASE:?set BASE to the address of the API}" "${API_KEY:?set API_KEY}" "${CAMPAIGN:?set CAMPAIGN to a campaign with photographs}"

replicas() { kubectl -n "$namespace" get deployment render -o jsonpath='{.spec.replicas}'; }
least="$(kubectl -n "$namespace" get scaledobject render -o jsonpath='{.spec.minReplicaCount}')"
[ "$(replicas)" = "$least" ] || { echo "render has $(replicas) replicas at rest, not $least: wait until its work is done" >&2; exit 1; }

i=0
while [ "$i" -lt "$jobs" ]; do
  i=$((i + 1))
  made="$(curl -sf -X POST "$BASE/api/v3/jobs/from-image-pairs" -H "x-api-key: $API_KEY" -H "content-type: application/json" \
    -d "{\"campaign_id\": \"$CAMPAIGN\", \"num_pairs\": 4, \"clip_duration\": 4}")"
  id="$(printf '%s' "$made" | sed -n 's/.*"job_id":\([0-9]*\).*/\1/p')"
  curl -sf -o /dev/null -X POST "$BASE/api/v3/jobs/$id/approve" -H "x-api-key: $API_KEY"
done

until_replicas() { # until_replicas "at least"|exactly NUMBER SECONDS
  end=$(($(date +%s) + $3))
  while [ "$(date +%s)" -lt "$end" ]; do
    now="$(replicas)"
    if [ "$1" = exactly ]; then [ "$now" -eq "$2" ] && return 0; else [ "$now" -ge "$2" ] && return 0; fi
    sleep 5
  done
  echo "render has $(replicas) replicas after $3 s, wanted $1 $2" >&2
  return 1
}
until_replicas "at least" $((least + 1)) 300
echo "grown to $(replicas)"
until_replicas exactly "$least" 3600
echo ok
