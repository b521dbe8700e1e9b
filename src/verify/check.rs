//! The table of checks: what each proves, what to do when it says no, and its story.

/// One check. Its id never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// `group.name`.
    pub id: &'static str,
    /// What is asked, in a few words.
    pub title: &'static str,
    /// What is known when it passes.
    pub proves: &'static str,
    /// What to do when it fails.
    pub hint: &'static str,
    /// How it is found out, what goes wrong without it, where the rule comes from.
    pub story: &'static str,
}

/// Groups in the order in which they are looked at: each leans on those before it.
pub const GROUPS: [&str; 7] = [
    "configuration",
    "infrastructure",
    "certificates",
    "control-plane",
    "discovery",
    "workloads",
    "traffic",
];

/// All checks, in order.
pub const CHECKS: &[Check] = &[
    Check {
        id: "configuration.clusters",
        title: "every cluster answers, and is the one that bears its name",
        proves: "what follows is about the clusters of this mesh",
        hint: "name the right contexts: `--context CLUSTER=CONTEXT`",
        story: "\
A kubeconfig's contexts are names that people choose, so two can be swapped. A cluster is known by
the UID that is pinned (`meshgen facts pin`), by its inventory, or by the CA of its facts. A cluster
that is another one, or that does not answer, was not looked at, and no verdict is given for it.",
    },
    Check {
        id: "configuration.objects",
        title: "every object is there, with the fields of the tree",
        proves: "each cluster holds what was reviewed, and a re-run of `meshgen apply` would write nothing",
        hint: "`meshgen plan` shows each difference, `meshgen apply` puts it right",
        story: "\
`istioctl verify-install` asked whether each object is there. This asks whether it is there as it was
reviewed: every field of the tree is compared with the live object, through a dry run where defaults
and webhooks have a say. Handed-over fields (istiod's caBundle) are left out, as in `meshgen plan`.
A check of traffic can pass for a while although a Gateway or a remote secret is gone, because pooled
connections outlive them; this one cannot.",
    },
    Check {
        id: "configuration.ready",
        title: "every object does its work",
        proves: "workloads of the mesh run, definitions are served, namespaces are not on their way out",
        hint: "`kubectl describe` the object that is named; `meshgen status` lists them too",
        story: "\
What `istioctl verify-install` asked of Deployments and DaemonSets is asked of every object of the
tree: gateways, node agents, CRDs, namespaces. istiod, load balancers and the sample have checks of
their own.",
    },
    Check {
        id: "configuration.network",
        title: "the namespace of istiod names the cluster's network",
        proves: "endpoints of the cluster are known to be in its network, so that others go through its gateway",
        hint: "`meshgen apply` puts the label back; then istiod needs no restart",
        story: "\
istiod takes the network of a cluster's endpoints from the label `topology.istio.io/network` of the
namespace istio-system in that cluster. `istioctl install` sets it only on a namespace that it
creates, so it is the most common mistake of multi-network meshes: endpoints without a network, or
with that of another cluster, are taken for directly reachable, and their traffic ends in time-outs.",
    },
    Check {
        id: "configuration.expose",
        title: "the east-west gateway of each network lets services through",
        proves: "each network has a Gateway with a TLS server in mode AUTO_PASSTHROUGH, whose selector takes gateway pods",
        hint: "`meshgen apply` brings the Gateway `cross-network-gateway` back",
        story: "\
A gateway pod without this Gateway listens on no port for other networks: connections to 15443 are
refused, while its Service has an address and its pods are ready. Connections that a client's proxy
holds already go on for 45 seconds of draining, so traffic may look well.",
    },
    Check {
        id: "infrastructure.addresses",
        title: "every load balancer has an address",
        proves: "the cloud has made what the Services of the tree ask for",
        hint: "`kubectl describe service` tells what the cloud's controller says: quotas, subnets, annotations",
        story: "\
A network whose gateway Service has no address counts as a network without a gateway: istiod then
gives the pod addresses of remote endpoints as they are, and clients send to addresses that they
cannot reach (istio#39930). Nothing else reports it.",
    },
    Check {
        id: "infrastructure.port",
        title: "the address of each east-west gateway answers on 15443 from where the others are",
        proves: "no security list, route or load balancer stands between a client of one network and the gateway of another",
        hint: "open the port from the other clusters' nodes: security lists, NSGs, peering, the load balancer's backends",
        story: "\
Tried from the sample's client pod of every cluster, to every address and port of the gateways of all
other networks: a TCP connection, then a TLS client hello with the service's server name. The request
is made in the container of the proxy, whose own traffic is not redirected; where that has no curl, in
the client's container, and then only if the mesh lets unknown traffic out (not with REGISTRY_ONLY).",
    },
    Check {
        id: "certificates.root",
        title: "`cacerts` of every cluster chains to the one root of the mesh",
        proves: "istiods that use it hand out certificates that the others' workloads take",
        hint: "`meshgen pki status`, then `meshgen apply`; istiod reads a changed root only when it starts",
        story: "\
The live Secret istio-system/cacerts of each cluster is read, its certificates alone: ca-cert.pem must
be signed by root-cert.pem, and that must be the root of the tree.",
    },
    Check {
        id: "certificates.handed-out",
        title: "istiod hands out that root",
        proves: "what workloads of every cluster are told to trust is the mesh's root",
        hint: "`kubectl -n istio-system rollout restart deployment/istiod`; an istiod that started before `cacerts` was there made a root of its own",
        story: "\
istiod writes the root that it uses into the ConfigMap istio-ca-root-cert of every namespace. When it
starts without `cacerts` it makes a root of its own, keeps it in the Secret istio-ca-secret, and does
not look again: both meshes work, and nothing crosses between them.",
    },
    Check {
        id: "certificates.used",
        title: "istiod uses that root",
        proves: "each istiod serves, and so signs, with a certificate of the mesh's root",
        hint: "`kubectl -n istio-system rollout restart deployment/istiod`",
        story: "\
The chain that each istiod pod serves on port 15012 is fetched through a port-forward and must lead to
the mesh's root. That is the root which it signs workload certificates with, whatever Secrets say.",
    },
    Check {
        id: "certificates.proxies",
        title: "the proxies of the sample's clients hold a certificate of that root and trust it",
        proves: "workloads that run already have moved to the root, not only istiod",
        hint: "restart the workloads that are named, once certificates.handed-out passes: a proxy takes another root when it starts",
        story: "\
Asked of the proxy itself (`config_dump?resource=dynamic_active_secrets`): the certificate `default`
must chain to the mesh's root, and `ROOTCA` must hold it.",
    },
    Check {
        id: "certificates.expiry",
        title: "no certificate has ended or ends soon",
        proves: "root, intermediates, istiod's and the clients' certificates are in date, for 30 more days where people renew them",
        hint: "`meshgen pki rotate CLUSTER`, `meshgen render`, `meshgen apply`",
        story: "\
An intermediate that ends takes the cluster's whole mesh down, because istiod can sign nothing more.
A warning comes 30 days before. Certificates that istiod renews by itself need only be in date.",
    },
    Check {
        id: "control-plane.istiod",
        title: "istiod is ready in every cluster",
        proves: "at least one pod of istiod serves, and all that are wanted are ready",
        hint: "`kubectl -n istio-system describe deployment/istiod`",
        story: "\
Proxies that are connected go on without istiod, with what they know: a mesh without it looks well
until a pod moves or a certificate ends, some hours later.",
    },
    Check {
        id: "control-plane.injector",
        title: "the injector answers",
        proves: "a new pod of an injected namespace gets its proxy",
        hint: "`meshgen apply`; then `kubectl get mutatingwebhookconfigurations` and istiod's log",
        story: "\
A pod is made by a dry run in a namespace of the sample, with no label of its own, as a Deployment
would make it: it must come back with the container istio-proxy. Nothing is written.",
    },
    Check {
        id: "control-plane.webhook-ca",
        title: "the webhooks trust the istiod that serves them",
        proves: "the API server can call the injector and the validator",
        hint: "restart istiod: it writes caBundle when it starts and when its root changes",
        story: "\
istiod writes its root into clientConfig.caBundle of its webhooks. One that holds another root makes
every creation of an injected pod fail (failurePolicy Fail), or leaves pods without proxies.",
    },
    Check {
        id: "control-plane.validator",
        title: "the validator `istiod-default-validator` is there",
        proves: "Istio's own objects are checked before they are stored",
        hint: "set `values.defaultRevision` (the tree's IstioOperator has it), `meshgen render`, `meshgen apply`",
        story: "\
`istioctl install` adds it after all else, `istioctl manifest generate` only with
values.defaultRevision. Without it a Gateway with a mistake is stored, and rejected by the proxies.",
    },
    Check {
        id: "control-plane.version",
        title: "istiods run the version of the tree",
        proves: "the pods of each istiod, not only its Deployment, run the image that was reviewed",
        hint: "wait for the rollout, or look why it stands: `kubectl -n istio-system rollout status deployment/istiod`",
        story: "\
The images of istiod's ready pods are compared with the Deployment of the tree.",
    },
    Check {
        id: "control-plane.proxies",
        title: "no workload's proxy is older than istiod",
        proves: "data plane and control plane are in step",
        hint: "restart the workloads that are named; an apply does not, because injected pods change only when they are made anew",
        story: "\
The image of istio-proxy of every pod is compared with the one that the injector would put in now.
Istio supports proxies that are two minor versions behind, so this is a warning.",
    },
    Check {
        id: "discovery.clusters",
        title: "every istiod has synced every remote cluster",
        proves: "each istiod pod reads the endpoints of all clusters of the mesh",
        hint: "`meshgen apply` brings a missing remote secret; `meshgen pki rotate-tokens CLUSTER` a token that is no longer taken",
        story: "\
Each istiod pod is asked by itself (/debug/clusterz, through a port-forward): every other cluster must
be there, as synced. One that times out has a wrong address, a CA that does not fit, a token that was
revoked, or no route to the API server. istiod is ready all the same, after 30 seconds.",
    },
    Check {
        id: "discovery.tokens",
        title: "every cluster takes the tokens that its peers have of it",
        proves: "istiods of other clusters will still be let in when they connect anew",
        hint: "`meshgen apply` gives peers the token that is there now; `meshgen pki rotate-tokens CLUSTER` makes a new one",
        story: "\
The token in each live remote secret is shown to the API server that it is for (a TokenReview, which
changes nothing). istiod goes on with connections that it has, so one whose token was revoked or has
expired still says `synced`, and loses the cluster when it restarts or its watches end.",
    },
    Check {
        id: "discovery.networks",
        title: "every istiod knows the gateway of every network, with the right address",
        proves: "endpoints of other networks are replaced by addresses where their gateways are",
        hint: "look at the Service with label `topology.istio.io/network` in the cluster that is named, and at infrastructure.addresses",
        story: "\
/debug/networkz of each istiod pod is compared with the addresses of the Services that are gateways.",
    },
    Check {
        id: "workloads.ready",
        title: "the sample's pods are ready",
        proves: "there is a client in every cluster, and every version is served where the tree puts it",
        hint: "`kubectl -n sample get pods`, then `kubectl describe` of the one that waits",
        story: "\
Pods of the stage 70-samples: the Deployments of the tree must have all their replicas.",
    },
    Check {
        id: "workloads.sidecar",
        title: "the sample's pods have a proxy",
        proves: "they are part of the mesh",
        hint: "label the namespace as the tree has it (`meshgen apply`), then restart the pods",
        story: "\
A pod that was made while injection was off, or before istiod was there, has none, and stays so. Other
clusters then leave its endpoint out: across networks only endpoints with mutual TLS are used.",
    },
    Check {
        id: "traffic.answers",
        title: "every request is answered",
        proves: "no client of any cluster gets an error from the sample service",
        hint: "see the evidence: the first hop that fails is named",
        story: "\
From the client pod of every cluster, requests to the sample service, one after the other, each a new
connection to the client's proxy; after ten without any answer no more are sent. A failure is looked
into hop by hop: name, endpoints that the client's proxy has, the gateways' addresses, roots, servers.
Proxies try another endpoint when one fails, so that a break between clusters seldom shows
here: it shows in traffic.versions.",
    },
    Check {
        id: "traffic.versions",
        title: "every version is seen from every cluster",
        proves: "each ordered pair of clusters is connected: one mesh",
        hint: "see the evidence: the first hop that fails is named",
        story: "\
The verdict of each pair: the client's cluster has seen answers of pods in the other. Where locality
settings keep traffic near (the client's proxy has endpoints of several priorities), what is far is
not expected, and is said; so with a DestinationRule that keeps a client to one endpoint.",
    },
    Check {
        id: "traffic.share",
        title: "each version gets its share",
        proves: "load spreads as the ready endpoints do",
        hint: "fewer than expected: an endpoint fails now and then, or a gateway does; look at the servers and at `--fresh`",
        story: "\
Answers are counted by cluster and compared with the share of ready endpoints there. The tolerance is
that of a binomial distribution at 99.99 %, shared out among all that is compared: chance alone fails
one run in ten thousand.",
    },
];

/// The check of an id.
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

impl Check {
    /// The group that it belongs to.
    pub fn group(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(group, _)| group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_of_a_group() {
        let mut groups = Vec::new();
        for (at, check) in CHECKS.iter().enumerate() {
            assert!(CHECKS[..at].iter().all(|other| other.id != check.id), "{}", check.id);
            if groups.last() != Some(&check.group()) {
                groups.push(check.group());
            }
        }
        assert_eq!(groups, GROUPS);
    }
}
