//! Filter patterns, as far as they are terms and phrases that an event has to contain, all of them
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>). What else there is (terms
//! that are optional or excluded, JSON, fields, regular expressions) is refused.

/// What an event has to contain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    terms: Vec<String>,
}

/// A pattern that is malformed, or of a kind that is not known here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid filter pattern: the local cloud knows terms of letters, digits and underscores, and phrases in double \
     quotes, not `{0}`"
)]
pub(super) struct UnknownPattern(String);

impl Pattern {
    /// Reads a pattern; an empty one matches every event.
    pub(super) fn parse(text: &str) -> Result<Self, UnknownPattern> {
        let mut terms = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (term, after) = if let Some(quoted) = rest.strip_prefix('"') {
                let phrase = quoted.split_once('"');
                phrase.ok_or_else(|| UnknownPattern(rest.to_owned()))?
            } else {
                word(rest)?
            };
            terms.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(Self { terms })
    }

    /// Whether a line contains each term, in the same case, and not as a part of a longer word.
    pub(super) fn matches(&self, line: &str) -> bool {
        self.terms.iter().all(|term| contains(line, term))
    }
}

/// The term at the beginning of a text, and what follows it.
fn word(text: &str) -> Result<(&str, &str), UnknownPattern> {
    let (term, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if !term.chars().all(is_of_a_word) {
        return Err(UnknownPattern(term.to_owned()));
    }
    Ok((term, after))
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn contains(line: &str, term: &str) -> bool {
    let splits_a_word = |before: Option<char>, after: Option<char>| {
        before.is_some_and(is_of_a_word) && after.is_some_and(is_of_a_word)
    };
    line.match_indices(term).any(|(begin, found)| {
        let (before, after) = (&line[..begin], &line[begin + found.len()..]);
        !splits_a_word(before.chars().next_back(), term.chars().next())
            && !splits_a_word(term.chars().next_back(), after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, line: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(line)
    }

    #[test]
    fn every_term_has_to_be_there_in_its_case_and_as_a_word() {
        let line = "[ERROR 401] UNAUTHORIZED REQUEST";
        for pattern in ["", " ", "ERROR", "REQUEST ERROR", "401"] {
            assert!(matches(pattern, line), "{pattern}");
        }
        for pattern in ["error", "AUTHORIZED", "ERROR Exception", "40"] {
            assert!(!matches(pattern, line), "{pattern}");
        }
    }

    #[test]
    fn a_phrase_has_to_be_there_as_it_stands() {
        let line = "REPORT RequestId: 8f5-b1\tDuration: 1.23 ms";
        for pattern in [
            "\"REPORT RequestId\"",
            "\"RequestId: 8f5-b1\" Duration",
            "\": \"",
            "\"\"",
        ] {
            assert!(matches(pattern, line), "{pattern}");
        }
        for pattern in ["\"RequestId REPORT\"", "\"EPORT\"", "\"8f5-b\""] {
            assert!(!matches(pattern, line), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_named() {
        for pattern in [
            "-ERROR",
            "?ERROR ?WARN",
            "{ $.level = \"INFO\" }",
            "[a, b]",
            "%ERR.*%",
            "task-1",
        ] {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            let first = pattern.split(' ').next().unwrap();
            assert!(error.contains(first), "{pattern}: {error}");
        }
        assert_eq!(Pattern::parse("a \"b c"), Err(UnknownPattern("\"b c".to_owned())));
    }
}
