//! A component looked at piece by piece, for conformance: what an install says in one answer, each finding by itself.

use model::{
    package::Manifest,
    step::{Installed, PackageProblem},
};
use wasmtime::component::types::ComponentItem;

use super::{Package, Workshop, described, digest};
use crate::{inspect, manifest};

/// What can be told of a component.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// The interfaces that it imports, with their functions.
    pub imports: Vec<Import>,
    /// The interfaces that it exports, with their versions.
    pub exports: Vec<String>,
    /// Why it cannot run here at all.
    pub outside: Vec<String>,
    /// What `describe` gave, in two fresh instances.
    pub documents: Vec<Result<Vec<u8>, String>>,
    /// What the first of them says, read.
    pub manifest: Option<Result<Manifest, Vec<String>>>,
    /// How it is called, where it can be.
    pub installed: Option<Installed>,
}

/// An interface that a component imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// With its version: `stepwise:plugin/records@1.0.0`.
    pub interface: String,
    /// Those that the component names.
    pub functions: Vec<String>,
}

impl Workshop<'_> {
    /// Looks at a component. What can be called comes back beside what was found.
    pub fn examine(&self, component: &[u8]) -> (Examination, Option<Package>) {
        let exports = inspect::names(component).map(|(_, exports)| exports).unwrap_or_default();
        let mut found = Examination { exports, ..Examination::default() };
        let linked = match inspect::outside(component) {
            Err(sentences) => Err(PackageProblem { sentences }),
            Ok(()) => self.compiled(component, digest(component)).and_then(|compiled| {
                found.imports = self.imports(&compiled);
                inspect::functions(&compiled, self.engine).map_err(|sentences| PackageProblem { sentences })?;
                self.linked(&compiled)
            }),
        };
        let package = match linked {
            Ok(package) => package,
            Err(problem) => {
                found.outside = problem.sentences;
                return (found, None);
            }
        };
        found.documents = (0..2).map(|_| self.describe(&package).map_err(|problem| problem.to_string())).collect();
        let Some(Ok(document)) = found.documents.first().cloned() else { return (found, None) };
        found.manifest = Some(manifest::read(&document));
        let Some(Ok(manifest)) = found.manifest.clone() else { return (found, None) };
        found.installed = Some(Installed { digest: digest(component), manifest });
        (found, described(package, &document).ok())
    }

    fn imports(&self, component: &wasmtime::component::Component) -> Vec<Import> {
        let imports = component.component_type();
        let interfaces = imports.imports(self.engine).filter_map(|(name, import)| {
            let ComponentItem::ComponentInstance(instance) = import.ty else { return None };
            let functions = instance.exports(self.engine).filter_map(|(function, item)| {
                matches!(item.ty, ComponentItem::ComponentFunc(_)).then(|| function.to_owned())
            });
            Some(Import { interface: name.to_owned(), functions: functions.collect() })
        });
        interfaces.collect()
    }
}
