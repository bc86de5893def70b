//! Values as JSON, by serde: what JSON can't say is a list that begins with "$", as `["$Date", 0]`, and a list that begins so
//! has one more. A text with half a surrogate pair is JSON that serde_json refuses, so it can't be an argument.

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::base64;
use crate::value::{BIGINT_BYTES, BigInt, Budget, ErrorValue, MOST_SAFE, NoValue, VIEWS, Value, View};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Undefined => ["$Undefined"].serialize(to),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Number(number) => number_to(*number, to),
            Self::BigInt(integer) => ("$BigInt", decimal(integer)).serialize(to),
            Self::Text(text) => to.serialize_str(text),
            Self::Utf16(_) => Err(S::Error::custom("serde_json can't write half a surrogate pair")),
            Self::Date(ms) => ("$Date", ms).serialize(to),
            Self::RegExp { source, flags } => ("$RegExp", (source, flags)).serialize(to),
            Self::Error(error) => ("$Error", Self::Object(error.members())).serialize(to),
            Self::Bytes(view, bytes) => {
                let name = VIEWS.iter().find(|(known, ..)| known == view).map_or("", |(_, name, ..)| *name);
                (format!("${name}"), base64::encode(bytes)).serialize(to)
            }
            Self::List(elements) => list_to(elements, to),
            Self::Object(members) => object_to(members, to),
            Self::Map(entries) => ("$Map", entries).serialize(to),
            Self::Set(elements) => ("$Set", Elements(elements)).serialize(to),
        }
    }
}

/// Those of a Set, whose first may begin with "$" as it likes.
struct Elements<'a>(&'a [Value]);

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0)
    }
}

fn number_to<S: Serializer>(number: f64, to: S) -> Result<S::Ok, S::Error> {
    let name = match number {
        _ if number.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ if number == 0.0 && number.is_sign_negative() => "-0",
        _ if number.trunc() == number && number.abs() <= MOST_SAFE as f64 => {
            return to.serialize_i64(number as i64);
        }
        _ => return to.serialize_f64(number),
    };
    ("$Number", name).serialize(to)
}

fn list_to<S: Serializer>(elements: &[Value], to: S) -> Result<S::Ok, S::Error> {
    let mut list = to.serialize_seq(Some(elements.len()))?;
    for (at, element) in elements.iter().enumerate() {
        match element {
            Value::Text(text) if at == 0 && text.starts_with('$') => {
                list.serialize_element(&format!("${text}"))?
            }
            _ => list.serialize_element(element)?,
        }
    }
    list.end()
}

fn object_to<S: Serializer>(members: &[(Value, Value)], to: S) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_map(Some(members.len()))?;
    for (name, value) in members {
        name.is_name().map_err(S::Error::custom)?;
        object.serialize_entry(name, value)?;
    }
    object.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let parsed = Parsed::deserialize(from)?;
        revive(parsed, &mut Budget::new(), 0).map_err(D::Error::custom)
    }
}

