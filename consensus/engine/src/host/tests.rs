//! The host over a chain that is a script: no clock, no disk, no engine.

mod flood;
mod pace;
mod rounds;
mod script;
mod time;
