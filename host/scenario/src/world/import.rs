//! The line `import`: a table among the page's files, by the import file of the solution that names it.

use engine::{Failure, Imported as Row};
use formats::{ImportMap, import};
use model::Refusal;
use store::definitions::{self, Kind};

use super::{World, fault, port};
use crate::port::{Imported, No};

impl World {
    pub(super) fn import_table(&mut self, file: &str, entity: Option<&str>, key: Option<&str>) -> Result<Imported, No> {
        let bytes = self.files.get(file).ok_or_else(|| No::new("page", format!("the page has no file `{file}`")))?;
        let table =
            import::table(bytes, file).map_err(|problem| port::refused(&Refusal::BadSolution(vec![problem])))?;
        let map = match entity {
            None => self.map_of(file)?,
            Some(entity) => {
                let key = key
                    .map(str::parse)
                    .transpose()
                    .map_err(|problem: model::NameProblem| No::new("page", problem.to_string()))?;
                let mut map = ImportMap::by_headers(&*self.entity(entity)?);
                map.key = key;
                map
            }
        };
        let headers: Vec<&str> = table.headers.iter().map(String::as_str).collect();
        let mut told = Imported::default();
        for (number, row) in (1..).zip(&table.rows) {
            let cells: Vec<_> = headers.iter().copied().zip(row.iter().map(String::as_str)).collect();
            match self.engine().import_row(&self.caller(), &map, number, &cells) {
                Ok(Row::Created(_)) => told.created += 1,
                Ok(Row::Updated(_)) => told.updated += 1,
                Ok(Row::Unchanged(_)) => told.unchanged += 1,
                // The heading is line 1.
                Err(Failure::Refused(refusal)) => told.refused.push((number + 1, refusal.to_string())),
                Err(failure) => return Err(port::no(failure)),
            }
        }
        Ok(told)
    }

    /// The import file that lies beside the table and names it.
    fn map_of(&self, file: &str) -> Result<ImportMap, No> {
        let name = file.rsplit('/').next().unwrap_or(file);
        let all = definitions::all(&self.snapshot()?, Kind::Import).map_err(|error| fault(&error))?;
        for definition in all {
            let map = self.engine().import_map(&definition.name).map_err(port::no)?;
            if let Some(map) = map.filter(|map| map.file == name) {
                return Ok(map);
            }
        }
        Err(No::new("page", format!("no import file names `{name}`; give entity=E")))
    }
}
