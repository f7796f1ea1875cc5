//! The pool's rules, one by one: each place where a port of io-wq goes wrong is a test here.

mod accounting;
mod bench;
mod exit;
mod hash;
mod idle;
mod race;
mod reservation;
mod view;
mod wake;
