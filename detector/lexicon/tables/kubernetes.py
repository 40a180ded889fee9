"""Kubernetes and what is installed in it: kubectl, helm, velero, etcdctl, argocd."""

# ruff: noqa: E501 - a row is read in one piece

from __future__ import annotations

from detector.lexicon.usage import uses
from detector.records import Does

_GONE = Does.DELETE | Does.IRREVERSIBLE

USAGES = (
    *uses(
        "delete-widely", Does.DELETE | Does.BROAD, "deletes cluster objects widely by a command",
        ("kubectl delete --all|-A|-l|--selector|--all-namespaces", "kubectl delete all --all -n shop", "kubectl delete pod a"),
        ("kubectl delete -f|--filename|-k=http*", "kubectl delete -f https://a.example/e.yaml", "kubectl delete -f app.yaml"),
        ("kubectl apply --prune", "kubectl apply -f m --prune --all", "kubectl apply -f m"),
        ("kubectl drain --force|--delete-emptydir-data|--delete-local-data", "kubectl drain n --delete-emptydir-data", "kubectl drain n"),
        ("kubectl delete crd|crds|customresourcedefinition|customresourcedefinitions|crd/*", "kubectl delete crd a.b", "kubectl get crd"),
        ("kubectl delete *,*", "kubectl delete deploy,sts -l app=a", "kubectl delete deploy a"),
        ("argocd app|appset|cluster|proj delete|rm|terminate-op", "argocd app delete a --cascade --yes", "argocd app list"),
        ("flux delete|uninstall", "flux uninstall", "flux get all"),
    ),
    *uses(
        "delete-volume", _GONE, "deletes a volume by a command",
        ("kubectl delete pvc/*|pv/*|pvc|pv|*pvc*", "kubectl delete pvc data-0", "kubectl get pvc"),
    ),
    *uses("scale-all", Does.WRITE | Does.BROAD, "scales everything", ("kubectl scale --all|-A|-l", "kubectl scale deploy --all --replicas=0", "kubectl scale deploy a --replicas=0")),
    *uses(
        "replace-by-force", Does.WRITE | Does.DELETE, "deletes and makes anew by a command",
        ("kubectl replace --force", "kubectl replace --force -f a.yaml", "kubectl replace -f a.yaml"),

    ),
    *uses(
        "drop-protection", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
        ("kubectl patch|edit|annotate -p|--patch=*reclaimpolicy*delete*", "kubectl patch pv a -p {persistentVolumeReclaimPolicy:Delete}", "kubectl patch pv a -p {persistentVolumeReclaimPolicy:Retain}"),
        ("kubectl patch -p|--patch=*finalizers*null*|*finalizers*[[]]*|*remove*finalizers*|*finalizers*remove*", "kubectl patch pvc a -p {finalizers:null}", "kubectl patch pvc a -p {labels:null}"),
        ("kubectl label *pod-security.kubernetes.io*privileged", "kubectl label ns a pod-security.kubernetes.io/enforce=privileged", "kubectl label ns a team=b"),
        ("kubectl delete networkpolicy/*|pdb/*", "kubectl delete pdb/a", "kubectl get pdb/a"),
        ("helm --no-hooks|--skip-schema-validation|--disable-openapi-validation", "helm uninstall a --no-hooks", "helm uninstall a"),
        ("istioctl|linkerd uninstall", "linkerd uninstall", "linkerd check"),
    ),
    *uses(
        "delete-backup", _GONE | Does.BACKUP, "deletes a backup by a command",
        ("velero backup|restore|schedule|backup-location delete", "velero backup delete --all --confirm", "velero backup get"),
        ("velero delete backup|backups|schedule|schedules", "velero delete backup a", "velero get backups"),
    ),
    *uses(
        "drop-backups", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups or versions off by a command",
        ("velero schedule pause|delete", "velero schedule pause nightly", "velero schedule get"),
        ("velero uninstall", "velero uninstall", "velero version"),
    ),
    *uses("suspend-backups", Does.WRITE | Does.BACKUP | Does.SAFEGUARD, "turns backups or versions off by a command",
          ("kubectl patch|scale|edit *backup*|*snapshot* -p|--patch=*suspend*true*", "kubectl patch cronjob pg-backup -p {suspend:true}", "kubectl patch cronjob pg-backup -p {suspend:false}"),
          ("kubectl delete cronjob *backup*|*snapshot*", "kubectl delete cronjob pg-backup", "kubectl delete cronjob report")),
    *uses(
        "read-vault", Does.READ | Does.OPEN_CREDENTIAL, "reads a secret from where secrets are kept by a command",
        ("kubectl get secret|secrets|secret/*|secrets/* -o|--output|--template=yaml|json|*jsonpath*|go-template*|*data*", "kubectl get secret a -o yaml", "kubectl get secrets"),
        ("kubectl config view --raw", "kubectl config view --raw", "kubectl config view"),
        ("kubectl create token", "kubectl create token a", "kubectl create deploy a"),
        ("kubectl describe secret --show-secrets", "kubectl describe secret a --show-secrets", "kubectl describe secret a"),
        ("helm get values|all|manifest --all|-a", "helm get values a --all", "helm list"),
    ),
    *uses(
        "assume-role", Does.ESCALATE, "takes on more authority by a command",
        ("kubectl debug node/*", "kubectl debug node/a -it --image=b", "kubectl debug pod/a"),
        ("kubectl debug --profile=sysadmin|netadmin", "kubectl debug a --profile=sysadmin", "kubectl debug a"),
        ("kubectl run|create --overrides=*privileged*|*hostpid*|*hostnetwork*|*hostpath*", "kubectl run x --image=a --overrides={hostPID:true}", "kubectl run x --image=a"),
        ("kubectl run --privileged", "kubectl run x --image=a --privileged", "kubectl run x --image=a"),
    ),
    *uses(
        "grant-access", Does.WRITE | Does.GRANT, "grants access by a command",
        ("kubectl create|apply|set clusterrolebinding|rolebinding|subject", "kubectl create clusterrolebinding a --clusterrole=b", "kubectl get clusterrolebinding"),
        ("kubectl adm policy", "oc adm policy add-cluster-role-to-user cluster-admin a", "oc adm top nodes"),
    ),
    *uses(
        "wait", Does.WAIT, "waits by a command", ("kubectl wait", "kubectl wait --for=delete pod/a", "kubectl get pod"),
        without=Does.DELETE | Does.WRITE,
    ),
    *uses(
        "delete-database", _GONE | Does.BROAD, "deletes a database by a command",
        ("etcdctl del --prefix|--from-key", "etcdctl del a --prefix", "etcdctl get a --prefix"),
        ("etcdctl snapshot restore", "etcdctl snapshot restore a.db", "etcdctl snapshot save a.db"),
        ("consul kv delete -r|--recurse", "consul kv delete --recurse a", "consul kv get a"),
    ),
    *uses(
        "delete-environment-here", Does.DELETE, "deletes a cluster on this machine by a command",
        ("kind|k3d|minikube|colima delete", "kind delete cluster --name a", "kind get clusters"),
        ("k3d cluster delete", "k3d cluster delete a", "k3d cluster list"),
        ("kubectl config delete-context|delete-cluster|delete-user|unset", "kubectl config delete-context a", "kubectl config get-contexts"),
        without=Does.IRREVERSIBLE | Does.BROAD | Does.AUDIT,
    ),
    *uses(
        "ask-rights", Does.READ, "asks what it may do by a command", ("kubectl auth can-i|whoami", "kubectl auth can-i delete pods", "kubectl auth reconcile -f a"),
        without=Does.DELETE | Does.WRITE | Does.GRANT | Does.EXECUTE,
    ),
    *uses(
        "uninstall-widely", Does.DELETE | Does.BROAD, "removes all releases by a command",
        ("helmfile destroy|delete", "helmfile destroy", "helmfile diff"),
    ),
    *uses("stop-guards", Does.WRITE | Does.SAFEGUARD, "takes a protection off something by a command",
          ("kubectl scale|delete|patch *gatekeeper*|*kyverno*|*falco*|*opa-*|*policy-controller*|*admission*|*network-policy*", "kubectl scale deploy/gatekeeper --replicas=0", "kubectl scale deploy/api --replicas=0"),
          ("kubectl delete limitrange|limitranges|podsecuritypolicy|psp|networkpolicies|mutatingwebhookconfigurations|validatingwebhookconfigurations|validatingadmissionpolicy", "kubectl delete limitrange a", "kubectl get limitrange a"),
          ("helm uninstall|delete *gatekeeper*|*kyverno*|*falco*|*cert-manager*", "helm uninstall kyverno", "helm uninstall web")),
    *uses("stop-logs", Does.WRITE | Does.AUDIT, "stops an audit trail by a command",
          ("kubectl scale|delete|patch *fluent*|*promtail*|*vector*|*loki*|*audit*|*otel*|*filebeat*|*datadog*", "kubectl delete ds fluent-bit", "kubectl delete ds web")),
    *uses("grant-more", Does.WRITE | Does.GRANT, "grants access by a command", ("kubectl certificate approve", "kubectl certificate approve a", "kubectl certificate deny a"), ("kubectl auth reconcile", "kubectl auth reconcile -f a", "kubectl auth can-i get a"),
          ("kubectl edit|patch|apply clusterrole|clusterrolebinding|rolebinding|role", "kubectl edit clusterrolebinding a", "kubectl get clusterrolebinding a")),
    *uses("reset-cluster", _GONE | Does.BROAD, "takes a cluster apart by a command",
          ("kubeadm reset", "kubeadm reset -f", "kubeadm init"), ("k3s-uninstall.sh|k3s-killall.sh|rke2-uninstall.sh", "k3s-uninstall.sh", "k3s"), ("talosctl reset", "talosctl reset", "talosctl health"),
          ("nomad system gc", "nomad system gc", "nomad status"), ("nomad job stop -purge", "nomad job stop -purge a", "nomad job status a"), ("rancher|rke remove|rm", "rke remove --force", "rke up")),
    *uses("send-files", Does.READ, "copies files of a pod", ("kubectl cp", "kubectl cp a:/b c", "kubectl get pods")),
    *uses("restore-over", _GONE | Does.WRITE, "restores a database over what is there", ("consul|vault|etcdctl snapshot restore", "consul snapshot restore a.snap", "consul snapshot save a.snap"), ("vault operator raft snapshot restore", "vault operator raft snapshot restore a", "vault operator raft snapshot save a")),
)  # fmt: skip
