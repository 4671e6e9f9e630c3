//! Keys: tuples whose bytes sort as their parts do (E8).
//!
//! Numbers are big-endian with the sign turned, text is folded and ends with a zero byte, null comes first. Every key opens
//! with the byte of its [`Family`]; `DESIGN.md` draws them all. Reading a key back is only needed for what ends it: ids
//! and numbers of fixed width.

use model::{
    AttributeId, Decimal, Digest, EntityId, JobId, ProcessId, RecordId, RecordRef, Span, Timestamp, Value, text,
};
use uuid::Uuid;

use crate::{Error, Key};

/// The most bytes of folded text in an index key; longer texts are told apart on the row (E8).
pub const TEXT_BYTES: usize = 256;

/// The first byte of a key or bucket. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Family {
    /// Records by entity and id.
    Record = 0x10,
    /// Index entries: attribute, value, id.
    Index = 0x11,
    /// Alternate keys.
    Unique = 0x12,
    /// Bucket without rows: touched when a record appears or goes.
    Exists = 0x13,
    /// With whom a record is shared.
    Share = 0x14,
    /// What is shared with a principal.
    ShareOf = 0x15,
    /// Jobs by id.
    Job = 0x20,
    /// Jobs that can go on.
    JobReady = 0x21,
    /// Jobs that go on at a time.
    JobDue = 0x22,
    /// Unfinished jobs that run one at a time.
    JobToken = 0x23,
    /// Jobs by their record.
    JobRecord = 0x24,
    /// How far schedules are, by process.
    Schedule = 0x26,
    /// Sums.
    Counter = 0x27,
    /// The run log.
    Log = 0x28,
    /// Jobs that are over, by process, outcome and time.
    JobDone = 0x29,
    /// What jobs wait for, by record and attribute.
    Wait = 0x30,
    /// Records whose waiters are still to be woken.
    Wake = 0x31,
    /// Mail that is to be sent, by its email record.
    Outbox = 0x38,
    /// The same by the time of the next try.
    OutboxDue = 0x39,
    /// Changes by record.
    Journal = 0x40,
    /// Sign-ins and refusals, in the order in which they happened.
    Event = 0x41,
    /// Numbers of entities with their attributes and keys.
    EntityNumbers = 0x50,
    /// Numbers of processes.
    ProcessNumber = 0x51,
    /// The definition that holds, by kind and name.
    Definition = 0x52,
    /// Content by digest: canonical JSON.
    Content = 0x53,
    /// Activations by process and version.
    Activation = 0x54,
    /// Bucket without rows: touched when entities change; every unit rests on it.
    Schema = 0x5f,
    /// Which instance of a flow a user is shown on a record.
    Pin = 0x80,
    /// Sessions of task flows.
    Session = 0x84,
    /// The same by their user.
    SessionUser = 0x85,
    /// The same by their record.
    SessionRecord = 0x86,
    /// The same by the time when a forgotten one goes.
    SessionDue = 0x87,
    /// Tokens by their hash.
    Token = 0x60,
    /// Tokens by their user.
    TokenUser = 0x61,
    /// The security stamp, one row.
    Stamp = 0x68,
    /// Passwords by their user, as hashes.
    Password = 0x62,
    /// The mark by which a store knows the tokens that it made.
    TokenMark = 0x63,
    /// Users and teams whose records have to follow them into another unit.
    Move = 0x69,
    /// Packages by digest.
    Package = 0x70,
    /// What is installed, by library and version.
    Install = 0x71,
    /// What an operator granted to a library.
    Consent = 0x72,
    /// What is set for a library, by key.
    Setting = 0x73,
    /// Secrets of a library by name, sealed.
    Secret = 0x74,
    /// Packages that broke down too often, by digest.
    Quarantine = 0x77,
    /// What packages said of themselves, by digest.
    Document = 0x78,
}

