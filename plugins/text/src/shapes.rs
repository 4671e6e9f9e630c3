//! Texts in another shape: case, length, what must not be read, what a page of HTML says.

use stepwise_sdk::prelude::*;

/// What a text can be turned into.
#[derive(Choice, Clone, Copy)]
pub enum Shape {
    /// `HELLO WORLD`
    Upper = 1,
    /// `hello world`
    Lower = 2,
    /// `Hello World`
    Title = 3,
    /// `Hello world`
    Sentence = 4,
    /// `hello-world`
    Slug = 5,
    /// White space at the ends gone, one space for any other
    Tidy = 6,
    /// `HW`
    Initials = 7,
    /// Digits only
    Digits = 8,
    /// Letters and digits only
    Alphanumeric = 9,
    /// From its end to its beginning
    Reversed = 10,
}

/// A text and its new shape.
#[derive(Inputs)]
pub struct Reshape {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// What it is turned into
    to: Shape,
}

/// A text.
#[derive(Outputs)]
pub struct Text {
    /// The text in its new shape
    text: Option<String>,
}

/// Turns a text into another shape.
pub struct Change;

impl Step for Change {
    const NAME: &str = "text.change";
    const TITLE: &str = "Change the shape of a text";
    const DESCRIPTION: &str = "Capitals, titles, slugs, initials, digits only, white space tidied.";
    const DETERMINISTIC: bool = true;
    type Inputs = Reshape;
    type Outputs = Text;

    fn run(_: &Context, asked: Reshape) -> Result<Text, Failure> {
        Ok(Text { text: Some(reshaped(&asked.text.unwrap_or_default(), asked.to)) })
    }

    fn examples() -> Vec<Example> {
        let one = |title, text: &str, to, gives: &str| {
            Example::of::<Self>(title, Reshape { text: Some(text.into()), to }).gives(Text { text: Some(gives.into()) })
        };
        vec![
            one("a title", "the card WAS lost", Shape::Title, "The Card Was Lost"),
            one("a slug", "  Lost & found: 2 cards! ", Shape::Slug, "lost-found-2-cards"),
            one("initials", "Ada Augusta Lovelace", Shape::Initials, "AAL"),
            one("digits", "+49 (30) 12-34", Shape::Digits, "49301234"),
            one("tidy", "  a \n\t b  ", Shape::Tidy, "a b"),
        ]
    }
}

fn reshaped(text: &str, to: Shape) -> String {
    match to {
        Shape::Upper => text.to_uppercase(),
        Shape::Lower => text.to_lowercase(),
        Shape::Title => each_word(text, |word| capital(&word.to_lowercase())),
        Shape::Sentence => capital(&text.to_lowercase()),
        Shape::Slug => {
            let words = text.to_lowercase();
            let words = words.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-")
        }
        Shape::Tidy => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Shape::Initials => {
            text.split_whitespace().filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect()
        }
        Shape::Digits => text.chars().filter(char::is_ascii_digit).collect(),
        Shape::Alphanumeric => text.chars().filter(|letter| letter.is_alphanumeric()).collect(),
        Shape::Reversed => text.chars().rev().collect(),
    }
}

/// Each word changed; what stands between them stays.
fn each_word(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end_matches(char::is_whitespace);
        out.push_str(&change(word));
        out.push_str(&part[word.len()..]);
    }
    out
}

/// The text with its first letter as a capital.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text that is too long.
#[derive(Inputs)]
pub struct Long {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// How many characters it may have
    #[argument(min = 0, max = 100000)]
    length: u32,
    /// What a text that was cut ends with; it counts
    #[argument(default = "…", max_length = 100)]
    ending: String,
    /// Whether it is cut between words where that is possible
    #[argument(default = true)]
    whole_words: bool,
}

/// A text that fits.
#[derive(Outputs)]
pub struct Short {
    /// The text
    text: Option<String>,
    /// Whether something was cut
    cut: bool,
}

/// Cuts a text.
pub struct Shorten;

impl Step for Shorten {
    const NAME: &str = "text.shorten";
    const TITLE: &str = "Shorten a text";
    const DESCRIPTION: &str = "Cuts a text to a length, between words, and marks that something is missing.";
    const DETERMINISTIC: bool = true;
    type Inputs = Long;
    type Outputs = Short;

    fn run(_: &Context, long: Long) -> Result<Short, Failure> {
        let (text, most) = (long.text.unwrap_or_default(), long.length as usize);
        if text.chars().count() <= most {
            return Ok(Short { text: Some(text), cut: false });
        }
        let room = most.saturating_sub(long.ending.chars().count());
        let kept: String = text.chars().take(room).collect();
        let between = !text.chars().nth(room).is_none_or(char::is_whitespace);
        let kept = match kept.rfind(char::is_whitespace).filter(|_| long.whole_words && between) {
            Some(end) if !kept[..end].trim().is_empty() => &kept[..end],
            _ => kept.as_str(),
        };
        let ending: String = long.ending.chars().take(most).collect();
        Ok(Short { text: Some(format!("{}{ending}", kept.trim_end())), cut: true })
    }

    fn examples() -> Vec<Example> {
        let long = |length, whole_words| Long {
            text: Some("The card was lost on the way".into()),
            length,
            ending: "…".into(),
            whole_words,
        };
        vec![
            Example::of::<Self>("between words", long(12, true))
                .gives(Short { text: Some("The card…".into()), cut: true }),
            Example::of::<Self>("anywhere", long(12, false))
                .gives(Short { text: Some("The card wa…".into()), cut: true }),
            Example::of::<Self>("short enough", long(100, true))
                .gives(Short { text: Some("The card was lost on the way".into()), cut: false }),
        ]
    }
}

