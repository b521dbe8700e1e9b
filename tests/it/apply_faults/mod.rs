//! `meshgen apply` under fire: killed at its writes, through a failing network, beside others.
//!
//! Two clusters on two networks, about twenty objects each, behind a [`Proxy`] each. The tree pins no
//! charts: the test itself puts there what `istioctl install` would (namespaces, the definition of
//! Gateways, a ready istiod, the reader's account, a gateway's Service), and bystanders that nobody
//! may touch. So a cluster is made "empty" by deleting the tree's objects and meshgen's records,
//! which takes a tenth of a second, and no test waits for namespaces to end.

mod bed;
mod changes;
mod fault;
mod finalizer;
mod furniture;
mod interrupt;
mod kill;
mod random;
mod retire;
mod tree;
mod two;
