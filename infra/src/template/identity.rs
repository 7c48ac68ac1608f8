//! What `Ref` and `Fn::GetAtt` of a resource give: its name, ARN, URL, before anything of it runs.

use super::Settings;

/// What a logical id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    /// The resource's own name: for an API its id.
    pub(super) name: String,
}

/// The kinds of resources that can be referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Queue,
    Table,
    Role,
    ManagedPolicy,
    HttpApi,
    TaskDefinition,
    LoadBalancer,
    TargetGroup,
}

impl Identity {
    /// What `Ref` gives.
    pub(super) fn reference(&self, settings: &Settings) -> String {
        match self.kind {
            Kind::Function | Kind::Table | Kind::Role | Kind::HttpApi => self.name.clone(),
            Kind::Queue => self.queue_url(settings),
            Kind::ManagedPolicy | Kind::TaskDefinition | Kind::LoadBalancer | Kind::TargetGroup => {
                self.arn(settings)
            }
        }
    }

    /// What `Fn::GetAtt` gives, or the names of the attributes that it can give.
    pub(super) fn attribute(&self, name: &str, settings: &Settings) -> Result<String, &'static str> {
        match (self.kind, name) {
            (Kind::Function | Kind::Queue | Kind::Table | Kind::Role, "Arn")
            | (Kind::ManagedPolicy, "PolicyArn") => Ok(self.arn(settings)),
            (Kind::Queue, "QueueName") | (Kind::HttpApi, "ApiId") => Ok(self.name.clone()),
            (Kind::Queue, "QueueUrl") => Ok(self.queue_url(settings)),
            (Kind::HttpApi, "ApiEndpoint") => Ok(settings.api_url.clone()),
            (Kind::LoadBalancer, "DNSName") => Ok(settings.api_url.trim_start_matches("http://").to_owned()),
            (Kind::Function | Kind::Table | Kind::Role, _) => Err("Arn"),
            (Kind::Queue, _) => Err("Arn, QueueName, QueueUrl"),
            (Kind::ManagedPolicy, _) => Err("PolicyArn"),
            (Kind::HttpApi, _) => Err("ApiEndpoint, ApiId"),
            (Kind::LoadBalancer, _) => Err("DNSName"),
            (Kind::TaskDefinition | Kind::TargetGroup, _) => Err("none"),
        }
    }

    pub(super) fn arn(&self, settings: &Settings) -> String {
        let Settings {
            region, account_id, ..
        } = settings;
        let name = &self.name;
        match self.kind {
            Kind::Function => format!("arn:aws:lambda:{region}:{account_id}:function:{name}"),
            Kind::Queue => format!("arn:aws:sqs:{region}:{account_id}:{name}"),
            Kind::Table => format!("arn:aws:dynamodb:{region}:{account_id}:table/{name}"),
            Kind::Role => format!("arn:aws:iam::{account_id}:role/{name}"),
            Kind::ManagedPolicy => format!("arn:aws:iam::{account_id}:policy/{name}"),
            Kind::HttpApi => format!("arn:aws:apigateway:{region}::/apis/{name}"),
            Kind::TaskDefinition => format!("arn:aws:ecs:{region}:{account_id}:task-definition/{name}:1"),
            Kind::LoadBalancer => {
                format!("arn:aws:elasticloadbalancing:{region}:{account_id}:loadbalancer/app/{name}/local")
            }
            Kind::TargetGroup => {
                format!("arn:aws:elasticloadbalancing:{region}:{account_id}:targetgroup/{name}/local")
            }
        }
    }

    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html>
    pub(super) fn queue_url(&self, settings: &Settings) -> String {
        format!(
            "{}/{}/{}",
            settings.endpoint_url.trim_end_matches('/'),
            settings.account_id,
            self.name
        )
    }

    /// The address that API Gateway would give an API.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html>
    pub(super) fn public_address(&self, settings: &Settings) -> Option<String> {
        let address = format!(
            "https://{}.execute-api.{}.amazonaws.com",
            self.name, settings.region
        );
        (self.kind == Kind::HttpApi).then_some(address)
    }
}
