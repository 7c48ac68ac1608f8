//! Which route takes a request: the most specific one
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>).

use std::collections::BTreeMap;

use axum::http::Method;

use crate::template::{self, Route, Target};

/// The routes of an API.
#[derive(Debug)]
pub(super) struct Routes(Vec<Route>);

/// The route that takes a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match<'a> {
    pub(super) target: &'a Target,
    /// As in `ANY /tasks/{id}`.
    pub(super) key: String,
    /// The path of the request, decoded.
    pub(super) path: String,
    pub(super) path_parameters: BTreeMap<String, String>,
}

/// How well a path fits, better ones being greater: literal segments before parameters, parameters before the rest of
/// the path, and that before the default. A route of the very method comes before one of any.
type Rank = (Vec<u8>, bool);

impl Routes {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// The route for a method and a decoded path.
    pub(super) fn find(&self, method: &Method, path: String) -> Option<Match<'_>> {
        let candidates = self.0.iter().filter(|route| takes(route.method, method));
        let (_, route, path_parameters) = candidates
            .filter_map(|route| {
                let (rank, parameters) = fit(&route.path, &path)?;
                Some(((rank, route.method != template::Method::Any), route, parameters))
            })
            .max_by(|one, other| Rank::cmp(&one.0, &other.0))?;
        Some(Match {
            target: &route.target,
            key: route.key(),
            path,
            path_parameters,
        })
    }
}

fn takes(route: template::Method, method: &Method) -> bool {
    route == template::Method::Any || route.as_str() == method.as_str()
}

/// Whether the pattern takes the path: how well each segment fits, and the parameters.
fn fit(pattern: &str, path: &str) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    if pattern == Route::DEFAULT {
        return Some((vec![], BTreeMap::new()));
    }
    let mut ranks = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut rest = path.strip_prefix('/')?;
    let mut segments = pattern.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            ranks.push(1);
            parameters.insert(name.to_owned(), rest.to_owned());
            return (!rest.is_empty()).then_some((ranks, parameters));
        }
        let (head, tail) = match rest.split_once('/') {
            Some((head, tail)) => (head, Some(tail)),
            None => (rest, None),
        };
        match name {
            Some(name) if !head.is_empty() => {
                ranks.push(2);
                parameters.insert(name.to_owned(), head.to_owned());
            }
            None if head == segment => ranks.push(3),
            _ => return None,
        }
        match (tail, segments.peek()) {
            (Some(tail), Some(_)) => rest = tail,
            (None, None) => return Some((ranks, parameters)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Routes {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            let method = template::Method::ALL
                .into_iter()
                .find(|known| known.as_str() == method)
                .unwrap();
            Route {
                method,
                path: path.to_owned(),
                target: Target::Function((*key).to_owned()),
            }
        };
        Routes::new(keys.iter().map(route).collect())
    }

    fn found(keys: &[&str], method: &Method, path: &str) -> Option<String> {
        routes(keys)
            .find(method, path.to_owned())
            .map(|found| match found.target {
                Target::Function(name) => name.clone(),
                Target::SendMessage(_) => unreachable!("these routes have functions"),
            })
    }

    #[test]
    fn the_most_specific_route_takes_the_request() {
        let keys = [
            "$default",
            "ANY /{proxy+}",
            "ANY /tasks/{id}",
            "GET /tasks/{id}",
            "ANY /tasks/new",
        ];
        assert_eq!(
            found(&keys, &Method::GET, "/tasks/new").unwrap(),
            "ANY /tasks/new"
        );
        assert_eq!(found(&keys, &Method::GET, "/tasks/1").unwrap(), "GET /tasks/{id}");
        assert_eq!(
            found(&keys, &Method::DELETE, "/tasks/1").unwrap(),
            "ANY /tasks/{id}"
        );
        assert_eq!(
            found(&keys, &Method::GET, "/tasks/1/more").unwrap(),
            "ANY /{proxy+}"
        );
        assert_eq!(found(&keys, &Method::GET, "/").unwrap(), "$default");
    }

    #[test]
    fn what_no_route_takes_is_not_found() {
        for path in ["/", "/task", "/tasks/", "/tasks/1/2", "/tasks//"] {
            assert_eq!(
                found(&["ANY /tasks", "ANY /tasks/{id}"], &Method::GET, path),
                None,
                "{path}"
            );
        }
        assert_eq!(found(&["POST /tasks"], &Method::GET, "/tasks"), None);
    }

    #[test]
    fn parameters_are_passed_on() {
        let routes = routes(&["ANY /a/{b}/{rest+}"]);
        let found = routes.find(&Method::GET, "/a/1/2/3".to_owned()).unwrap();
        assert_eq!(found.key, "ANY /a/{b}/{rest+}");
        assert_eq!(
            found.path_parameters,
            BTreeMap::from([("b".into(), "1".into()), ("rest".into(), "2/3".into())])
        );
    }
}
