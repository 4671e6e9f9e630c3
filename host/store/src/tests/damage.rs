//! Files that are corrupt, cut off, or of another program (R4): an answer that names the file, never a panic.

use std::{fs, path::PathBuf};

use redb::{Database, TableDefinition};

use super::{open, options};
use crate::{
    Batch, Disk, Error, Range, Seq, Store,
    disk::FORMAT_VERSION,
    suite::{Faulty, write},
};

/// A store with some hundred rows.
fn store() -> Vec<u8> {
    let storage = Faulty::default();
    let store = super::disk(&storage);
    for number in 0..200u32 {
        let mut batch = Batch::new(Seq(0));
        batch.put(number.wrapping_mul(2_654_435_761).to_be_bytes(), &[7; 90][..]);
        store.commit(batch).expect("commit");
    }
    drop(store);
    storage.bytes()
}

/// Opens and reads everything: any answer will do, if it is one and names the file.
fn survive(bytes: Vec<u8>, words: &str) -> Result<usize, Error> {
    let outcome = open(&Faulty::of(bytes)).and_then(|store| {
        let snapshot = store.snapshot()?;
        let rows = snapshot.scan(&Range::prefix(b""))?.collect::<Result<Vec<_>, _>>()?;
        for number in (0..200u32).step_by(9) {
            snapshot.get(&number.wrapping_mul(2_654_435_761).to_be_bytes())?;
        }
        let mut batch = Batch::new(Seq(0));
        batch.put(&b"more"[..], &b"rows"[..]);
        store.commit(batch)?;
        Ok(rows.len())
    });
    if let Err(error) = &outcome {
        let text = error.to_string();
        let named = text.contains("test.store") || matches!(error, Error::Unavailable { .. });
        assert!(named, "{words}: `{text}` does not name the file");
    }
    outcome
}

#[test]
fn a_file_that_ends_too_early_is_told() {
    let whole = store();
    assert_eq!(survive(whole.clone(), "whole").expect("the whole file is a store"), 200);
    let mut told = 0;
    for part in 1..40 {
        let mut bytes = whole.clone();
        bytes.truncate(whole.len() * part / 40);
        told += usize::from(survive(bytes, &format!("{part} of 40 parts")).is_err());
    }
    assert!(told >= 30, "{told} of 39 were told");
}

#[test]
fn flipped_bytes_are_an_answer() {
    let whole = store();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    for round in 0..150 {
        let mut bytes = whole.clone();
        // The first pages carry the header and the roots.
        let reach = if round % 3 == 0 { 8_192 } else { bytes.len() };
        for _ in 0..=next(6) {
            let place = next(reach);
            bytes[place] ^= 1 << next(8);
        }
        let _ = survive(bytes, &format!("round {round}"));
    }
    for round in 0..40 {
        let mut bytes = whole.clone();
        let place = next(bytes.len() - 4_096);
        let filling = if round % 2 == 0 { 0 } else { 0xff };
        bytes[place..place + 4_096].fill(filling);
        let _ = survive(bytes, &format!("page {round}"));
    }
}

#[test]
fn random_bytes_behind_the_right_beginning_are_an_answer() {
    let mut bytes = store();
    for (place, byte) in bytes.iter_mut().enumerate().skip(64) {
        *byte = (place.wrapping_mul(2_654_435_761) >> 11) as u8;
    }
    assert!(survive(bytes, "noise").is_err());
}

/// A directory of its own with a file in it.
fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stepwise.store");
    fs::write(&path, content).expect("a file");
    (directory, path)
}

fn refuse(path: &PathBuf) -> String {
    match Disk::open(path, options()) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_file_of_another_program_is_named_with_the_way_out() {
    let (_directory, path) = file(b"id,name\n1,Ada\n");
    assert_eq!(
        refuse(&path),
        format!(
            "`{}` is not a store of this program (it does not begin as a store does): \
             move the file away or choose another data directory",
            path.display()
        )
    );
    assert_eq!(fs::read(&path).expect("it is still there"), b"id,name\n1,Ada\n");
}

#[test]
fn a_database_of_another_program_is_named_with_its_table() {
    const OTHERS: TableDefinition<u64, u64> = TableDefinition::new("invoices");
    let (_directory, path) = file(b"");
    let database = Database::create(&path).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(OTHERS).expect("a table").insert(1, 2).expect("a row");
    transaction.commit().expect("a commit");
    drop(database);
    let text = refuse(&path);
    assert!(text.contains("it has a table `invoices` of another program"), "{text}");
}

#[test]
fn a_store_of_a_newer_version_is_refused_in_words() {
    let (_directory, path) = file(b"");
    fs::remove_file(&path).expect("no file yet");
    drop(Disk::open(&path, options()).expect("a new store"));
    let database = Database::create(&path).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let mut meta = transaction.open_table(TableDefinition::<&str, u32>::new("stepwise")).expect("a table");
    meta.insert("format", FORMAT_VERSION + 6).expect("a row");
    drop(meta);
    transaction.commit().expect("a commit");
    drop(database);
    assert_eq!(
        refuse(&path),
        format!(
            "the store `{}` has format 7 and this version knows formats up to 1: start the newer version again, \
             or restore a backup made before the upgrade",
            path.display()
        )
    );
}

#[test]
fn an_empty_file_becomes_a_store() {
    let (_directory, path) = file(b"");
    let store = Disk::open(&path, options()).expect("a new store");
    write(&store, &[(b"a", Some(b"1"))]);
    drop(store);
    let store = Disk::open(&path, options()).expect("the same store");
    assert!(store.snapshot().expect("open").get(b"a").expect("read").is_some());
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let text = refuse(&PathBuf::from("/there/is/no/such/directory/stepwise.store"));
    assert!(text.starts_with("failed to open the store `/there/is/no/such/directory/"), "{text}");
}
