use std::fmt;

/// Levels of a value, one in another.
pub(crate) const DEPTH: usize = 128;
/// Entries of a value, all levels together.
const ENTRIES: usize = 1_000_000;
/// Bytes of a big integer.
pub(crate) const BIGINT_BYTES: usize = 4096;
/// The largest integer that a number holds, and all below it.
pub(crate) const MOST_SAFE: u64 = (1 << 53) - 1;

/// A value that crosses between languages unchanged: all that TypeScript, Python and C say. It is an argument or an answer
/// like any other serde type, beside which it costs what its generality costs.
///
/// As an argument it is read from the JSON of the SDK's payloads; [`Value::from_cbor`] and [`Value::to_cbor`] are for
/// storing it, in the bytes that every language writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `undefined`.
    Undefined,
    /// A boolean.
    Bool(bool),
    /// A number, which is JavaScript's.
    Number(f64),
    /// A big integer of any size.
    BigInt(BigInt),
    /// A string.
    Text(String),
    /// A string that UTF-8 can't say: it has half a surrogate pair.
    Utf16(Vec<u16>),
    /// Milliseconds since 1970; `None` for an invalid date.
    Date(Option<i64>),
    /// A regular expression of JavaScript's.
    RegExp {
        /// What is between its slashes.
        source: String,
        /// What is behind them.
        flags: String,
    },
    /// An `Error`.
    Error(Box<ErrorValue>),
    /// Binary data.
    Bytes(View, Vec<u8>),
    /// An array.
    List(Vec<Value>),
    /// An object: its members in order. A name is [`Value::Text`], or [`Value::Utf16`].
    Object(Vec<(Value, Value)>),
    /// A `Map`: its entries in order.
    Map(Vec<(Value, Value)>),
    /// A `Set`: its elements in order.
    Set(Vec<Value>),
}

impl Value {
    /// The integer of a number or a big integer; 0 where it is none, or too large.
    pub(crate) fn as_integer(&self) -> i64 {
        match self {
            Self::Number(number) => *number as i64,
            Self::BigInt(integer) if integer.magnitude.len() < 8 => {
                let magnitude = integer.magnitude.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
                if integer.negative { -1 - magnitude } else { magnitude }
            }
            _ => 0,
        }
    }

    /// The text of a string.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }
}

/// A big integer: `magnitude`, or -1 - `magnitude` where it is negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigInt {
    /// Below 0.
    pub negative: bool,
    /// Most significant first, without zeros in front.
    pub magnitude: Vec<u8>,
}

/// An `Error` as a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorValue {
    /// The name of its class.
    pub name: Value,
    /// What it says.
    pub message: Value,
    /// Of an error with a type: its group and its code.
    pub kind: Option<(Value, Value)>,
    /// An object, where it has any.
    pub metadata: Option<Value>,
    /// The same call may succeed later.
    pub retryable: bool,
}

/// Which view of binary data it is in JavaScript. Elements are little-endian.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Uint8Array,
    Uint8ClampedArray,
    Uint16Array,
    Uint32Array,
    BigUint64Array,
    Int8Array,
    Int16Array,
    Int32Array,
    BigInt64Array,
    Float16Array,
    Float32Array,
    Float64Array,
    ArrayBuffer,
    DataView,
}

/// Each view, its name, its tag in CBOR, and the bytes of an element. A Uint8Array has no tag; 64 is read.
pub(crate) const VIEWS: [(View, &str, u64, usize); 14] = [
    (View::Uint8Array, "Uint8Array", 64, 1),
    (View::Uint8ClampedArray, "Uint8ClampedArray", 68, 1),
    (View::Uint16Array, "Uint16Array", 69, 2),
    (View::Uint32Array, "Uint32Array", 70, 4),
    (View::BigUint64Array, "BigUint64Array", 71, 8),
    (View::Int8Array, "Int8Array", 72, 1),
    (View::Int16Array, "Int16Array", 77, 2),
    (View::Int32Array, "Int32Array", 78, 4),
    (View::BigInt64Array, "BigInt64Array", 79, 8),
    (View::Float16Array, "Float16Array", 84, 2),
    (View::Float32Array, "Float32Array", 85, 4),
    (View::Float64Array, "Float64Array", 86, 8),
    (View::ArrayBuffer, "ArrayBuffer", 54_601, 1),
    (View::DataView, "DataView", 54_602, 1),
];

