//! JSON from strangers: a tree that is limited while it is read, and questions to it that note what is wrong.

use std::fmt;

use smol_str::SmolStr;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::fault::{bytes, shortened};

/// The largest document, in bytes.
const DOCUMENT: usize = 256 << 10;
/// The longest text, in bytes.
const TEXT: usize = 10_000;
/// The longest list or object.
const ENTRIES: usize = 1_000;
/// The deepest nesting.
const DEPTH: usize = 12;

/// A value of the document.
#[derive(Debug, PartialEq)]
pub enum Node {
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Reads a document within its limits.
pub fn parse(document: &[u8]) -> Result<Node, String> {
    if document.len() > DOCUMENT {
        return Err(format!("it is larger than {}", bytes(DOCUMENT)));
    }
    let mut reader = serde_json::Deserializer::from_slice(document);
    let node = Depth(DEPTH).deserialize(&mut reader).map_err(said)?;
    reader.end().map_err(said)?;
    Ok(node)
}

/// Our own texts as they are, those of the reader with their place.
fn said(error: serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix(MARK).and_then(|rest| rest.rsplit_once(" at line ")) {
        Some((own, _)) => own.to_owned(),
        None => shortened(&text, 300),
    }
}

/// Marks a text of ours among those of the reader.
const MARK: &str = "\u{1}";

/// Reads a value that may nest this deep.
struct Depth(usize);

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Node, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Depth {
    fn deeper<E: Error>(&self) -> Result<Depth, E> {
        let left = self.0.checked_sub(1);
        left.map(Depth).ok_or_else(|| E::custom(format!("{MARK}it is nested deeper than {DEPTH} levels")))
    }
}

fn limited<E: Error>(text: &str) -> Result<String, E> {
    match text.len() {
        0..=TEXT => Ok(text.to_owned()),
        _ => Err(E::custom(format!("{MARK}it has a text of more than {TEXT} bytes"))),
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Float(value as f64), Node::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        limited(text).map(Node::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self.deeper()?)? {
            nodes.push(node);
            if nodes.len() > ENTRIES {
                return Err(A::Error::custom(format!("{MARK}it has a list of more than {ENTRIES} entries")));
            }
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format!("{MARK}the key `{}` is there twice", shortened(&key, 60))));
            }
            if entries.len() >= ENTRIES {
                return Err(A::Error::custom(format!("{MARK}it has an object of more than {ENTRIES} keys")));
            }
            entries.push((key, map.next_value_seed(self.deeper()?)?));
        }
        Ok(Node::Object(entries))
    }
}

struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        limited(&String::deserialize(reader)?).map(Key)
    }
}

/// What is wrong with a document.
#[derive(Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes what is wrong at a place.
    pub fn add(&mut self, place: &str, what: String) {
        let (place, what) = (shortened(place.trim_end_matches('/'), 200), shortened(&what, 400));
        self.0.push(match place.as_str() {
            "" => format!("its manifest {what}"),
            place => format!("its manifest at `{place}` {what}"),
        });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it, but no more than a reader can use.
    pub fn sentences(mut self) -> Vec<String> {
        self.0.truncate(20);
        self.0
    }
}

/// An object and where it stands.
pub struct Object<'a> {
    place: String,
    entries: &'a [(String, Node)],
}

impl Node {
    /// The value as JSON again.
    pub fn to_json(&self) -> SmolStr {
        self.value().to_string().into()
    }

    fn value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Whole(number) => Value::from(*number),
            Self::Float(number) => Value::from(*number),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(nodes) => nodes.iter().map(Self::value).collect(),
            Self::Object(entries) => entries.iter().map(|(key, node)| (key.clone(), node.value())).collect(),
        }
    }

    /// The object that this is.
    pub fn object<'a>(&'a self, place: &str, problems: &mut Problems) -> Option<Object<'a>> {
        match self {
            Self::Object(entries) => Some(Object { place: place.to_owned(), entries }),
            _ => {
                problems.add(place, "is no object".into());
                None
            }
        }
    }

    /// The text that this is.
    pub fn as_text(&self, place: &str, problems: &mut Problems) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => {
                problems.add(place, "is no text".into());
                None
            }
        }
    }

    /// The texts that this list has.
    pub fn texts<'a>(&'a self, place: &str, problems: &mut Problems) -> Vec<&'a str> {
        let Self::List(nodes) = self else {
            problems.add(place, "is no list".into());
            return Vec::new();
        };
        nodes.iter().filter_map(|node| node.as_text(place, problems)).collect()
    }
}

impl<'a> Object<'a> {
    /// The place of a key.
    pub fn place(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}/{key}", self.place) }
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Notes every key that is not among these.
    pub fn only(&self, keys: &[&str], problems: &mut Problems) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
            let hint = nearest(key, keys).map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
            problems.add(&self.place, format!("has the unknown key `{}`{hint}", shortened(key, 60)));
        }
    }

    /// A text that must be there.
    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<&'a str> {
        match self.get(key) {
            Some(node) => node.as_text(&self.place(key), problems),
            None => {
                problems.add(&self.place, format!("has no `{key}`"));
                None
            }
        }
    }

    /// A text that may be there.
    pub fn optional_text(&self, key: &str, problems: &mut Problems) -> String {
        let node = self.get(key).and_then(|node| node.as_text(&self.place(key), problems));
        node.unwrap_or_default().to_owned()
    }

    /// A whole number that may be there.
    pub fn whole(&self, key: &str, problems: &mut Problems) -> Option<i64> {
        match self.get(key)? {
            Node::Whole(number) => Some(*number),
            _ => {
                problems.add(&self.place(key), "is no whole number".into());
                None
            }
        }
    }

    /// True or false; false when it is not there.
    pub fn flag(&self, key: &str, problems: &mut Problems) -> bool {
        match self.get(key) {
            None => false,
            Some(Node::Flag(flag)) => *flag,
            Some(_) => {
                problems.add(&self.place(key), "is neither true nor false".into());
                false
            }
        }
    }

    /// A list that may be there.
    pub fn list(&self, key: &str, problems: &mut Problems) -> &'a [Node] {
        match self.get(key) {
            None => &[],
            Some(Node::List(nodes)) => nodes,
            Some(_) => {
                problems.add(&self.place(key), "is no list".into());
                &[]
            }
        }
    }

    /// The entries of an object that may be there.
    pub fn entries(&self, key: &str, problems: &mut Problems) -> Vec<(&'a str, &'a Node)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let object = node.object(&self.place(key), problems);
        object.map_or_else(Vec::new, |object| object.entries.iter().map(|(name, node)| (name.as_str(), node)).collect())
    }
}

/// The known word that differs from `word` by the fewest letters, if that is few.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min()?;
    (near.0 <= 2 && word.len() <= 60).then_some(near.1)
}

/// How many letters have to be put in, taken out, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(60).collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for row in 0..=left.len() {
        for column in 0..=right.len() {
            rows[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let same = usize::from(left[row - 1] != right[column - 1]);
                let plain =
                    (rows[row - 1][column] + 1).min(rows[row][column - 1] + 1).min(rows[row - 1][column - 1] + same);
                let swapped =
                    row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1];
                if swapped { plain.min(rows[row - 2][column - 2] + 1) } else { plain }
            };
        }
    }
    rows[left.len()][right.len()]
}
