//! Files as they come in, and definitions with the text and the canonical JSON they were read from.

use std::sync::Arc;

use model::Digest;
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use crate::{canonical, report::Report, tree::Node};

/// A file of a solution.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path in the solution, with `/` between the parts.
    pub path: SmolStr,
    /// What it holds.
    pub bytes: Arc<[u8]>,
}

impl SourceFile {
    /// A file of this text.
    pub fn new(path: impl Into<SmolStr>, text: impl AsRef<[u8]>) -> Self {
        Self { path: path.into(), bytes: text.as_ref().into() }
    }
}

/// A definition with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    /// The definition.
    pub value: T,
    /// Its file.
    pub file: SmolStr,
    /// The file's text, as it was written.
    pub text: Arc<str>,
    /// Its canonical JSON: what the store keeps and reads back.
    pub canonical: Arc<[u8]>,
    /// SHA-256 of the canonical JSON: two definitions with one digest are the same.
    pub digest: Digest,
}

impl<T> Sourced<T> {
    /// A definition that was just read from `tree`, while `report` took notes.
    pub(crate) fn new(value: T, report: &Report<'_>, tree: &Node) -> Self {
        let canonical = canonical::json(tree, &report.notes.borrow());
        let digest = digest(&canonical);
        Self { value, file: report.file.clone(), text: report.text.into(), canonical: canonical.into(), digest }
    }
}

/// SHA-256 of `bytes`.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}
