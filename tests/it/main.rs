//! One binary for every test that is no page: a second one would link the whole house again.

mod cli;
mod clients;
mod conformance;
mod crash;
mod docs;
mod http;
mod languages;
mod libraries;
mod mail;
mod offline;
mod oidc;
mod people;
mod poison;
mod refusals;
mod released;
mod signin;
mod snapshots;
mod supply;
mod tester;
mod tidy;