/// Why bytes aren't a value, or a value isn't one that crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoValue(pub(crate) &'static str);

impl fmt::Display for NoValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for NoValue {}

/// What one value may still have.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(ENTRIES)
    }

    pub(crate) fn enter(&mut self, entries: usize, level: usize) -> Result<(), NoValue> {
        if level >= DEPTH {
            return Err(NoValue("it has too many levels"));
        }
        self.0 = self.0.checked_sub(entries).ok_or(NoValue("it has too many entries"))?;
        Ok(())
    }
}

impl Value {
    /// An object of members whose names are plain texts.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (Self::Text(name.into()), value)).collect())
    }

    /// The member of an object, by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(key, _)| *key == Self::Text(name.into())).map(|(_, value)| value)
    }

    /// A text of UTF-16, which is a plain one where UTF-8 can say it.
    pub(crate) fn of_utf16(units: Vec<u16>) -> Self {
        String::from_utf16(&units).map_or(Self::Utf16(units), Self::Text)
    }

    pub(crate) fn is_name(&self) -> Result<(), NoValue> {
        match self {
            Self::Text(name) if name == "__proto__" => {
                Err(NoValue("__proto__ can't be the name of a member"))
            }
            Self::Text(_) | Self::Utf16(_) => Ok(()),
            _ => Err(NoValue("the name of a member isn't a text")),
        }
    }

    pub(crate) fn view(view: View, bytes: Vec<u8>) -> Result<Self, NoValue> {
        let whole = VIEWS.iter().any(|(known, _, _, size)| *known == view && bytes.len() % size == 0);
        if whole { Ok(Self::Bytes(view, bytes)) } else { Err(NoValue("binary data of a broken length")) }
    }
}

impl From<i64> for BigInt {
    fn from(integer: i64) -> Self {
        let magnitude = if integer < 0 { !integer } else { integer };
        Self::new(integer < 0, &magnitude.to_be_bytes())
    }
}

impl BigInt {
    /// Of a magnitude with zeros in front or without.
    pub fn new(negative: bool, magnitude: &[u8]) -> Self {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        Self { negative, magnitude: magnitude[zeros..].to_vec() }
    }

    /// `None`: more than 64 bits hold.
    pub fn to_i64(&self) -> Option<i64> {
        let mut bytes = [0; 8];
        let from = bytes.len().checked_sub(self.magnitude.len())?;
        bytes[from..].copy_from_slice(&self.magnitude);
        let magnitude = i64::try_from(u64::from_be_bytes(bytes)).ok()?;
        Some(if self.negative { !magnitude } else { magnitude })
    }
}

impl ErrorValue {
    /// Its members, those that it has.
    pub(crate) fn members(&self) -> Vec<(Value, Value)> {
        let text = |name: &str| Value::Text(name.into());
        let mut members = vec![(text("name"), self.name.clone()), (text("message"), self.message.clone())];
        if let Some((group, code)) = &self.kind {
            members.push((text("group"), group.clone()));
            members.push((text("code"), code.clone()));
            members.extend(self.metadata.clone().map(|metadata| (text("metadata"), metadata)));
            if self.retryable {
                members.push((text("retryable"), Value::Bool(true)));
            }
        }
        members
    }

    /// The error of its members.
    pub(crate) fn of(members: Vec<(Value, Value)>) -> Result<Value, NoValue> {
        const BROKEN: NoValue = NoValue("an Error without what an error has");
        let object = Value::Object(members);
        let text = |name: &str| match object.get(name) {
            Some(found @ (Value::Text(_) | Value::Utf16(_))) => Ok(found.clone()),
            _ => Err(BROKEN),
        };
        let typed = object.get("group").is_some() || object.get("code").is_some();
        let kind = if typed { Some((text("group")?, text("code")?)) } else { None };
        let metadata = match object.get("metadata") {
            None | Some(Value::Undefined) => None,
            Some(found @ Value::Object(_)) => Some(found.clone()),
            Some(_) => return Err(BROKEN),
        };
        let retryable = match object.get("retryable") {
            None => false,
            Some(Value::Bool(retryable)) => *retryable,
            Some(_) => return Err(BROKEN),
        };
        let error = Self { name: text("name")?, message: text("message")?, kind, metadata, retryable };
        Ok(Value::Error(Box::new(error)))
    }
}
