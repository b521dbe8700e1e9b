//! `meshgen verify`: what comes out of it, and what it finds in simulated clusters.

mod junit;
mod mesh;
mod scale;
mod sim;
mod stream;
mod writers;
