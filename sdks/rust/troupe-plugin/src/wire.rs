//! Protocol Buffers, as much as actors need. `prost` would bring a code generator and four crates for a dozen flat
//! messages; this reads fields in any order, skips unknown ones, and reads nothing past the end.

/// A field of a message.
pub struct Field<'a> {
    pub number: u32,
    /// Of a varint; 0 otherwise.
    pub value: u64,
    /// Of bytes, texts and messages; empty otherwise.
    pub bytes: &'a [u8],
}

impl<'a> Field<'a> {
    /// The text, with what isn't UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }

    pub fn message(&self) -> Reader<'a> {
        Reader::new(self.bytes)
    }
}

/// Reads a message's fields.
#[derive(Clone)]
pub struct Reader<'a> {
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// All fields; `None` if this isn't a message.
    pub fn fields(mut self) -> Option<Vec<Field<'a>>> {
        let mut fields = Vec::new();
        while !self.rest.is_empty() {
            fields.push(self.field()?);
        }
        Some(fields)
    }

    /// A number in a field of its own, 0 when it isn't there.
    pub fn number(self, number: u32) -> Option<u64> {
        let fields = self.fields()?;
        Some(fields.iter().find(|field| field.number == number).map_or(0, |field| field.value))
    }

    /// A list of varints, as `repeated uint32` is packed.
    pub fn varints(mut self) -> Option<Vec<u64>> {
        let mut values = Vec::new();
        while !self.rest.is_empty() {
            values.push(self.varint()?);
        }
        Some(values)
    }

    fn field(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let mut field = Field { number, value: 0, bytes: &[] };
        match tag & 7 {
            0 => field.value = self.varint()?,
            1 => drop(self.take(8)?),
            2 => {
                let size = self.varint()?;
                field.bytes = self.take(usize::try_from(size).ok()?)?;
            }
            5 => drop(self.take(4)?),
            _ => return None,
        }
        Some(field)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }
}

/// Writes a message.
#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn number(mut self, field: u32, value: u64) -> Self {
        if value != 0 {
            self.varint(u64::from(field) << 3);
            self.varint(value);
        }
        self
    }

    pub fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        if !bytes.is_empty() {
            self.length_and(field, bytes);
        }
        self
    }

    /// One of several: also an empty one.
    pub fn part(mut self, field: u32, bytes: &[u8]) -> Self {
        self.length_and(field, bytes);
        self
    }

    /// A list of them, as `repeated uint64` is packed.
    pub fn varints(self, field: u32, values: &[u64]) -> Self {
        let mut packed = Writer::default();
        values.iter().for_each(|value| packed.varint(*value));
        self.bytes(field, &packed.bytes)
    }

    pub fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Also an empty one: that it is there says something.
    pub fn message(mut self, field: u32, message: Writer) -> Self {
        self.length_and(field, &message.bytes);
        self
    }

    pub fn messages(self, field: u32, messages: impl IntoIterator<Item = Writer>) -> Self {
        messages.into_iter().fold(self, |writer, message| writer.message(field, message))
    }

    fn length_and(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer};

    #[test]
    fn what_was_written_is_read() {
        let written = Writer::default().number(1, 300).text(2, "a").message(3, Writer::default());
        let fields = Reader::new(&written.bytes).fields().unwrap();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((fields[0].value, fields[1].text().as_str()), (300, "a"));
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let whole = Writer::default().number(1, 300).text(200, "some text").bytes;
        for end in 1..whole.len() {
            // A message may end behind any field.
            assert_eq!(Reader::new(&whole[..end]).fields().is_some(), end == 3, "cut at {end}");
        }
        for garbage in
            [&[0u8][..], &[7], &[0xff; 12], &[10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]]
        {
            assert!(Reader::new(garbage).fields().is_none(), "{garbage:?}");
        }
    }
}

#[cfg(test)]
#[path = "wire_golden.rs"]
mod golden;
