//! `meshgen verify`: what comes out of it, and what it finds in simulated clusters.

mod junit;
mod mesh;
mod sim;
mod writers;
