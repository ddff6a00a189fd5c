#!/bin/sh
# No request fails while every service is restarted, one after the other. Not run yet: needs a cluster.
set -eu

namespace="${NAMESPACE:-filmstrip}"
job="rollout-load"

# The load runs inside the cluster, as callers do; a request that is not answered 200 is written down. The network is closed to
# what is not declared, so it brings its own edge and takes it away again.
kubectl -n "$namespace" delete pod "$job" --ignore-not-found --wait
kubectl -n "$namespace" apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $job-out}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: $job}}
  policyTypes: [Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: gateway}}}]
    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $job-in}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: gateway}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/name: $job}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: $job, labels: {app.kubernetes.io/name: $job}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: load
      image: curlimages/curl:8.16.0
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      command:
        - sh
        - -c
        - |
          while :; do
            code=\$(curl -s -o /dev/null -m 10 -w '%{http_code}' http://gateway:4000/readyz)
            [ "\$code" = 200 ] || echo "failed \$code"
            sleep 0.05
          done
YAML
trap 'kubectl -n "$namespace" delete --ignore-not-found --wait=false "pod/$job" "networkpolicy/$job-out" "networkpolicy/$job-in" >/dev/null' EXIT
kubectl -n "$namespace" wait --for=condition=Ready "pod/$job" --timeout=120s

for service in asset render stitch audio job gateway; do
  echo "restarting $service"
  kubectl -n "$namespace" rollout restart "deployment/$service"
  kubectl -n "$namespace" rollout status "deployment/$service" --timeout=600s
done

failed="$(kubectl -n "$namespace" logs "$job" | grep -c '^failed' || true)"
if [ "$failed" != 0 ]; then
  echo "$failed requests failed:" >&2
  kubectl -n "$namespace" logs "$job" | sort | uniq -c >&2
  exit 1
fi
echo ok
