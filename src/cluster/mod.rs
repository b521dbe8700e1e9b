//! The Kubernetes side of an apply.
//!
//! ```text
//! tree ─ Wanted ─┐
//! cluster ─ observe ─ Live, Inventory ─ probe (dry runs) ─ plan ─▶ ClusterPlan ─ apply ─▶ Report
//! ```
//!
//! [`plan()`] is a function of what is wanted, what is there, and what the server answered to dry
//! runs. Everything that is sent goes through [`Client`], which stops writing when it is told to.

mod apply;
mod barrier;
mod bind;
mod board;
mod client;
mod connect;
mod desired;
mod discovery;
pub mod field;
mod history;
mod identity;
mod inventory;
mod key;
mod lease;
mod object_plan;
mod observe;
mod payload;
mod permission;
mod plan;
mod present;
mod probe;
mod prune_plan;
pub mod readiness;
mod record;
mod report;
mod resource;
pub mod rotation;
mod run;
mod saved;
mod stage;
mod state;
mod stop;
mod stream;
mod survey;
mod wait;
mod work;
mod write;

pub use apply::{ApplyError, Run, apply};
pub use bind::{Asked, Missing, PeerBindings, Tokens, live_text};
pub use board::{Board, Phase};
pub use client::{ApplyOptions, Cause, Client, MANAGER, RequestError, Status};
pub use connect::{ConnectError, Connection, Kubeconfig, Proxies, connect, kubeconfig};
pub use desired::{Bindings, Desired, DesiredError, Files, FillError, Vault, Wanted, in_data};
pub use discovery::{RemoteCluster, istiods, synced};
pub use history::{Applied, History};
pub use identity::{Allowed, Claim, authority_of, stranger as check_stranger, token_of, unfit};
pub use inventory::{Entry, Inventory, InventoryError, NAMESPACE, Owner};
pub use key::{Key, Selection};
pub use lease::{Holder, Lease, LeaseError, Me};
pub use observe::{Kinds, Live, ObserveError, Records, applied_by, each, objects, records};
pub use payload::Payload;
pub use permission::missing;
pub use plan::{
    Action, Answer, ClusterPlan, Held, Options, Refusal, Step, View, bound_cluster, plan, settle,
};
pub use present::{changes, renews_token};
pub use record::{remove, write_history, write_inventory};
pub use report::{Event, Outcome, Report, Tell};
pub use resource::Resource;
pub use run::{Order, is_idle, order, run};
pub use saved::{Expected, ExpectedCluster, ExpectedStep};
pub use state::{GatewayState, Remark, State, is_sent};
pub use stop::{Stop, StopReason};
pub use stream::{Output, Pod};
pub use survey::{Member, Mesh, NETWORK_LABEL, Survey, Surveyed, gateway_of, survey};
pub use wait::{Look, WaitError, Waiter};
pub use write::is_installer;
