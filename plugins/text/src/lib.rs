//! The step library `text`: regular expressions, shapes, parts, codes and comparisons of texts.
//!
//! Every step computes only: it uses no verb and gives the same for the same inputs. `README.md` lists them, `cases` shows
//! them in processes.

pub mod codes;
pub mod parts;
pub mod patterns;
pub mod shapes;

stepwise_sdk::export!(
    patterns::Matches,
    patterns::Find,
    patterns::Replace,
    shapes::Change,
    shapes::Shorten,
    shapes::Mask,
    shapes::Plain,
    parts::Split,
    parts::Between,
    parts::Count,
    parts::Compare,
    codes::Encode,
    codes::Decode,
);

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<patterns::Matches>();
        host.check_examples::<patterns::Find>();
        host.check_examples::<patterns::Replace>();
        host.check_examples::<shapes::Change>();
        host.check_examples::<shapes::Shorten>();
        host.check_examples::<shapes::Mask>();
        host.check_examples::<shapes::Plain>();
        host.check_examples::<parts::Split>();
        host.check_examples::<parts::Between>();
        host.check_examples::<parts::Count>();
        host.check_examples::<parts::Compare>();
        host.check_examples::<codes::Encode>();
        host.check_examples::<codes::Decode>();
    }
}
