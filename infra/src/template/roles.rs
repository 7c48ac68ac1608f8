//! Brings the policies of a template together: what a function, or a service, may do is what its role's policies say,
//! whether they stand in the function, in a role of the template, or in policies that are attached to the role.

use std::collections::BTreeMap;

use super::declaration::{Declaration, ResourceType};
use super::dependencies::generated_role;
use super::error::{Problem, Problems};
use super::identity::{Identity, Kind};
use super::model::{Function, Statement};
use super::resources::{Context, events, policy, policy_templates};
use super::yaml::{Node, Value};

/// What roles allow and deny, by their names.
pub(super) type Statements = BTreeMap<String, Vec<Statement>>;

/// Who may assume the role, and labels. The service that needs it assumes it here.
const ROLE_WITHOUT_EFFECT: [&str; 5] = [
    "AssumeRolePolicyDocument",
    "Description",
    "MaxSessionDuration",
    "Path",
    "Tags",
];

/// Fills in the roles of the functions and their statements. Answers those of every role.
pub(super) fn fill(
    functions: &mut [Function],
    declarations: &[Declaration],
    context: &Context<'_>,
) -> Result<Statements, Problems> {
    let mut problems = Problems::default();
    let mut roles = Roles {
        context,
        managed: BTreeMap::new(),
        statements: BTreeMap::new(),
    };
    // Each kind before those that refer to it.
    problems.absorb(each(declarations, ResourceType::ManagedPolicy, |it| {
        roles.add_managed_policy(it)
    }));
    problems.absorb(each(declarations, ResourceType::Role, |it| roles.add_role(it)));
    problems.absorb(each(declarations, ResourceType::Function, |it| {
        roles.add_generated_role(it, functions)
    }));
    problems.absorb(each(declarations, ResourceType::ManagedPolicy, |it| {
        roles.attach_managed_policy(it)
    }));
    problems.absorb(each(declarations, ResourceType::Policy, |it| {
        roles.attach_policy(it)
    }));
    problems.absorb(each(declarations, ResourceType::Function, |it| {
        roles.give_role(it, functions)
    }));
    problems.check()?;
    Ok(roles.statements)
}

fn each(
    declarations: &[Declaration],
    kind: ResourceType,
    mut act: impl FnMut(&Declaration) -> Result<(), Problems>,
) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for declaration in declarations.iter().filter(|declaration| declaration.kind == kind) {
        problems.absorb(act(declaration));
    }
    problems.check()
}

struct Roles<'a> {
    context: &'a Context<'a>,
    /// The managed policies of the template, by ARN.
    managed: BTreeMap<String, Vec<Statement>>,
    statements: Statements,
}

