//! Services of containers, and the load balancers before them.

use std::time::Duration;

use super::{problems, read, template};
use crate::template::Code;

/// A template with a service, in which a text is replaced once.
fn service(from: &str, to: &str) -> String {
    let resources = "  S:
    Type: AWS::ECS::Service
    DependsOn: L
    Properties:
      TaskDefinition: !Ref T
      LoadBalancers: [{ContainerName: server, ContainerPort: 8080, TargetGroupArn: !Ref G}]
  T:
    Type: AWS::ECS::TaskDefinition
    Metadata: {CargoBinary: {Workspace: ., Binary: server}}
    Properties:
      Memory: 1024
      TaskRoleArn: !GetAtt R.Arn
      ContainerDefinitions:
        - Name: server
          Image: registry/server
          PortMappings: [{ContainerPort: 8080}]
          Environment: [{Name: PORT, Value: '8080'}, {Name: URL, Value: !Sub 'http://${B.DNSName}'}]
          LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: !Ref Logs}}
  Logs: {Type: AWS::Logs::LogGroup}
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: read
          PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Allow, Action: dynamodb:GetItem, Resource: '*'}}
  B:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      LoadBalancerAttributes: [{Key: idle_timeout.timeout_seconds, Value: '120'}]
  L:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {LoadBalancerArn: !Ref B, DefaultActions: [{Type: forward, TargetGroupArn: !Ref G}]}
  G:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {HealthCheckPath: /health}
";
    assert!(resources.contains(from), "{from}");
    template(&resources.replacen(from, to, 1))
}

#[test]
fn a_service_is_read_with_its_container_its_role_and_its_load_balancer() {
    let found = read(&service("", "")).container_service.unwrap();
    assert_eq!((found.logical_id.as_str(), found.memory_size), ("S", 1024));
    assert!(matches!(&found.code, Code::CargoBinary { binary, .. } if binary == "server"));
    assert_eq!(found.environment["URL"], "http://127.0.0.1:3000");
    assert_eq!(found.role_name, "R");
    assert_eq!(found.statements[0].actions, ["dynamodb:GetItem"]);
    assert_eq!(found.load_balancer.idle_timeout, Duration::from_secs(120));
    assert_eq!(found.load_balancer.health_check_path, "/health");
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
#[test]
fn a_load_balancer_waits_a_minute_where_nothing_else_is_said() {
    let attributes = "      LoadBalancerAttributes: [{Key: idle_timeout.timeout_seconds, Value: '120'}]\n";
    let found = read(&service(attributes, "      Type: application\n"));
    let found = found.container_service.unwrap();
    assert_eq!(found.load_balancer.idle_timeout, Duration::from_secs(60));
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html>
#[test]
fn where_it_runs_on_aws_need_not_be_said() {
    let parameters = "Parameters:
  Vpc: {Type: 'AWS::EC2::VPC::Id'}
  Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}
";
    let resources = service("HealthCheckPath", "VpcId: !Ref Vpc, HealthCheckPath");
    assert!(
        read(&format!("{parameters}{resources}"))
            .container_service
            .is_some()
    );
}

#[test]
fn a_service_that_cannot_be_run_is_refused() {
    for (from, to, expected) in [
        (
            "DependsOn: L",
            "DependsOn: Nobody",
            "there is no resource `Nobody`",
        ),
        (
            "Properties:\n      TaskDefinition",
            "Properties:\n      DesiredCount: 2\n      TaskDefinition",
            "one of 1",
        ),
        ("!Ref T\n", "!Ref G\n", "`!Ref` of such a resource"),
        (
            "{ContainerName: server",
            "{ContainerName: other",
            "the name of the container",
        ),
        (
            "server, ContainerPort: 8080",
            "server, ContainerPort: 80",
            "the port of the container",
        ),
        (
            "    Metadata: {CargoBinary: {Workspace: ., Binary: server}}\n",
            "",
            "needs `Metadata: CargoBinary:`",
        ),
        (
            "Image: registry/server",
            "Command: [server]",
            "Command: not supported",
        ),
        (
            "!GetAtt R.Arn",
            "arn:aws:iam::123456789012:role/other",
            "the ARN of a role of this template",
        ),
        ("Memory: 1024", "Memory: 1", "512"),
        ("'120'", "'4001'", "4000"),
        (
            "idle_timeout.timeout_seconds",
            "deletion_protection.enabled",
            "one of idle_timeout.timeout_seconds",
        ),
        ("Type: forward", "Type: redirect", "one of forward"),
        (
            "HealthCheckPath: /health",
            "Matcher: {HttpCode: 404}",
            "Matcher: not supported",
        ),
        (
            "  Logs: {Type: AWS::Logs::LogGroup}",
            "  Logs: {Type: AWS::Logs::LogGroup}\n  Api: {Type: AWS::Serverless::HttpApi}",
            "beside another service, or an HTTP API",
        ),
    ] {
        let found = problems(service(from, to)).join("\n");
        assert!(found.contains(expected), "{to}: {found}");
    }
}
