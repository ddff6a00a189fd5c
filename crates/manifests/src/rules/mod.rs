//! The rules over rendered manifests, a file for each thing that they are about.

mod accounts;
mod budgets;
mod cluster;
mod identity;
pub mod images;
mod keda;
mod labels;
mod migrations;
mod network;
mod placement;
mod probes;
mod references;
mod resources;
mod rollout;
mod scaling;
mod scratch;
pub mod secrets;
mod services;
pub mod settings;
mod stopping;
mod telemetry;

use crate::{facts::Facts, finding::Finding, overlay::Overlay};

/// What has to hold of every overlay.
pub struct Rule {
    /// Its name, which findings carry.
    pub name: &'static str,
    /// What holds, in a sentence.
    pub holds: &'static str,
    check: fn(&'static str, &Overlay, &Facts) -> Vec<Finding>,
}

impl Rule {
    /// What does not hold.
    #[must_use]
    pub fn check(&self, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
        (self.check)(self.name, overlay, facts)
    }
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule {
        name: "namespace",
        holds: "everything is in the one namespace, so nothing is made that belongs to the cluster",
        check: labels::namespace,
    },
    Rule { name: "kinds", holds: "everything is of a kind whose schema is known", check: labels::kinds },
    Rule {
        name: "labels",
        holds: "everything says what it is part of, and pods what they are",
        check: labels::labels,
    },
    Rule {
        name: "pod-security",
        holds: "pods meet the restricted pod security standard",
        check: identity::pod_security,
    },
    Rule {
        name: "read-only-root",
        holds: "root file systems are read-only and volumes are of the harmless kinds",
        check: identity::file_systems,
    },
    Rule {
        name: "accounts",
        holds: "pods run under an account of their own and have no token for the cluster's API",
        check: accounts::accounts,
    },
    Rule {
        name: "resources",
        holds: "each container asks for processors, memory and disk and has a limit for them",
        check: resources::present,
    },
    Rule {
        name: "measured-memory",
        holds: "processes ask for the memory that was measured, and may have twice as much or a peak's",
        check: resources::measured,
    },
    Rule {
        name: "scratch",
        holds: "scratch volumes have a size that the limit of disk covers, and processes have one at /tmp and stay below it",
        check: scratch::scratch,
    },
    Rule {
        name: "probes",
        holds: "servers are probed for having started, being ready and living, each by what it means",
        check: probes::probes,
    },
    Rule {
        name: "stopping",
        holds: "services work until callers forget their names, and pods have longer to stop than they take",
        check: stopping::stopping,
    },
    Rule {
        name: "budgets",
        holds: "each server has a disruption budget that lets nodes be drained",
        check: budgets::budgets,
    },
    Rule { name: "spread", holds: "replicas are spread over zones and machines", check: placement::spread },
    Rule { name: "priorities", holds: "each pod has one of our priorities", check: placement::priorities },
    Rule {
        name: "scaling",
        holds: "each process is scaled between a least and a most, down one by one, and by nobody else",
        check: scaling::scaling,
    },
    Rule {
        name: "scaled-by-work",
        holds: "what KEDA asks for is a metric of the service itself, and no answer takes nothing away",
        check: keda::scaled,
    },
    Rule {
        name: "telling",
        holds: "every process tells a collector that is there what it does, and which pod it is",
        check: telemetry::telling,
    },
    Rule { name: "maps", holds: "no map is too large to be applied", check: telemetry::maps },
    Rule {
        name: "retention",
        holds: "Prometheus forgets before its volume is full",
        check: telemetry::retention,
    },
    Rule {
        name: "rollout",
        holds: "a new version takes over, and is known to its callers, before the old one goes",
        check: rollout::rollout,
    },
    Rule {
        name: "services",
        holds: "each server has a service that finds its pods and a port of theirs",
        check: services::services,
    },
    Rule {
        name: "images",
        holds: "images are pinned, and a migration is of its service's own image",
        check: images::images,
    },
    Rule {
        name: "secrets",
        holds: "secrets are referred to, mounted read-only, and told in the guide",
        check: secrets::secrets,
    },
    Rule {
        name: "owner-role",
        holds: "only migrations have the role that owns a schema, and only their own",
        check: secrets::owner_role,
    },
    Rule {
        name: "settings-known",
        holds: "every variable is a setting of the process that gets it",
        check: settings::known,
    },
    Rule {
        name: "settings-complete",
        holds: "every process has the settings that it needs to start",
        check: settings::complete,
    },
    Rule {
        name: "migrations",
        holds: "each service with a database has a migration job that may run again and ends",
        check: migrations::migrations,
    },
    Rule { name: "references", holds: "what is referred to is there", check: references::references },
    Rule {
        name: "default-deny",
        holds: "nothing may connect unless a policy says so",
        check: network::default_deny,
    },
    Rule {
        name: "network",
        holds: "the policies let through exactly the declared edges",
        check: network::edges,
    },
    Rule {
        name: "internet",
        holds: "the internet is reached by those that need it, on 443, never a private range",
        check: network::internet,
    },
];

/// What has to hold of what belongs to the cluster.
pub const CLUSTER_RULES: &[Rule] = &[
    Rule {
        name: "cluster-scope",
        holds: "what is applied for the whole cluster has no namespace, and says what it is part of",
        check: cluster::scope,
    },
    Rule {
        name: "cluster-namespace",
        holds: "the namespace lets in only pods of the restricted standard",
        check: cluster::namespace,
    },
    Rule {
        name: "cluster-priorities",
        holds: "stores go before services, workers and what watches, and nobody takes a running pod's place",
        check: cluster::priorities,
    },
];

/// Holds what belongs to the cluster to all rules over it.
#[must_use]
pub fn check_cluster(facts: &Facts) -> Vec<Finding> {
    CLUSTER_RULES.iter().flat_map(|rule| rule.check(&facts.cluster, facts)).collect()
}

/// Holds an overlay to all rules.
#[must_use]
pub fn check(overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule.check(overlay, facts)).collect()
}
