//! Golden frames: Rust finds in each what is in it, and writes it with the same bytes, as every other language does.

use super::{Reader, Writer};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The fields of a message, up to the end of the text or "}": `bytes` are those. Gives them as Rust writes them.
fn same<'a>(bytes: &[u8], tokens: &mut impl Iterator<Item = &'a str>) -> Writer {
    let fields = Reader::new(bytes).fields().unwrap();
    let mut left = fields.iter();
    let mut written = Writer::default();
    while let Some(token) = tokens.next().filter(|token| *token != "}") {
        let field = left.next().unwrap();
        let (number, value) = token.split_once(['=', '{']).unwrap();
        assert_eq!(field.number, number.parse::<u32>().unwrap());
        written = if token.ends_with('{') {
            written.message(field.number, same(field.bytes, tokens))
        } else if let Some(bytes) = value.strip_prefix('x') {
            assert_eq!(field.bytes, unhex(bytes));
            written.bytes(field.number, field.bytes)
        } else {
            assert_eq!((field.value, field.bytes), (value.parse::<u64>().unwrap(), &[][..]));
            written.number(field.number, field.value)
        };
    }
    assert!(left.next().is_none());
    written
}

#[test]
fn each_golden_frame_is_read_and_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../conformance/vectors/frames.golden.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let frames = file["frames"].as_array().unwrap();
    assert!(!frames.is_empty());
    for frame in frames {
        let text = |name: &str| frame[name].as_str().unwrap();
        println!("{}", text("name"));
        let bytes = unhex(text("bytes"));
        assert_eq!(same(&bytes, &mut text("fields").split(' ')).bytes, bytes);
    }
}