impl Roles<'_> {
    fn add_managed_policy(&mut self, declaration: &Declaration) -> Result<(), Problems> {
        let supported = ["ManagedPolicyName", "PolicyDocument", "Roles"];
        let properties =
            declaration.resolve(self.context.scope, &supported, &["Description", "Path", "Tags"])?;
        let statements = policy::document(properties.fields()?.require("PolicyDocument")?)?;
        let arn = self
            .context
            .identity(declaration)?
            .arn(self.context.scope.settings);
        self.managed.insert(arn, statements);
        Ok(())
    }

    fn add_role(&mut self, declaration: &Declaration) -> Result<(), Problems> {
        let supported = ["ManagedPolicyArns", "Policies", "RoleName"];
        let properties = declaration.resolve(self.context.scope, &supported, &ROLE_WITHOUT_EFFECT)?;
        let fields = properties.fields()?;
        let mut statements = Vec::new();
        if let Some(arns) = fields.get("ManagedPolicyArns") {
            for arn in arns.items()? {
                statements.extend(self.named_policy(arn)?);
            }
        }
        if let Some(policies) = fields.get("Policies") {
            for inline in policies.items()? {
                let inline = inline.fields()?;
                inline.allow(&["PolicyDocument"], &["PolicyName"])?;
                statements.extend(policy::document(inline.require("PolicyDocument")?)?);
            }
        }
        self.statements
            .insert(self.context.identity(declaration)?.name.clone(), statements);
        Ok(())
    }

    /// The role that SAM makes: the function's own policies, and what its events and destinations need.
    /// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html>
    fn add_generated_role(
        &mut self,
        declaration: &Declaration,
        functions: &[Function],
    ) -> Result<(), Problems> {
        let policies = declaration.properties.fields()?.get("Policies");
        let Some(role) = generated_role(declaration) else {
            let message = "without effect beside `Role`: SAM leaves a role that it has not made as it is";
            return policies.map_or(Ok(()), |policies| Err(policies.problem(message).into()));
        };
        let mut statements = Vec::new();
        if let Some(policies) = policies
            && let Some(policies) = self.context.scope.resolve(policies)?
        {
            for policy in policies.one_or_more() {
                statements.extend(self.function_policy(policy)?);
            }
        }
        // A function that could not be read has had its problems reported.
        let function = functions
            .iter()
            .find(|function| function.logical_id == declaration.logical_id);
        statements.extend(function.into_iter().flat_map(|function| self.sending(function)));
        if events::has_queue(declaration)? {
            statements.push(policy_templates::queue_execution_role());
        }
        self.statements.insert(role, statements);
        Ok(())
    }

    /// What SAM allows, so that dead letters and the records for destinations can be sent.
    fn sending(&self, function: &Function) -> Vec<Statement> {
        let asynchronous = &function.asynchronous;
        let targets = [
            &function.dead_letter_target,
            &asynchronous.on_success,
            &asynchronous.on_failure,
        ];
        let allow = |target: &String| {
            let is_target = |queue: &Identity| queue.arn(self.context.scope.settings) == *target;
            let is_queue = self.context.find(Kind::Queue, is_target).is_some();
            let action = if is_queue {
                "sqs:SendMessage"
            } else {
                "lambda:InvokeFunction"
            };
            policy_templates::allow(&[action], vec![target.clone()])
        };
        targets.into_iter().flatten().map(allow).collect()
    }

    /// One entry of a function's `Policies`: a name, an ARN, a document or a policy template.
    fn function_policy(&self, node: &Node) -> Result<Vec<Statement>, Problems> {
        match &node.value {
            Value::Scalar(_) => Ok(self.named_policy(node)?),
            Value::Mapping(entries) => match entries.as_slice() {
                [(name, parameters)] if name != "Statement" => Ok(vec![policy_templates::expand(
                    name,
                    parameters,
                    self.context.scope.settings,
                )?]),
                _ => policy::document(node),
            },
            _ => Err(node
                .expected("a policy: a name, an ARN, a document or a policy template")
                .into()),
        }
    }

    fn named_policy(&self, node: &Node) -> Result<Vec<Statement>, Problem> {
        match self.managed.get(node.text()?) {
            Some(statements) => Ok(statements.clone()),
            None => policy_templates::managed(node),
        }
    }

    fn attach_managed_policy(&mut self, declaration: &Declaration) -> Result<(), Problems> {
        let arn = self
            .context
            .identity(declaration)?
            .arn(self.context.scope.settings);
        let statements = self.managed.get(&arn).cloned().unwrap_or_default();
        match declaration.properties.fields()?.get("Roles") {
            Some(roles) => self.attach(&self.context.scope.value(roles)?, &statements),
            None => Ok(()),
        }
    }

    fn attach_policy(&mut self, declaration: &Declaration) -> Result<(), Problems> {
        let supported = ["PolicyDocument", "Roles"];
        let properties = declaration.resolve(self.context.scope, &supported, &["PolicyName"])?;
        let fields = properties.fields()?;
        let statements = policy::document(fields.require("PolicyDocument")?)?;
        self.attach(fields.require("Roles")?, &statements)
    }

    fn attach(&mut self, roles: &Node, statements: &[Statement]) -> Result<(), Problems> {
        for role in roles.items()? {
            if self
                .context
                .find(Kind::Role, |identity| role.text() == Ok(identity.name.as_str()))
                .is_none()
            {
                return Err(role.expected("the name of a role of this template").into());
            }
            self.statements
                .entry(role.text()?.to_owned())
                .or_default()
                .extend_from_slice(statements);
        }
        Ok(())
    }

    fn give_role(&self, declaration: &Declaration, functions: &mut [Function]) -> Result<(), Problems> {
        let role = self.role_of(declaration)?;
        for function in functions
            .iter_mut()
            .filter(|function| function.logical_id == declaration.logical_id)
        {
            function.statements = self.statements.get(&role).cloned().unwrap_or_default();
            function.role_name.clone_from(&role);
        }
        Ok(())
    }

    /// The name of the role of a function.
    fn role_of(&self, declaration: &Declaration) -> Result<String, Problem> {
        if let Some(role) = generated_role(declaration) {
            return Ok(role);
        }
        let role = self
            .context
            .scope
            .value(declaration.properties.fields()?.require("Role")?)?;
        self.context.role_name(&role)
    }
}
