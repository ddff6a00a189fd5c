#!/bin/sh
# Every workload is admitted where pod security `restricted` is enforced. Not run yet: needs a cluster.
set -eu

overlay="${1:-k8s/overlays/prod}"
namespace="${NAMESPACE:-filmstrip}"

enforced="$(kubectl get namespace "$namespace" -o jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}')"
if [ "$enforced" != "restricted" ]; then
  echo "namespace $namespace enforces \"$enforced\", not \"restricted\": apply k8s/cluster first" >&2
  exit 1
fi

# The server's own admission says what it would refuse; Deployments and Jobs only warn, so warnings count.
warnings="$(kubectl kustomize "$overlay" | kubectl apply --dry-run=server -f - 2>&1 >/dev/null | grep -i 'would violate PodSecurity' || true)"
if [ -n "$warnings" ]; then
  echo "$warnings" >&2
  exit 1
fi

stopped="$(kubectl -n "$namespace" get events --field-selector reason=FailedCreate -o custom-columns=M:.message --no-headers | grep -i 'PodSecurity' || true)"
if [ -n "$stopped" ]; then
  echo "$stopped" >&2
  exit 1
fi
echo ok
