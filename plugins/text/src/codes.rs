//! Texts as other programs want them written, and back.

use std::fmt::Write;

use stepwise_sdk::prelude::*;

/// A way to write a text.
#[derive(Choice, Clone, Copy)]
pub enum Code {
    /// Percent signs, for a part of an address
    Url = 1,
    /// `&lt;` for `<`
    Html = 2,
    /// Base 64
    Base64 = 3,
    /// Two digits for each byte
    Hex = 4,
    /// In quotes, with `\n` for a line break
    Json = 5,
}

/// A text to write.
#[derive(Inputs)]
pub struct Written {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// How it is written
    r#as: Code,
}

/// A text.
#[derive(Outputs)]
pub struct Text {
    /// The text
    text: Option<String>,
}

/// Writes a text in a code.
pub struct Encode;

impl Step for Encode {
    const NAME: &str = "text.encode";
    const TITLE: &str = "Encode a text";
    const DESCRIPTION: &str = "Writes a text for an address, a page, JSON, or in base 64 or hexadecimal.";
    const DETERMINISTIC: bool = true;
    type Inputs = Written;
    type Outputs = Text;

    fn run(_: &Context, written: Written) -> Result<Text, Failure> {
        Ok(Text { text: Some(encoded(&written.text.unwrap_or_default(), written.r#as)) })
    }

    fn examples() -> Vec<Example> {
        let one = |title, text: &str, code, gives: &str| {
            Example::of::<Self>(title, Written { text: Some(text.into()), r#as: code })
                .gives(Text { text: Some(gives.into()) })
        };
        vec![
            one("part of an address", "a b&ü", Code::Url, "a%20b%26%C3%BC"),
            one("part of a page", "5 < 7 & \"so\"", Code::Html, "5 &lt; 7 &amp; &quot;so&quot;"),
            one("base 64", "Ada:pass", Code::Base64, "QWRhOnBhc3M="),
            one("hexadecimal", "Aü", Code::Hex, "41c3bc"),
            one("part of JSON", "say \"no\"\n", Code::Json, "\"say \\\"no\\\"\\n\""),
        ]
    }
}

/// A text to read.
#[derive(Inputs)]
pub struct Coded {
    /// The text as it is written
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// How it is written: `url`, `base64` or `hex`
    r#as: Code,
}

/// Reads what is written in a code.
pub struct Decode;

impl Step for Decode {
    const NAME: &str = "text.decode";
    const TITLE: &str = "Decode a text";
    const DESCRIPTION: &str =
        "Reads what is written for an address, in base 64 or hexadecimal. `text.plain` reads HTML, `json.get` JSON.";
    const ERRORS: &[(&str, &str)] =
        &[("bad-code", "The text is not written so"), ("no-reader", "Another step reads this code")];
    const DETERMINISTIC: bool = true;
    type Inputs = Coded;
    type Outputs = Text;

    fn run(_: &Context, coded: Coded) -> Result<Text, Failure> {
        let text = coded.text.unwrap_or_default();
        let bytes = match coded.r#as {
            Code::Url => from_url(&text),
            Code::Base64 => from_base64(&text),
            Code::Hex => from_hex(text.trim()),
            Code::Html => return Err(Failure::invalid_input("no-reader", "`text.plain` reads HTML")),
            Code::Json => return Err(Failure::invalid_input("no-reader", "`json.get` reads JSON")),
        };
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| Failure::invalid_input("bad-code", "`text` is not written so, or is no text"))?;
        Ok(Text { text: Some(text) })
    }

    fn examples() -> Vec<Example> {
        let one = |title, text: &str, code, gives: &str| {
            Example::of::<Self>(title, Coded { text: Some(text.into()), r#as: code })
                .gives(Text { text: Some(gives.into()) })
        };
        vec![
            one("part of an address", "a%20b+%C3%BC", Code::Url, "a b ü"),
            one("base 64", "QWRhOnBhc3M", Code::Base64, "Ada:pass"),
            one("hexadecimal", "41c3bc", Code::Hex, "Aü"),
            Example::failing("no hexadecimal", attributes! { "text" => "4x", "as" => Code::Hex }, "bad-code"),
            Example::failing("a page", attributes! { "text" => "&lt;", "as" => Code::Html }, "no-reader"),
        ]
    }
}

const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encoded(text: &str, code: Code) -> String {
    let mut out = String::with_capacity(text.len());
    match code {
        Code::Url => {
            for byte in text.bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
                    other => {
                        let _ = write!(out, "%{other:02X}");
                    }
                }
            }
        }
        Code::Hex => text.bytes().for_each(|byte| {
            let _ = write!(out, "{byte:02x}");
        }),
        Code::Base64 => text.as_bytes().chunks(3).for_each(|three| put_base64(&mut out, three)),
        Code::Html => text.chars().for_each(|letter| match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }),
        Code::Json => {
            out.push('"');
            text.chars().for_each(|letter| match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                control if control < ' ' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(control));
                }
                other => out.push(other),
            });
            out.push('"');
        }
    }
    out
}

fn put_base64(out: &mut String, three: &[u8]) {
    let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
    let bits = at(0) << 16 | at(1) << 8 | at(2);
    for place in 0..4 {
        let sign = SIGNS[(bits >> (18 - 6 * place) & 63) as usize];
        out.push(if place <= three.len() { char::from(sign) } else { '=' });
    }
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    let signs = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    for sign in signs.take_while(|byte| *byte != b'=') {
        let plain = match sign {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let number = SIGNS.iter().position(|known| *known == plain)?;
        bits = bits << 6 | number as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 255) as u8);
        }
    }
    Some(bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn from_url(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                bytes.extend(from_hex(std::str::from_utf8(&[*high, *low]).ok()?)?);
                rest = behind;
            }
            (b'%', _) => return None,
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    Some(bytes)
}
