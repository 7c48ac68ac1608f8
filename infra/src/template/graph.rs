//! Puts things that depend on one another into an order, or finds the circle that makes it impossible.

use std::collections::{BTreeMap, BTreeSet};

/// What each thing, by name, depends on. Names that are no key of their own are passed over.
pub(super) type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// The names, each after all it depends on.
///
/// # Errors
/// A circle: names of which each depends on the next, and the last is the first again.
pub(super) fn order(dependencies: &Dependencies) -> Result<Vec<&str>, Vec<&str>> {
    let mut ordered = Vec::new();
    let mut done = BTreeSet::new();
    for name in dependencies.keys() {
        visit(name, dependencies, &mut done, &mut ordered)?;
    }
    Ok(ordered)
}

/// Depth first, with a stack of its own: the depth is the template's choice, and the thread's stack is not endless.
fn visit<'a>(
    start: &'a str,
    dependencies: &'a Dependencies,
    done: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a str>,
) -> Result<(), Vec<&'a str>> {
    let mut path: Vec<(&str, std::collections::btree_set::Iter<'_, String>)> = Vec::new();
    let mut on_path = BTreeSet::new();
    let mut entering = Some(start);
    loop {
        if let Some(name) = entering.take()
            && !done.contains(name)
            && let Some(needs) = dependencies.get(name)
        {
            if !on_path.insert(name) {
                let mut circle: Vec<&str> = path
                    .iter()
                    .map(|(name, _)| *name)
                    .skip_while(|on| *on != name)
                    .collect();
                circle.push(name);
                return Err(circle);
            }
            path.push((name, needs.iter()));
        }
        let Some((name, needs)) = path.last_mut() else {
            return Ok(());
        };
        entering = needs.next().map(String::as_str);
        if entering.is_none() {
            on_path.remove(name);
            done.insert(name);
            ordered.push(name);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependencies(edges: &[(&str, &[&str])]) -> Dependencies {
        edges
            .iter()
            .map(|(name, needs)| {
                (
                    (*name).to_owned(),
                    needs.iter().map(|need| (*need).to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn what_is_needed_comes_first() {
        let edges = dependencies(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert_eq!(order(&edges).unwrap(), ["c", "b", "a"]);
    }

    #[test]
    fn names_without_an_entry_are_passed_over() {
        assert_eq!(order(&dependencies(&[("a", &["elsewhere"])])).unwrap(), ["a"]);
    }

    #[test]
    fn a_circle_is_named_from_its_first_to_its_first() {
        let edges = dependencies(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"])]);
        assert_eq!(order(&edges).unwrap_err(), ["b", "c", "d", "b"]);
        assert_eq!(order(&dependencies(&[("a", &["a"])])).unwrap_err(), ["a", "a"]);
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let mut edges = Dependencies::new();
        for number in 0..100_000 {
            edges.insert(format!("n{number}"), BTreeSet::from([format!("n{}", number + 1)]));
        }
        assert_eq!(order(&edges).unwrap().len(), 100_000);
    }
}