/// JSON with its members in order, which `serde_json::Value` sorts.
enum Parsed {
    Plain(Json),
    List(Vec<Parsed>),
    Object(Vec<(String, Parsed)>),
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> serde::de::Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Plain(Json::Null))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Parsed, E> {
        Ok(Parsed::Plain(truth.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Parsed, E> {
        Ok(Parsed::Plain(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Parsed, E> {
        Ok(Parsed::Plain(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Parsed, E> {
        Ok(Parsed::Plain(text.into()))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Parsed, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Parsed::List(elements))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut object: A) -> Result<Parsed, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Parsed::Object(members))
    }
}

fn revive(parsed: Parsed, budget: &mut Budget, level: usize) -> Result<Value, NoValue> {
    match parsed {
        Parsed::Plain(Json::Bool(truth)) => Ok(Value::Bool(truth)),
        Parsed::Plain(Json::String(text)) => Ok(Value::Text(text)),
        Parsed::Plain(Json::Number(number)) => Ok(Value::Number(number.as_f64().unwrap_or(f64::NAN))),
        Parsed::Plain(_) => Ok(Value::Null),
        Parsed::Object(members) => Ok(Value::Object(revive_members(members, budget, level)?)),
        Parsed::List(elements) => revive_list(elements, budget, level),
    }
}

fn revive_members(
    members: Vec<(String, Parsed)>,
    budget: &mut Budget,
    level: usize,
) -> Result<Vec<(Value, Value)>, NoValue> {
    budget.enter(members.len(), level)?;
    let revived = members.into_iter().map(|(name, member)| {
        let name = Value::Text(name);
        name.is_name()?;
        Ok((name, revive(member, budget, level + 1)?))
    });
    revived.collect()
}

fn revive_elements(elements: Vec<Parsed>, budget: &mut Budget, level: usize) -> Result<Vec<Value>, NoValue> {
    budget.enter(elements.len(), level)?;
    elements.into_iter().map(|element| revive(element, budget, level + 1)).collect()
}

fn revive_list(elements: Vec<Parsed>, budget: &mut Budget, level: usize) -> Result<Value, NoValue> {
    let special = match elements.first() {
        Some(Parsed::Plain(Json::String(first))) => first.strip_prefix('$').map(String::from),
        _ => None,
    };
    let Some(special) = special else {
        return Ok(Value::List(revive_elements(elements, budget, level)?));
    };
    if special.starts_with('$') {
        let mut list = revive_elements(elements, budget, level)?;
        list[0] = Value::Text(special);
        return Ok(Value::List(list));
    }
    let mut operands = elements.into_iter().skip(1);
    let operand = operands.next().unwrap_or(Parsed::Plain(Json::Null));
    match operands.next() {
        None => revive_special(&special, operand, budget, level),
        Some(_) => Err(NoValue("a special has more than one operand")),
    }
}

fn revive_special(
    special: &str,
    operand: Parsed,
    budget: &mut Budget,
    level: usize,
) -> Result<Value, NoValue> {
    match (special, operand) {
        ("Undefined", _) => Ok(Value::Undefined),
        ("Number", Parsed::Plain(Json::String(name))) => special_number(&name),
        ("BigInt", Parsed::Plain(Json::String(digits))) => Ok(Value::BigInt(of_decimal(&digits)?)),
        ("Date", Parsed::Plain(Json::Null)) => Ok(Value::Date(None)),
        ("Date", Parsed::Plain(Json::Number(ms))) => {
            ms.as_i64().map(|ms| Value::Date(Some(ms))).ok_or(NoValue("$Date without milliseconds"))
        }
        ("RegExp", Parsed::List(parts)) => match parts.as_slice() {
            [Parsed::Plain(Json::String(source)), Parsed::Plain(Json::String(flags))] => {
                Ok(Value::RegExp { source: source.clone(), flags: flags.clone() })
            }
            _ => Err(NoValue("$RegExp without a source")),
        },
        ("Map", Parsed::List(entries)) => revive_map(entries, budget, level),
        ("Set", Parsed::List(elements)) => Ok(Value::Set(revive_elements(elements, budget, level)?)),
        ("Error", Parsed::Object(members)) => ErrorValue::of(revive_members(members, budget, level)?),
        (name, Parsed::Plain(Json::String(text))) => {
            let known = VIEWS.iter().find(|(_, known, ..)| *known == name);
            let view: View = known.ok_or(NoValue("an unknown special type"))?.0;
            Value::view(view, base64::decode(&text).ok_or(NoValue("binary data without base64"))?)
        }
        _ => Err(NoValue("a special without its operand")),
    }
}

fn revive_map(entries: Vec<Parsed>, budget: &mut Budget, level: usize) -> Result<Value, NoValue> {
    budget.enter(2 * entries.len(), level)?;
    let pairs = entries.into_iter().map(|entry| {
        let pair = match entry {
            Parsed::List(pair) => <[Parsed; 2]>::try_from(pair).ok(),
            _ => None,
        };
        let [key, value] = pair.ok_or(NoValue("an entry of $Map isn't a pair"))?;
        Ok((revive(key, budget, level + 1)?, revive(value, budget, level + 1)?))
    });
    Ok(Value::Map(pairs.collect::<Result<_, _>>()?))
}

fn special_number(name: &str) -> Result<Value, NoValue> {
    Ok(Value::Number(match name {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        "-0" => -0.0,
        _ => return Err(NoValue("$Number of none of the special numbers")),
    }))
}

/// The digits of a big integer: its magnitude is divided by a power of ten until nothing is left.
fn decimal(integer: &BigInt) -> String {
    let mut rest = integer.magnitude.clone();
    if integer.negative {
        // -1 - m has the digits of m + 1.
        let carried = rest.iter_mut().rev().all(|byte| {
            *byte = byte.wrapping_add(1);
            *byte == 0
        });
        if carried {
            rest.insert(0, 1);
        }
    }
    let mut digits = Vec::new();
    while rest.iter().any(|byte| *byte != 0) {
        let remainder = rest.iter_mut().fold(0u32, |remainder, byte| {
            let dividend = remainder << 8 | u32::from(*byte);
            *byte = (dividend / 10) as u8;
            dividend % 10
        });
        digits.push(char::from(b'0' + remainder as u8));
    }
    if digits.is_empty() {
        digits.push('0');
    }
    if integer.negative {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

fn of_decimal(text: &str) -> Result<BigInt, NoValue> {
    const BROKEN: NoValue = NoValue("$BigInt without a decimal number");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty();
    // So many digits no big integer within the limit has.
    if !plain || (digits.starts_with('0') && text != "0") || digits.len() > BIGINT_BYTES * 3 {
        return Err(BROKEN);
    }
    let mut magnitude: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let carry = magnitude.iter_mut().fold(u32::from(digit - b'0'), |carry, byte| {
            let sum = u32::from(*byte) * 10 + carry;
            *byte = sum as u8;
            sum >> 8
        });
        if carry > 0 {
            magnitude.push(carry as u8);
        }
    }
    magnitude.reverse();
    if negative {
        // It is -1 - m: m is one less.
        for byte in magnitude.iter_mut().rev() {
            *byte = byte.wrapping_sub(1);
            if *byte != 0xff {
                break;
            }
        }
    }
    let integer = BigInt::new(negative, &magnitude);
    if integer.magnitude.len() > BIGINT_BYTES { Err(BROKEN) } else { Ok(integer) }
}