impl Family {
    /// The family that a conflict names, for figures and messages.
    pub fn of(byte: u8) -> Option<Family> {
        use Family::*;
        [
            Record,
            Index,
            Unique,
            Exists,
            Share,
            ShareOf,
            Job,
            JobReady,
            JobDue,
            JobToken,
            JobRecord,
            Schedule,
            Counter,
            Log,
            JobDone,
            Wait,
            Wake,
            Outbox,
            OutboxDue,
            Journal,
            Event,
            EntityNumbers,
            ProcessNumber,
            Definition,
            Content,
            Activation,
            Schema,
            Token,
            TokenUser,
            Stamp,
            Password,
            TokenMark,
            Move,
            Package,
            Install,
            Pin,
            Session,
            SessionUser,
            SessionRecord,
            SessionDue,
            Consent,
            Setting,
            Secret,
            Quarantine,
            Document,
        ]
        .into_iter()
        .find(|family| *family as u8 == byte)
    }
}

/// A key under construction.
#[derive(Clone, Debug)]
pub struct Tuple(Vec<u8>);

impl Tuple {
    /// A key of this family, without parts yet.
    pub fn of(family: Family) -> Tuple {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(family as u8);
        Tuple(bytes)
    }

    /// The bytes so far: a key to look up, or a prefix or bucket.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The finished key.
    pub fn key(&self) -> Key {
        self.0[..].into()
    }

    /// One byte.
    #[must_use]
    pub fn u8(mut self, number: u8) -> Tuple {
        self.0.push(number);
        self
    }

    /// A number of two bytes.
    #[must_use]
    pub fn u16(self, number: u16) -> Tuple {
        self.raw(&number.to_be_bytes())
    }

    /// A number of four bytes.
    #[must_use]
    pub fn u32(self, number: u32) -> Tuple {
        self.raw(&number.to_be_bytes())
    }

    /// A number of eight bytes.
    #[must_use]
    pub fn u64(self, number: u64) -> Tuple {
        self.raw(&number.to_be_bytes())
    }

    /// A number with a sign.
    #[must_use]
    pub fn i64(self, number: i64) -> Tuple {
        self.u64(number.cast_unsigned() ^ 1 << 63)
    }

