//! Templates.

use std::{collections::BTreeMap, io::Write as _};

use infra::template;
use proptest::{collection::vec, prelude::*, sample::select};

fn load(template: &[u8]) -> Result<template::Stack, template::TemplateError> {
    let mut file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    file.write_all(template).unwrap();
    let settings = template::Settings {
        region: "us-east-1".to_owned(),
        account_id: "123456789012".to_owned(),
        endpoint_url: "http://localhost:1".to_owned(),
        api_url: "http://localhost:2".to_owned(),
        stack_name: "local".to_owned(),
        parameters: BTreeMap::new(),
    };
    template::load(file.path(), &settings)
}

proptest! {
    #[test]
    fn a_template_of_any_bytes_is_refused(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(load(&bytes).is_err());
    }

    /// A template that is right but for one place: cut, written over, or with a piece of it repeated.
    #[test]
    fn a_damaged_template_is_read_or_refused(
        variant in select(&[
            include_str!("../../self-invoke.yaml"),
            include_str!("../../sqs-worker.yaml"),
            include_str!("../../split-lambda.yaml"),
        ]),
        position in any::<prop::sample::Index>(),
        length in 0..40_usize,
        piece in prop_oneof![
            any::<String>(),
            select(&["!Ref X", "!Sub ${", "&a", "*a", "- - -", "{", "[", "|", "\t", "!GetAtt", "null", "9e999"])
                .prop_map(str::to_owned),
        ],
    ) {
        let start = position.index(variant.len());
        let end = (start + length).min(variant.len());
        let damaged = [&variant.as_bytes()[..start], piece.as_bytes(), &variant.as_bytes()[end..]].concat();
        // Either is right; that it comes back is what is tested.
        let _ = load(&damaged);
    }
}