/// A text that not everybody may read.
#[derive(Inputs)]
pub struct Secret {
    /// The text
    #[argument(max_length = 100000)]
    text: Option<String>,
    /// How many characters at its end stay readable
    #[argument(default = 4, min = 0, max = 100)]
    keep: u32,
    /// What stands for each of the others
    #[argument(default = "*", max_length = 1)]
    with: String,
}

/// Masks a text.
pub struct Mask;

impl Step for Mask {
    const NAME: &str = "text.mask";
    const TITLE: &str = "Mask a text";
    const DESCRIPTION: &str =
        "Puts a character in the place of all but the last ones, for numbers of cards and accounts.";
    const DETERMINISTIC: bool = true;
    type Inputs = Secret;
    type Outputs = Text;

    fn run(_: &Context, secret: Secret) -> Result<Text, Failure> {
        let text = secret.text.unwrap_or_default();
        let letters = text.chars().count();
        // What is as short as what stays readable is hidden whole.
        let keep = (secret.keep as usize).min(letters.saturating_sub(1));
        let masked = |(place, letter): (usize, char)| match place + keep < letters && letter.is_alphanumeric() {
            true => secret.with.chars().next().unwrap_or('*'),
            false => letter,
        };
        let hidden = letters <= secret.keep as usize;
        let text = match hidden {
            true => text.chars().map(|_| secret.with.chars().next().unwrap_or('*')).collect(),
            false => text.chars().enumerate().map(masked).collect(),
        };
        Ok(Text { text: Some(text) })
    }

    fn examples() -> Vec<Example> {
        let secret = |text: &str| Secret { text: Some(text.into()), keep: 4, with: "*".into() };
        vec![
            Example::of::<Self>("a card", secret("4111-1111-1111-1234"))
                .gives(Text { text: Some("****-****-****-1234".into()) }),
            Example::of::<Self>("too short to show any of it", secret("123")).gives(Text { text: Some("***".into()) }),
        ]
    }
}

/// A text with markup.
#[derive(Inputs)]
pub struct Marked {
    /// A page or a piece of HTML
    #[argument(max_length = 100000)]
    html: Option<String>,
}

/// Takes the markup out of HTML.
pub struct Plain;

impl Step for Plain {
    const NAME: &str = "text.plain";
    const TITLE: &str = "Plain text of HTML";
    const DESCRIPTION: &str =
        "Takes tags, scripts and styles out, breaks lines where blocks end, and reads the common entities.";
    const DETERMINISTIC: bool = true;
    type Inputs = Marked;
    type Outputs = Text;

    fn run(_: &Context, marked: Marked) -> Result<Text, Failure> {
        let lines = without_tags(&marked.html.unwrap_or_default());
        let lines = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let text = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        Ok(Text { text: Some(without_entities(&text)) })
    }

    fn examples() -> Vec<Example> {
        let html = "<p>Dear <b>Ms&nbsp;Okafor</b>,</p><script>alert(1)</script><p>5 &lt; 7 &amp; so on<br>Bye</p>";
        vec![
            Example::of::<Self>("a letter", Marked { html: Some(html.into()) })
                .gives(Text { text: Some("Dear Ms\u{a0}Okafor,\n5 < 7 & so on\nBye".into()) }),
            Example::of::<Self>("no markup", Marked { html: Some("2 < 3".into()) })
                .gives(Text { text: Some("2 < 3".into()) }),
        ]
    }
}

/// Elements whose content nobody reads.
const HIDDEN: [&str; 3] = ["script", "style", "head"];
/// Elements that end a line.
const BLOCKS: [&str; 14] =
    ["p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "table", "blockquote"];

fn without_tags(html: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(html.len()), html);
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tag = &rest[start + 1..];
        // A `<` that opens no tag is a sign like any other.
        if !tag.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '!')) {
            out.push('<');
            rest = tag;
            continue;
        }
        let Some(end) = tag.find('>') else {
            rest = "";
            break;
        };
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        if BLOCKS.contains(&name.as_str()) {
            out.push('\n');
        }
        rest = &tag[end + 1..];
        if HIDDEN.contains(&name.as_str()) && !tag.starts_with('/') {
            rest = behind_end(rest, &name);
        }
    }
    out.push_str(rest);
    out
}

/// What comes after the end tag of this name; nothing where there is none.
fn behind_end<'a>(text: &'a str, name: &str) -> &'a str {
    let lower = text.to_ascii_lowercase();
    let Some(start) = lower.find(&format!("</{name}")) else { return "" };
    text[start..].find('>').map_or("", |end| &text[start + end + 1..])
}

fn without_entities(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        let entity = &rest[start + 1..];
        let end = entity.bytes().take(10).position(|byte| byte == b';');
        match end.and_then(|end| Some((named(&entity[..end])?, end))) {
            Some((letter, end)) => {
                out.push(letter);
                rest = &entity[end + 1..];
            }
            None => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.push_str(rest);
    out
}

fn named(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
        return hexadecimal.unwrap_or_else(|| number.parse()).ok().and_then(char::from_u32);
    }
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "euro" => '€',
        "pound" => '£',
        "copy" => '©',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        _ => return None,
    })
}
