//! The token of a cluster's reader made anew, without a moment in which a peer has none.
//!
//! A token that was copied works as long as its Secret is there, and a peer whose token works no more
//! loses sight of the cluster. A Secret that is made anew would have the same token again where servers
//! sign with RSA: only another account of the name ends what was copied. So a second account with a
//! Secret stands in for the first, bound to what that is bound to:
//!
//! ```text
//!                      the tree's own     the second       readers have
//!   begin              old                made, filled     old
//!   spread             old                ·                old ─▶ second   wait until istiods took it
//!   renew              deleted with its   ·                second
//!                      account, made
//!   return             new                ·                second ─▶ new   wait until istiods took it
//!   end                new                deleted, and its account and bindings
//! ```
//!
//! Where a rotation stands is read from the clusters alone ([`State`]): the second Secret says which
//! Secret and which account it stands in for, by UID, and readers are compared with both tokens by digest. So a run that
//! was killed anywhere is gone on with by the next, whoever starts it. At each instant the token that a
//! reader has is that of a Secret that is there. What stands in is in the inventory before it is
//! made. An apply in between puts the own token out, which works at each instant at which it is there,
//! and keeps what stands in, which it takes for what it is ([`is_second`]).

mod account;
mod check;
mod delivery;
mod proof;
mod run;
mod state;
mod told;

use std::sync::Arc;
use std::time::Duration;

pub use check::{Found, look};
pub use run::rotate;
pub use state::{Phase, Reader, State, Subject, is_second};

use super::lease::Me;
use super::report::Tell;
use super::survey::Mesh;

/// What rotations of one run share.
#[derive(Clone)]
pub struct Rotation {
    /// The clusters, and what the tree wants of them.
    pub mesh: Arc<Mesh>,
    /// The members that take part, by their place: whose tokens are made anew, and who reads them.
    pub members: Vec<usize>,
    /// Who rotates.
    pub me: Me,
    /// The most that one wait may take.
    pub timeout: Duration,
    /// Who is told.
    pub tell: Tell,
    /// Istiods are not asked: so long is waited after each change instead.
    pub unseen: Option<Duration>,
    /// The cluster that is retired and had the tokens: a rotation that was begun for another reason
    /// is ended, and is not enough.
    pub retired: Option<String>,
    /// No rotation that was begun before this run is enough.
    pub distrusts: bool,
}
