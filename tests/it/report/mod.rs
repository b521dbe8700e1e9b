//! `meshgen report`: what the page says, how it is made, and what a browser makes of it.

mod browser;
mod command;
mod markup;
mod picture;
mod sample;
mod words;
