//! Values as CBOR (RFC 8949), each in its shortest form, so that every language writes the same bytes. Nothing is believed of
//! a length that the bytes that are left don't bear out.

use crate::value::{BIGINT_BYTES, BigInt, Budget, ErrorValue, MOST_SAFE, NoValue, VIEWS, Value, View};

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

const SECONDS: u64 = 1;
const BIGNUM: u64 = 2;
const NEGATIVE_BIGNUM: u64 = 3;
const SET_TAG: u64 = 258;
const MAP_TAG: u64 = 259;
const REGEXP: u64 = 21_066;
const ERROR: u64 = 54_600;
const UTF16: u64 = 54_603;
const MILLISECONDS: u64 = 54_604;

/// Up to here a date's seconds are exact.
const EXACT_SECONDS_MS: u64 = 1 << 51;
const TOO_SHORT: NoValue = NoValue("it ends too early");

impl Value {
    /// The value's bytes, the same in every language.
    pub fn to_cbor(&self) -> Result<Vec<u8>, NoValue> {
        let mut writer = Writer { bytes: Vec::new(), budget: Budget::new() };
        writer.value(self, 0)?;
        Ok(writer.bytes)
    }

    /// The one value of these bytes.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, NoValue> {
        let mut reader = Reader { rest: bytes, budget: Budget::new() };
        let value = reader.value(0)?;
        if reader.rest.is_empty() { Ok(value) } else { Err(NoValue("there is more behind the value")) }
    }
}

struct Writer {
    bytes: Vec<u8>,
    budget: Budget,
}

impl Writer {
    fn value(&mut self, value: &Value, level: usize) -> Result<(), NoValue> {
        match value {
            Value::Null => self.bytes.push(0xf6),
            Value::Undefined => self.bytes.push(0xf7),
            Value::Bool(truth) => self.bytes.push(if *truth { 0xf5 } else { 0xf4 }),
            Value::Number(number) => self.number(*number),
            Value::BigInt(integer) => self.bigint(integer)?,
            Value::Text(text) => self.string(TEXT, text.as_bytes()),
            Value::Utf16(units) => {
                self.head(TAG, UTF16);
                self.string(BYTES, &units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>());
            }
            Value::Date(ms) => self.date(*ms),
            Value::RegExp { source, flags } => {
                self.head(TAG, REGEXP);
                self.head(ARRAY, 2);
                self.string(TEXT, source.as_bytes());
                self.string(TEXT, flags.as_bytes());
            }
            Value::Bytes(view, bytes) => self.view(*view, bytes),
            Value::List(elements) => self.elements(elements, level)?,
            Value::Set(elements) => {
                self.head(TAG, SET_TAG);
                self.elements(elements, level)?;
            }
            Value::Map(entries) => {
                self.head(TAG, MAP_TAG);
                self.entries(entries, level, false)?;
            }
            Value::Object(members) => self.entries(members, level, true)?,
            Value::Error(error) => {
                self.head(TAG, ERROR);
                self.entries(&error.members(), level, true)?;
            }
        }
        Ok(())
    }

    fn elements(&mut self, elements: &[Value], level: usize) -> Result<(), NoValue> {
        self.budget.enter(elements.len(), level)?;
        self.head(ARRAY, elements.len() as u64);
        elements.iter().try_for_each(|element| self.value(element, level + 1))
    }

    fn entries(&mut self, entries: &[(Value, Value)], level: usize, named: bool) -> Result<(), NoValue> {
        self.budget.enter(if named { entries.len() } else { 2 * entries.len() }, level)?;
        self.head(MAP, entries.len() as u64);
        for (key, value) in entries {
            if named {
                key.is_name()?;
            }
            self.value(key, level + 1)?;
            self.value(value, level + 1)?;
        }
        Ok(())
    }

    fn number(&mut self, number: f64) {
        let whole = number.trunc() == number && number.abs() <= MOST_SAFE as f64;
        if !whole || (number == 0.0 && number.is_sign_negative()) {
            self.float(number);
        } else if number >= 0.0 {
            self.head(UNSIGNED, number as u64);
        } else {
            self.head(NEGATIVE, (-1.0 - number) as u64);
        }
    }