    /// An entity.
    #[must_use]
    pub fn entity(self, entity: EntityId) -> Tuple {
        self.u32(entity.0)
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(self, attribute: AttributeId) -> Tuple {
        self.u16(attribute.0)
    }

    /// A record's identity within its entity.
    #[must_use]
    pub fn id(self, id: RecordId) -> Tuple {
        self.uuid(id.0)
    }

    /// Entity and identity.
    #[must_use]
    pub fn record(self, record: RecordRef) -> Tuple {
        self.entity(record.entity).id(record.id)
    }

    /// A job.
    #[must_use]
    pub fn job(self, job: JobId) -> Tuple {
        self.uuid(job.0)
    }

    /// A process.
    #[must_use]
    pub fn process(self, process: ProcessId) -> Tuple {
        self.u32(process.0)
    }

    /// A moment.
    #[must_use]
    pub fn time(self, time: Timestamp) -> Tuple {
        self.i64(time.as_micros())
    }

    /// An identity.
    #[must_use]
    pub fn uuid(self, id: Uuid) -> Tuple {
        self.raw(id.as_bytes())
    }

    /// A digest.
    #[must_use]
    pub fn digest(self, digest: &Digest) -> Tuple {
        self.raw(&digest.0)
    }

    /// Text as it stands, ended, for names.
    #[must_use]
    pub fn name(mut self, name: &str) -> Tuple {
        self.escaped(name.as_bytes());
        self.u8(0)
    }

    /// A value of an index: text folded and cut.
    #[must_use]
    pub fn value(self, value: &Value) -> Tuple {
        self.value_cut(value, TEXT_BYTES)
    }

    /// A value of an alternate key: text folded, whole, because two that only begin alike are two.
    #[must_use]
    pub fn whole_value(self, value: &Value) -> Tuple {
        self.value_cut(value, usize::MAX)
    }

    /// The beginning of an index's text values that begin so.
    #[must_use]
    pub fn text_start(mut self, start: &str) -> Tuple {
        self.0.push(TEXT);
        self.folded(start, TEXT_BYTES);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Tuple {
        self.0.extend_from_slice(bytes);
        self
    }

    fn value_cut(mut self, value: &Value, text_bytes: usize) -> Tuple {
        match value {
            Value::Null => self.u8(NULL),
            Value::Boolean(yes) => self.u8(BOOLEAN).u8(u8::from(*yes)),
            Value::Whole(number) => self.u8(WHOLE).i64(*number),
            Value::Decimal(number) => self.u8(DECIMAL).decimal(*number),
            Value::Money(amount) => self.u8(MONEY).decimal(amount.amount()),
            Value::Float(number) => self.u8(FLOAT).float(*number),
            Value::Text(text) => {
                self.0.push(TEXT);
                self.folded(text, text_bytes);
                self.u8(0)
            }
            Value::Date(date) => self.u8(DATE).i32(date.as_days()),
            Value::DateTime(time) => self.u8(DATE_TIME).time(*time),
            Value::Duration(span) => self.u8(DURATION).span(*span),
            Value::Guid(id) => self.u8(GUID).uuid(*id),
            Value::Choice(option) => self.u8(CHOICE).i32(*option),
            Value::Choices(options) => {
                options.iter().fold(self.u8(CHOICES), |key, option| key.u8(1).i32(*option)).u8(0)
            }
            Value::Reference(record) => self.u8(REFERENCE).record(*record),
            Value::References(records) => {
                records.iter().fold(self.u8(REFERENCES), |key, record| key.u8(1).record(*record)).u8(0)
            }
            Value::Bytes(bytes) => self.u8(BYTES).cut(bytes, text_bytes),
            Value::Document(bytes) => self.u8(DOCUMENT).cut(bytes, text_bytes),
        }
    }

    fn i32(self, number: i32) -> Tuple {
        self.u32(number.cast_unsigned() ^ 1 << 31)
    }

    fn cut(mut self, bytes: &[u8], most: usize) -> Tuple {
        self.escaped(&bytes[..bytes.len().min(most)]);
        self.u8(0)
    }

    /// IEEE numbers sort by their bits once the sign is turned; the two zeros are one value.
    fn float(self, number: f64) -> Tuple {
        let bits = if number == 0.0 { 0 } else { number.to_bits() };
        let turned = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        self.u64(turned)
    }

    /// Sign, decimal exponent, pairs of digits, end; all but the sign turned where the number is negative. `1.50` and
    /// `1.5` are one value and get one key.
    fn decimal(mut self, number: Decimal) -> Tuple {
        let number = number.normalize();
        let mantissa = number.mantissa();
        if mantissa == 0 {
            return self.u8(1);
        }
        let mut digits = mantissa.unsigned_abs().to_string().into_bytes();
        // 0.DIGITS x 10^exponent, -28 to 29.
        let exponent = digits.len() + 64 - number.scale() as usize;
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.len() % 2 == 1 {
            digits.push(b'0');
        }
        let turn = if mantissa < 0 { 0xff } else { 0 };
        self.0.push(if mantissa < 0 { 0 } else { 2 });
        let exponent = u8::try_from(exponent).expect("a decimal has at most 29 digits and 28 places");
        self.0.push(exponent ^ turn);
        self.0.extend(digits.chunks_exact(2).map(|pair| ((pair[0] - b'0') * 10 + pair[1] - b'0' + 1) ^ turn));
        self.u8(turn)
    }

    /// By length with months as long as they are on average, as rules and expressions compare them; spans of one length
    /// then by their parts, so that two spans never share a key.
    fn span(self, span: Span) -> Tuple {
        const DAY: i128 = 86_400_000_000;
        const MONTH: i128 = 2_629_746_000_000;
        let length = i128::from(span.months) * MONTH + i128::from(span.days) * DAY + i128::from(span.micros);
        let turned = length.cast_unsigned() ^ 1 << 127;
        self.raw(&turned.to_be_bytes()).i32(span.months).i32(span.days)
    }

    /// Folded text, cut at a character.
    fn folded(&mut self, text: &str, most: usize) {
        let mut used = 0;
        let mut buffer = [0; 4];
        for char in text::folded(text) {
            let bytes = char.encode_utf8(&mut buffer).as_bytes();
            used += bytes.len();
            if used > most {
                return;
            }
            self.escaped(bytes);
        }
    }

    /// Leaves the zero byte to the end of a part: 0 becomes 1 1, and 1 becomes 1 2.
    fn escaped(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                0 | 1 => self.0.extend_from_slice(&[1, byte + 1]),
                byte => self.0.push(*byte),
            }
        }
    }
}

