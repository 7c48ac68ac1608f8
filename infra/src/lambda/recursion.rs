//! Detection of recursive loops: how often a function was invoked in one chain of requests
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
//!
//! The count travels in the trace header, in a field `Lineage` that Lambda keeps and that SDKs, SQS and destinations
//! hand on. AWS documents the field's purpose but not its format. In public recordings it reads
//! `Lineage=a87bd80c:1|68fd508a:5`, a hash of each function with the times that it had been invoked before; newer ones
//! have a number in front, as in `Lineage=1:e547cb94:0`, and one function alone. Here it is written in the older form,
//! which can count every function of a loop, and read in both.

use md5::{Digest as _, Md5};

/// How many times a function is invoked in one chain. AWS says "approximately 16 times".
const LARGEST_COUNT: u32 = 16;

/// The field's name in the header.
const FIELD: &str = "Lineage=";

/// A function was invoked so often in one chain of requests that the next invocation is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loop;

/// The functions of a chain of requests, each with the number of its invocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lineage(Vec<(String, u32)>);

impl Lineage {
    /// What a trace header says. One without the field, or with a field that makes no sense, begins a chain.
    pub(super) fn of(trace_header: &str) -> Self {
        let field = trace_header
            .split(';')
            .find_map(|field| field.trim().strip_prefix(FIELD));
        Self(
            field
                .unwrap_or_default()
                .split('|')
                .filter_map(function_and_count)
                .collect(),
        )
    }

    /// What follows from several requests at once, as the messages of a batch are: for each function the longest chain.
    /// How AWS counts a batch is not known.
    pub(super) fn merged<'a>(trace_headers: impl Iterator<Item = &'a str>) -> Self {
        let mut merged = Self::default();
        for (function, count) in trace_headers.flat_map(|header| Self::of(header).0) {
            match merged.0.iter_mut().find(|(other, _)| *other == function) {
                Some((_, most)) => *most = count.max(*most),
                None => merged.0.push((function, count)),
            }
        }
        merged
    }

    /// Counts one more invocation of a function.
    ///
    /// # Errors
    ///
    /// It was invoked often enough, and `is_loop_allowed` is not set.
    pub(super) fn extend(&mut self, function_arn: &str, is_loop_allowed: bool) -> Result<(), Loop> {
        let hash = hash(function_arn);
        match self.0.iter_mut().find(|(other, _)| *other == hash) {
            Some((_, before)) if *before + 1 >= LARGEST_COUNT && !is_loop_allowed => return Err(Loop),
            Some((_, before)) => *before = before.saturating_add(1),
            None => self.0.push((hash, 0)),
        }
        Ok(())
    }

    /// The trace header, with this lineage in place of the one in it.
    pub(super) fn write_into(&self, trace_header: &str) -> String {
        let fields = trace_header
            .split(';')
            .filter(|field| !field.is_empty() && !field.trim().starts_with(FIELD));
        let lineage: Vec<String> = self
            .0
            .iter()
            .map(|(function, count)| format!("{function}:{count}"))
            .collect();
        let lineage = (!lineage.is_empty()).then(|| format!("{FIELD}{}", lineage.join("|")));
        fields
            .map(str::to_owned)
            .chain(lineage)
            .collect::<Vec<_>>()
            .join(";")
    }
}

/// One function of the field, with or without the number in front.
fn function_and_count(text: &str) -> Option<(String, u32)> {
    let (function, count) = text.rsplit_once(':')?;
    let function = function
        .rsplit_once(':')
        .map_or(function, |(_, function)| function);
    let is_hash = function.len() == 8 && function.chars().all(|digit| digit.is_ascii_hexdigit());
    is_hash.then(|| Some((function.to_owned(), count.parse().ok()?)))?
}

/// Eight hexadecimal digits that stand for a function. AWS's own hash is not known.
fn hash(function_arn: &str) -> String {
    use std::fmt::Write as _;
    Md5::digest(function_arn)
        .iter()
        .take(4)
        .fold(String::new(), |mut hash, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
            hash
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

    fn extend(header: &str, function: &str) -> Result<String, Loop> {
        let mut lineage = Lineage::of(header);
        lineage.extend(function, false)?;
        Ok(lineage.write_into(header))
    }

    #[test]
    fn a_function_is_invoked_sixteen_times_in_a_chain_and_no_more() {
        let mut header = ROOT.to_owned();
        for _ in 0..16 {
            header = extend(&header, FUNCTION).unwrap();
        }
        assert_eq!(extend(&header, FUNCTION), Err(Loop));
        assert!(Lineage::of(&header).extend(FUNCTION, true).is_ok());
    }

    #[test]
    fn each_function_of_a_loop_is_counted_by_itself() {
        let mut header = ROOT.to_owned();
        for _ in 0..16 {
            header = extend(&header, FUNCTION).unwrap();
            header = extend(&header, "another").unwrap();
        }
        assert_eq!(extend(&header, FUNCTION), Err(Loop));
        assert!(header.len() < 200, "{header}");
    }

    #[test]
    fn the_header_keeps_its_other_fields() {
        let first = extend(ROOT, FUNCTION).unwrap();
        assert_eq!(first, format!("{ROOT};Lineage={}:0", hash(FUNCTION)));
        assert_eq!(
            extend(&first, FUNCTION).unwrap(),
            format!("{ROOT};Lineage={}:1", hash(FUNCTION))
        );
        assert_eq!(Lineage::default().write_into(ROOT), ROOT);
    }

    /// The headers stand in messages and answers of AWS that were published.
    #[test]
    fn both_recorded_forms_are_read() {
        let lineage = |field: &str| Lineage::of(&format!("{ROOT};Lineage={field}")).0;
        assert_eq!(
            lineage("aae260cf:0|74085691:2"),
            [("aae260cf".to_owned(), 0), ("74085691".to_owned(), 2)]
        );
        assert_eq!(lineage("100:e3b99cdc:7"), [("e3b99cdc".to_owned(), 7)]);
    }

    #[test]
    fn a_field_that_makes_no_sense_begins_a_chain() {
        for field in ["", "x", "zzzzzzzz:1", "aae260cf:-1", "aae260cf:99999999999"] {
            assert_eq!(
                Lineage::of(&format!("{ROOT};Lineage={field}")),
                Lineage::default(),
                "{field}"
            );
        }
        assert_eq!(Lineage::of("nonsense"), Lineage::default());
    }

    #[test]
    fn a_batch_counts_as_its_longest_chain() {
        let headers = [
            "Lineage=aae260cf:3|74085691:1",
            "Root=1-0-0",
            "Lineage=74085691:5",
        ];
        let merged = Lineage::merged(headers.into_iter());
        assert_eq!(merged.0, [("aae260cf".to_owned(), 3), ("74085691".to_owned(), 5)]);
    }
}