    /// What is no integer: -0, infinities and NaN as halves, the rest in single precision where that is exact.
    fn float(&mut self, number: f64) {
        let half: u16 = match number {
            _ if number.is_nan() => 0x7e00,
            f64::INFINITY => 0x7c00,
            f64::NEG_INFINITY => 0xfc00,
            _ => 0x8000,
        };
        if number == 0.0 || !number.is_finite() {
            self.bytes.push(0xf9);
            self.bytes.extend_from_slice(&half.to_be_bytes());
        } else if f64::from(number as f32) == number {
            self.bytes.push(0xfa);
            self.bytes.extend_from_slice(&(number as f32).to_be_bytes());
        } else {
            self.bytes.push(0xfb);
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
    }

    fn bigint(&mut self, integer: &BigInt) -> Result<(), NoValue> {
        let BigInt { negative, magnitude } = BigInt::new(integer.negative, &integer.magnitude);
        if magnitude.len() > BIGINT_BYTES {
            return Err(NoValue("a bigint is too large"));
        }
        self.head(TAG, if negative { NEGATIVE_BIGNUM } else { BIGNUM });
        self.string(BYTES, &magnitude);
        Ok(())
    }

    fn date(&mut self, ms: Option<i64>) {
        let exact = ms.is_none_or(|ms| ms.unsigned_abs() <= EXACT_SECONDS_MS);
        self.head(TAG, if exact { SECONDS } else { MILLISECONDS });
        match ms {
            None => self.float(f64::NAN),
            Some(ms) => self.number(if exact { ms as f64 / 1000.0 } else { ms as f64 }),
        }
    }

    fn view(&mut self, view: View, bytes: &[u8]) {
        if let Some((_, _, tag, _)) = VIEWS[1..].iter().find(|(known, ..)| *known == view) {
            self.head(TAG, *tag);
        }
        self.string(BYTES, bytes);
    }

    fn string(&mut self, major: u8, bytes: &[u8]) {
        self.head(major, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    fn head(&mut self, major: u8, argument: u64) {
        let (info, size) = match argument {
            0..24 => (argument as u8, 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        self.bytes.push(major << 5 | info);
        self.bytes.extend_from_slice(&argument.to_be_bytes()[8 - size..]);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    budget: Budget,
}

struct Head {
    major: u8,
    info: u8,
    argument: u64,
}

impl<'a> Reader<'a> {
    fn value(&mut self, level: usize) -> Result<Value, NoValue> {
        let head = self.head()?;
        match head.major {
            UNSIGNED | NEGATIVE => Ok(integer(head.argument, head.major == NEGATIVE)),
            BYTES => Ok(Value::Bytes(View::Uint8Array, self.take(head.argument)?.to_vec())),
            TEXT => Ok(Value::Text(self.text(head.argument)?)),
            ARRAY => Ok(Value::List(self.elements(head.argument, level)?)),
            MAP => Ok(Value::Object(self.members(head.argument, level)?)),
            TAG => self.tagged(head.argument, level),
            _ => simple(&head),
        }
    }

    /// Lengths are definite: our writers never need the others.
    fn head(&mut self) -> Result<Head, NoValue> {
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 31);
        let argument = match info {
            0..24 => u64::from(info),
            24..28 => self.take(1 << (info - 24))?.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
            _ => return Err(NoValue("an indefinite or reserved length")),
        };
        Ok(Head { major, info, argument })
    }

    fn take(&mut self, size: u64) -> Result<&'a [u8], NoValue> {
        let size = usize::try_from(size).map_err(|_| TOO_SHORT)?;
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn expect(&mut self, major: u8) -> Result<u64, NoValue> {
        let head = self.head()?;
        if head.major == major { Ok(head.argument) } else { Err(NoValue("what is behind a tag isn't its")) }
    }

    fn text(&mut self, size: u64) -> Result<String, NoValue> {
        String::from_utf8(self.take(size)?.to_vec()).map_err(|_| NoValue("a text isn't UTF-8"))
    }

    fn enter(&mut self, count: u64, each: usize, level: usize) -> Result<usize, NoValue> {
        let count = usize::try_from(count).map_err(|_| TOO_SHORT)?;
        let items = count.checked_mul(each).filter(|items| *items <= self.rest.len()).ok_or(TOO_SHORT)?;
        self.budget.enter(items, level)?;
        Ok(count)
    }

    fn elements(&mut self, count: u64, level: usize) -> Result<Vec<Value>, NoValue> {
        let count = self.enter(count, 1, level)?;
        (0..count).map(|_| self.value(level + 1)).collect()
    }

    fn entries(&mut self, count: u64, level: usize) -> Result<Vec<(Value, Value)>, NoValue> {
        let count = self.enter(count, 2, level)?;
        (0..count).map(|_| Ok((self.value(level + 1)?, self.value(level + 1)?))).collect()
    }

    fn members(&mut self, count: u64, level: usize) -> Result<Vec<(Value, Value)>, NoValue> {
        let members = self.entries(count, level)?;
        members.iter().try_for_each(|(name, _)| name.is_name())?;
        Ok(members)
    }

    fn tagged(&mut self, tag: u64, level: usize) -> Result<Value, NoValue> {
        match tag {
            SECONDS | MILLISECONDS => self.date(tag == SECONDS),
            BIGNUM | NEGATIVE_BIGNUM => {
                let size = self.expect(BYTES)?;
                let magnitude = self.take(size)?;
                if magnitude.len() > BIGINT_BYTES {
                    return Err(NoValue("a bigint is too large"));
                }
                Ok(Value::BigInt(BigInt::new(tag == NEGATIVE_BIGNUM, magnitude)))
            }
            SET_TAG => {
                let count = self.expect(ARRAY)?;
                Ok(Value::Set(self.elements(count, level)?))
            }
            MAP_TAG => {
                let count = self.expect(MAP)?;
                Ok(Value::Map(self.entries(count, level)?))
            }
            ERROR => {
                let count = self.expect(MAP)?;
                ErrorValue::of(self.members(count, level)?)
            }
            REGEXP => self.regexp(),
            UTF16 => self.utf16(),
            _ => {
                let known = VIEWS.iter().find(|(_, _, known, _)| *known == tag);
                let (view, ..) = known.ok_or(NoValue("a tag isn't one of ours"))?;
                let size = self.expect(BYTES)?;
                Value::view(*view, self.take(size)?.to_vec())
            }
        }
    }

    fn date(&mut self, seconds: bool) -> Result<Value, NoValue> {
        let head = self.head()?;
        let number = match head.major {
            UNSIGNED | NEGATIVE => integer(head.argument, head.major == NEGATIVE),
            7 => simple(&head)?,
            _ => Value::Null,
        };
        let Value::Number(number) = number else { return Err(NoValue("a Date isn't a number")) };
        let ms = if seconds { (number * 1000.0 + 0.5).floor() } else { number };
        Ok(Value::Date(ms.is_finite().then_some(ms as i64)))
    }

    fn regexp(&mut self) -> Result<Value, NoValue> {
        if self.expect(ARRAY)? != 2 {
            return Err(NoValue("a RegExp isn't a source and flags"));
        }
        let size = self.expect(TEXT)?;
        let source = self.text(size)?;
        let size = self.expect(TEXT)?;
        Ok(Value::RegExp { source, flags: self.text(size)? })
    }

    fn utf16(&mut self) -> Result<Value, NoValue> {
        let size = self.expect(BYTES)?;
        if size % 2 != 0 {
            return Err(NoValue("half a character"));
        }
        let pairs = self.take(size)?.chunks_exact(2);
        Ok(Value::of_utf16(pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()))
    }
}

fn integer(argument: u64, negative: bool) -> Value {
    if argument <= MOST_SAFE - u64::from(negative) {
        let number = argument as f64;
        return Value::Number(if negative { -1.0 - number } else { number });
    }
    Value::BigInt(BigInt::new(negative, &argument.to_be_bytes()))
}

fn simple(head: &Head) -> Result<Value, NoValue> {
    Ok(match head.info {
        20 | 21 => Value::Bool(head.info == 21),
        22 => Value::Null,
        23 => Value::Undefined,
        25 => Value::Number(from_half(head.argument as u16)),
        26 => Value::Number(f64::from(f32::from_bits(head.argument as u32))),
        27 => Value::Number(f64::from_bits(head.argument)),
        _ => return Err(NoValue("a simple value isn't one of ours")),
    })
}

fn from_half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        0 => sign * fraction * 2f64.powi(-24),
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}
