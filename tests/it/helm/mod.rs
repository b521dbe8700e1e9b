//! Charts and their functions, judged by Helm's own packages.

mod chart;
mod command;
mod function;
mod set;
mod yaml;
