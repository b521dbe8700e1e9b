//! One test binary; a module per subject.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests set the stage"
)]

mod apply;
mod apply_faults;
mod bad;
mod bench;
mod bundle;
mod canary;
mod cli;
mod control_plane;
mod crash;
mod diff;
mod explain;
mod facts;
mod file;
mod fuzz;
mod gitops;
mod golden;
mod gotmpl;
mod helm;
mod history;
mod images;
mod init;
mod istio;
mod istio_conformance;
mod istioctl;
mod lock;
mod openssl;
mod page;
mod pki;
mod project;
mod pure;
mod readme;
mod registry;
mod remote;
mod remote_secret;
mod report;
mod rooms;
mod roots;
mod sample;
mod samples;
mod sign;
mod source;
mod store;
mod terraform;
mod testbed;
mod tool;
mod verify;
mod view;
mod yaml;
mod yaml_go;