const NULL: u8 = 0x00;
const BOOLEAN: u8 = 0x10;
const WHOLE: u8 = 0x20;
const DECIMAL: u8 = 0x21;
const FLOAT: u8 = 0x22;
const MONEY: u8 = 0x23;
const TEXT: u8 = 0x30;
const DATE: u8 = 0x40;
const DATE_TIME: u8 = 0x41;
const DURATION: u8 = 0x42;
const GUID: u8 = 0x50;
const CHOICE: u8 = 0x51;
const CHOICES: u8 = 0x52;
const REFERENCE: u8 = 0x53;
const REFERENCES: u8 = 0x54;
const BYTES: u8 = 0x60;
const DOCUMENT: u8 = 0x61;

/// The identity that ends a key.
pub fn last_uuid(key: &[u8]) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(last(key)?))
}

/// The record that ends a key: entity and id.
pub fn last_record(key: &[u8]) -> Result<RecordRef, Error> {
    let id = last_uuid(key)?;
    let entity = last_u32(key.get(..key.len().saturating_sub(16)).unwrap_or_default())?;
    Ok(RecordRef::new(EntityId(entity), RecordId(id)))
}

/// The moment that stands `from_end` bytes before the end of a key.
pub fn time_before(key: &[u8], from_end: usize) -> Result<Timestamp, Error> {
    let bytes = key.get(..key.len().saturating_sub(from_end)).unwrap_or_default();
    let micros = (u64::from_be_bytes(last(bytes)?) ^ 1 << 63).cast_signed();
    Timestamp::from_micros(micros).ok_or_else(short)
}

/// The number of four bytes that ends a key.
pub fn last_u32(key: &[u8]) -> Result<u32, Error> {
    Ok(u32::from_be_bytes(last(key)?))
}

/// The number of two bytes behind `skip` bytes of a key.
pub fn u16_behind(key: &[u8], skip: usize) -> Result<u16, Error> {
    let bytes = key.get(skip..).and_then(|rest| rest.first_chunk()).ok_or_else(short)?;
    Ok(u16::from_be_bytes(*bytes))
}

/// The identity that stands `skip` bytes behind the beginning of a key.
pub fn uuid_behind(key: &[u8], skip: usize) -> Result<Uuid, Error> {
    let bytes = key.get(skip..).and_then(|rest| rest.first_chunk()).ok_or_else(short)?;
    Ok(Uuid::from_bytes(*bytes))
}

/// The digest that ends a key.
pub fn last_digest(key: &[u8]) -> Result<Digest, Error> {
    Ok(Digest(last(key)?))
}

/// The name that opens the parts of a key, behind `skip` bytes.
pub fn name_behind(key: &[u8], skip: usize) -> Result<&str, Error> {
    let name = key.get(skip..).and_then(|rest| rest.split(|byte| *byte == 0).next()).ok_or_else(short)?;
    // Names have no control characters, so nothing in them was escaped.
    std::str::from_utf8(name).map_err(|_| short())
}

fn last<const N: usize>(key: &[u8]) -> Result<[u8; N], Error> {
    key.last_chunk().copied().ok_or_else(short)
}

fn short() -> Error {
    Error::Row { family: "key", what: "it is too short".to_owned() }
}
