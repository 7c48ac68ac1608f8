//! Which resource has to be created before which, as CloudFormation sees it after SAM's transform: a function
//! depends on the role that SAM makes for it, the role on what its policies name, and an API on the functions
//! that its routes name. A circle among them is what AWS refuses as a circular dependency.

use std::collections::{BTreeMap, BTreeSet};

use super::declaration::{Declaration, ResourceType, no_such_resource};
use super::error::{Place, Problem, Problems};
use super::graph::{self, Dependencies};
use super::intrinsics::Scope;
use super::resources::events;
use super::substitution::{self, Arguments, Piece};
use super::yaml::{Intrinsic, Node, Value};

/// Properties of a function that SAM turns into its role.
const OF_THE_ROLE: [&str; 4] = [
    "Policies",
    "AssumeRolePolicyDocument",
    "PermissionsBoundary",
    "RolePath",
];
/// Properties of a function that SAM turns into resources to which nothing else refers.
const OF_NOTHING_ELSE: [&str; 2] = ["Events", "EventInvokeConfig"];

/// Logical id of the role that SAM makes for a function, unless the function names one.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html>
pub(super) fn generated_role(function: &Declaration) -> Option<String> {
    let named = function
        .properties
        .fields()
        .is_ok_and(|fields| fields.get("Role").is_some());
    (function.kind == ResourceType::Function && !named).then(|| format!("{}Role", function.logical_id))
}

/// Every logical id, generated ones too, each after all it depends on.
pub(super) fn order(declarations: &[Declaration], scope: &Scope<'_>) -> Result<Vec<String>, Problems> {
    let apis = declarations
        .iter()
        .filter(|declaration| declaration.kind == ResourceType::HttpApi);
    let apis = apis.map(|declaration| declaration.logical_id.as_str()).collect();
    let mut edges = Edges {
        scope,
        dependencies: Dependencies::new(),
        places: BTreeMap::new(),
        apis,
    };
    let mut problems = Problems::default();
    edges.add_names(declarations)?;
    for declaration in declarations {
        problems.absorb(edges.of_resource(declaration));
    }
    problems.check()?;
    let Edges {
        dependencies, places, ..
    } = edges;
    match graph::order(&dependencies) {
        Ok(ordered) => Ok(ordered.into_iter().map(str::to_owned).collect()),
        Err(circle) => {
            let place = circle.iter().find_map(|name| places.get(*name));
            let place = place.cloned().unwrap_or(Place {
                line: 1,
                path: "Resources".to_owned(),
            });
            let circle = circle.join(" → ");
            Err(place
                .problem(format!(
                    "circular dependency: {circle} (each needs the next to exist first)"
                ))
                .into())
        }
    }
}

struct Edges<'a> {
    scope: &'a Scope<'a>,
    dependencies: Dependencies,
    places: BTreeMap<String, Place>,
    apis: BTreeSet<&'a str>,
}

impl Edges<'_> {
    fn add_names(&mut self, declarations: &[Declaration]) -> Result<(), Problem> {
        for declaration in declarations {
            self.add_name(&declaration.logical_id, &declaration.place)?;
        }
        for declaration in declarations {
            if let Some(role) = generated_role(declaration) {
                self.add_name(&role, &declaration.place)?;
            }
        }
        Ok(())
    }

    fn add_name(&mut self, logical_id: &str, place: &Place) -> Result<(), Problem> {
        if self
            .dependencies
            .insert(logical_id.to_owned(), BTreeSet::new())
            .is_some()
        {
            return Err(place.problem(format!(
                "SAM makes a resource `{logical_id}` that is declared already"
            )));
        }
        self.places.insert(logical_id.to_owned(), place.clone());
        Ok(())
    }

    fn of_resource(&mut self, declaration: &Declaration) -> Result<(), Problems> {
        let own = &declaration.logical_id;
        let role = generated_role(declaration);
        let mut problems = Problems::default();
        for node in &declaration.depends_on {
            self.needs(own, node.text()?);
        }
        if let Some(role) = &role {
            self.needs(own, role);
        }
        for (name, node) in declaration.properties.fields()?.entries() {
            let is_function = declaration.kind == ResourceType::Function;
            let owner = match &role {
                _ if is_function && OF_NOTHING_ELSE.contains(&name.as_str()) => None,
                Some(role) if OF_THE_ROLE.contains(&name.as_str()) => Some(role),
                _ => Some(own),
            };
            if let Some(owner) = owner {
                problems.absorb(self.references(owner, node));
            }
        }
        if let Some(role) = &role {
            // SAM lets the role send to what the function's events and failures go to.
            for destination in destinations(declaration)? {
                problems.absorb(self.references(role, destination));
            }
        }
        for api in events::apis(declaration)? {
            // What is no API is refused with the routes.
            if self.apis.contains(api) {
                self.needs(api, own);
            }
        }
        problems.check()
    }

    fn needs(&mut self, from: &str, to: &str) {
        if let Some(needs) = self.dependencies.get_mut(from) {
            needs.insert(to.to_owned());
        }
    }

    /// Adds all that a value refers to, in the branches that are taken.
    fn references(&mut self, from: &str, node: &Node) -> Result<(), Problem> {
        match &node.value {
            Value::Null | Value::Scalar(_) => Ok(()),
            Value::Sequence(items) => items.iter().try_for_each(|item| self.references(from, item)),
            Value::Mapping(entries) => entries
                .iter()
                .try_for_each(|(_, value)| self.references(from, value)),
            Value::Call(Intrinsic::If, argument) => self.references(from, self.scope.branch(argument)?),
            Value::Call(Intrinsic::Ref, argument) => self.reference(from, argument.text()?, argument),
            Value::Call(Intrinsic::GetAtt, argument) => {
                let name = argument
                    .one_or_more()
                    .first()
                    .map(Node::text)
                    .transpose()?
                    .unwrap_or_default();
                let resource = name.split_once('.').map_or(name, |(resource, _)| resource);
                self.reference(from, resource, argument)
            }
            Value::Call(Intrinsic::Sub, argument) => {
                let Arguments { text, variables } = substitution::arguments(argument)?;
                for piece in substitution::pieces(text.text()?) {
                    if let Piece::Variable(name) = piece
                        && variables.iter().all(|(variable, _)| variable != name)
                    {
                        let resource = name.split_once('.').map_or(name, |(resource, _)| resource);
                        self.reference(from, resource, text)?;
                    }
                }
                variables
                    .iter()
                    .try_for_each(|(_, value)| self.references(from, value))
            }
            Value::Call(_, argument) => self.references(from, argument),
        }
    }

    fn reference(&mut self, from: &str, name: &str, node: &Node) -> Result<(), Problem> {
        if name.starts_with("AWS::") || self.scope.parameters.contains_key(name) {
            return Ok(());
        }
        if self.dependencies.contains_key(name) {
            self.needs(from, name);
            return Ok(());
        }
        if self.scope.absent.contains(name) {
            return Err(node.problem(format!("`{name}` does not exist: its condition is false")));
        }
        Err(no_such_resource(name, node))
    }
}

/// Where SAM lets the role of a function send to: the dead-letter queue and the destinations.
fn destinations(function: &Declaration) -> Result<Vec<&Node>, Problem> {
    let fields = function.properties.fields()?;
    let configuration = fields
        .get("EventInvokeConfig")
        .and_then(|node| node.fields().ok());
    let destinations = configuration.and_then(|fields| fields.get("DestinationConfig"));
    Ok([fields.get("DeadLetterQueue"), destinations]
        .into_iter()
        .flatten()
        .collect())
}
