//! Base64 with padding, as values have it in JSON.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0usize, |group, at| group << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = char::from(DIGITS[group >> (18 - 6 * at) & 63]);
            text.push(if at > chunk.len() { '=' } else { digit });
        }
    }
    text
}

/// `None`: it isn't base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() % 4 != 0 {
        return None;
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0usize;
        for digit in chunk {
            group = group << 6 | DIGITS.iter().position(|known| known == digit)?;
        }
        group <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&[(group >> 16) as u8, (group >> 8) as u8, group as u8][..chunk.len() - 1]);
    }
    Some(bytes)
}
