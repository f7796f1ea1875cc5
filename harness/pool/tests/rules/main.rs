//! The pool's rules, one by one: each place where a port of io-wq goes wrong is a test here.

mod bench;
mod books;
mod credit;
mod exit;
mod hash;
mod idle;
mod race;
mod wake;
