//! Functions, `Globals`, and asynchronous invocation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{
    assert_refused, function, function_resource, function_template, named_function, problems, read, settings,
    template,
};
use crate::template::{AsynchronousConfiguration, Code, RecursiveLoop, load};

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
#[test]
fn what_is_not_given_has_the_defaults_of_lambda() {
    let function = function("");
    assert_eq!(function.name, "F");
    assert_eq!(
        function.arn,
        "arn:aws:lambda:eu-central-1:123456789012:function:F"
    );
    assert_eq!(
        (function.memory_size, function.timeout),
        (128, Duration::from_secs(3))
    );
    assert_eq!(function.asynchronous, AsynchronousConfiguration::default());
    assert_eq!(function.recursive_loop, RecursiveLoop::Terminate);
    assert_eq!(function.reserved_concurrent_executions, None);
    assert!(function.environment.is_empty() && function.statements.is_empty());
}

#[test]
fn what_is_given_is_read() {
    let function = function(
        "      FunctionName: !Sub '${AWS::StackName}-worker'
      MemorySize: 1769
      Timeout: '900'
      ReservedConcurrentExecutions: 0
      RecursiveLoop: Allow
      PackageType: Zip
      Architectures: [arm64]
      Tracing: Active
      LoggingConfig: {LogGroup: !Ref Logs}
      Environment: {Variables: {COUNT: 007, FLAG: True, TEXT: ''}}
  Logs:
    Type: AWS::Logs::LogGroup",
    );
    assert_eq!(function.name, "test-worker");
    assert_eq!(
        function.arn,
        "arn:aws:lambda:eu-central-1:123456789012:function:test-worker"
    );
    assert_eq!(
        (function.memory_size, function.timeout),
        (1769, Duration::from_mins(15))
    );
    assert_eq!(function.reserved_concurrent_executions, Some(0));
    assert_eq!(function.recursive_loop, RecursiveLoop::Allow);
    let environment: Vec<_> = function
        .environment
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(environment, [("COUNT", "007"), ("FLAG", "true"), ("TEXT", "")]);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
#[test]
fn values_out_of_range_and_unsupported_properties_are_refused_with_line_and_path() {
    for (more, expected) in [
        (
            "Timeout: 1000",
            "10: Resources.F.Properties.Timeout: expected a whole number from 1 to 900, found `1000`",
        ),
        ("Timeout: 0", "from 1 to 900"),
        ("Timeout: 1.5", "found `1.5`"),
        ("Timeout: [1]", "found a list"),
        ("MemorySize: 127", "from 128 to 10240"),
        ("ReservedConcurrentExecutions: -1", "found `-1`"),
        ("RecursiveLoop: Maybe", "one of Allow, Terminate"),
        ("PackageType: Image", "one of Zip"),
        ("FunctionName: a.b", "a name of 1 to 64"),
        (
            "VpcConfig: {}",
            "10: Resources.F.Properties.VpcConfig: not supported by the local cloud",
        ),
        ("Layers: []", "F.Properties.Layers: not supported"),
        (
            "EphemeralStorage: {Size: 1024}",
            "EphemeralStorage: not supported",
        ),
        ("AutoPublishAlias: live", "AutoPublishAlias: not supported"),
        (
            "Environment: {Variables: {AWS_REGION: x}}",
            "Variables.AWS_REGION: Lambda reserves this name",
        ),
        ("Environment: {Variables: {1A: x}}", "expected a name of a letter"),
        (
            "Environment: {Variables: {AB: [x]}}",
            "Variables.AB: expected text, found a list",
        ),
        (
            "Environment: {Variables: {AB: }}",
            "Variables.AB: expected a value, found nothing",
        ),
        ("Environment: {Values: {}}", "Environment.Values: not supported"),
        ("EventInvokeConfig: {MaximumRetryAttempts: 3}", "from 0 to 2"),
        (
            "EventInvokeConfig: {MaximumEventAgeInSeconds: 59}",
            "from 60 to 21600",
        ),
        ("EventInvokeConfig: {Qualifier: x}", "Qualifier: not supported"),
        ("DeadLetterQueue: {Type: SNS, TargetArn: x}", "one of SQS"),
        (
            "DeadLetterQueue: {Type: SQS, TargetArn: x}",
            "the ARN of a queue of this template",
        ),
    ] {
        assert_refused(function_template(&format!("      {more}")), expected);
    }
}

#[test]
fn an_environment_beyond_four_kilobytes_is_refused() {
    let more = format!("      Environment: {{Variables: {{BIG: {}}}}}", "x".repeat(4087));
    assert_refused(
        function_template(&more),
        "4097 bytes, as JSON, are more than 4096",
    );
}

#[test]
fn what_a_function_needs_is_demanded() {
    let without = |line: &str| function_template("").replace(line, "");
    assert_refused(without("      Handler: bootstrap\n"), "`Handler` is missing");
    assert_refused(
        without("      Runtime: provided.al2023\n"),
        "`Runtime` is missing",
    );
    assert_refused(without("      CodeUri: .\n"), "`CodeUri` is missing");
    let node = function_template("").replace("provided.al2023", "nodejs24.x");
    assert_refused(
        node,
        "expected one of provided.al2023, provided.al2, found `nodejs24.x`",
    );
}

#[test]
fn every_unsupported_property_of_every_resource_is_reported() {
    let one = named_function("One", "      Layers: []\n      SnapStart: {}");
    let two = named_function("Two", "      Timeout: 901");
    assert_eq!(problems(template(&format!("{one}{two}"))).len(), 3);
}

#[test]
fn a_cargo_binary_is_found_by_its_metadata() {
    let function = function("");
    let directory = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(
        function.code,
        Code::CargoBinary {
            directory,
            binary: "worker".to_owned()
        }
    );
}

#[test]
fn build_metadata_is_checked() {
    let with =
        |properties: &str| function_template("").replace(", BuildProperties: {Binary: worker}", properties);
    assert_refused(with(""), "Metadata.BuildMethod: needs `BuildProperties: Binary:`");
    assert_refused(with(", BuildProperties: {}"), "needs `BuildProperties: Binary:`");
    assert_refused(
        with(", BuildProperties: {Binary: a, Flags: [x]}"),
        "Flags: not supported",
    );
    let makefile = function_template("").replace("rust-cargolambda", "makefile");
    assert_refused(makefile, "expected one of rust-cargolambda");
}

#[test]
fn a_folder_with_an_executable_bootstrap_is_code_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yaml");
    let code = folder.path().join("code");
    fs::create_dir(&code).unwrap();
    let text = function_template("")
        .replace(
            "    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: worker}}\n",
            "",
        )
        .replace("CodeUri: .", "CodeUri: code/");
    fs::write(&file, text).unwrap();

    let missing = load(&file, &settings()).unwrap_err().to_string();
    assert!(
        missing.contains("expected a folder that holds an executable file `bootstrap`"),
        "{missing}"
    );

    fs::write(code.join("bootstrap"), "#!/bin/sh\n").unwrap();
    assert!(load(&file, &settings()).is_err(), "it is not executable yet");

    fs::set_permissions(code.join("bootstrap"), fs::Permissions::from_mode(0o755)).unwrap();
    let stack = load(&file, &settings()).unwrap();
    let directory = code.canonicalize().unwrap();
    assert_eq!(stack.functions[0].code, Code::Bootstrap { directory });
}

#[test]
fn code_that_is_no_folder_is_refused() {
    for uri in ["s3://bucket/key", "{Bucket: b, Key: k}", "no-such-folder"] {
        let template = function_template("").replace("CodeUri: .", &format!("CodeUri: {uri}"));
        assert_refused(template, "CodeUri: expected a folder, relative to the template");
    }
}

#[test]
fn globals_are_merged_as_sam_merges_them() {
    let own = "      Timeout: 60
      Architectures: [x86_64]
      Environment: {Variables: {OWN: a, BOTH: local}}";
    let globals = "Globals:
  Function:
    Timeout: 10
    MemorySize: 512
    Architectures: [arm64]
    Environment: {Variables: {GLOBAL: b, BOTH: global}}
    EventInvokeConfig: {MaximumRetryAttempts: 0}
";
    let stack = read(&format!("{}{globals}", function_template(own)));
    let function = &stack.functions[0];
    assert_eq!((function.timeout.as_secs(), function.memory_size), (60, 512));
    assert_eq!(function.asynchronous.maximum_retry_attempts, 0);
    let environment: Vec<_> = function
        .environment
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(environment, [("BOTH", "local"), ("GLOBAL", "b"), ("OWN", "a")]);
}

#[test]
fn an_intrinsic_function_is_overridden_whole_by_globals_rules() {
    let globals = "Globals: {Function: {Timeout: !Ref AWS::NoValue}}\n";
    let template = format!("{}{globals}", function_template("      Timeout: 7"));
    assert_eq!(read(&template).functions[0].timeout.as_secs(), 7);
}

#[test]
fn a_bad_global_is_reported_once_where_it_stands() {
    let both = format!("{}{}", named_function("One", ""), named_function("Two", ""));
    let text = format!("{}Globals:\n  Function:\n    Timeout: 901\n", template(&both));
    assert_refused(text, "Globals.Function.Timeout: expected a whole number");
}

#[test]
fn globals_that_sam_does_not_take_are_refused() {
    let with = |globals: &str| format!("{}Globals: {globals}\n", function_template(""));
    assert_refused(
        with("{Function: {Policies: []}}"),
        "SAM does not take this property from Globals",
    );
    assert_refused(
        with("{HttpApi: {StageName: x}}"),
        "SAM does not take this property from Globals",
    );
    assert_refused(with("{Api: {}}"), "Globals.Api: not supported");
    assert_refused(
        with("{Function: {VpcConfig: {}}}"),
        "Globals.Function.VpcConfig: not supported",
    );
}

#[test]
fn destinations_and_dead_letters_are_queues_and_functions_of_the_template() {
    let more = "      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 60
        DestinationConfig:
          OnFailure: {Type: SQS, Destination: !GetAtt Q.Arn}
          OnSuccess: {Type: Lambda, Destination: !GetAtt Other.Arn}
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}";
    let resources = format!(
        "{}{}  Q: {{Type: AWS::SQS::Queue}}\n",
        function_resource(more),
        named_function("Other", "")
    );
    let function = read(&template(&resources)).functions.remove(0);
    assert_eq!(
        function.asynchronous,
        AsynchronousConfiguration {
            maximum_retry_attempts: 1,
            maximum_event_age: Duration::from_mins(1),
            on_success: Some("arn:aws:lambda:eu-central-1:123456789012:function:Other".to_owned()),
            on_failure: Some("arn:aws:sqs:eu-central-1:123456789012:Q".to_owned()),
        }
    );
    assert_eq!(
        function.dead_letter_target.as_deref(),
        Some("arn:aws:sqs:eu-central-1:123456789012:Q")
    );
}

#[test]
fn destinations_that_do_not_exist_locally_are_refused() {
    let with = |target: &str| {
        let more = format!("      EventInvokeConfig: {{DestinationConfig: {{OnFailure: {{{target}}}}}}}");
        template(&format!(
            "{}  Q: {{Type: AWS::SQS::Queue}}\n",
            function_resource(&more)
        ))
    };
    assert_refused(with("Type: SNS, Destination: x"), "one of SQS, Lambda");
    assert_refused(with("Type: SQS"), "`Destination` is missing");
    assert_refused(with("Destination: !GetAtt Q.Arn"), "`Type` is missing");
    assert_refused(
        with("Type: Lambda, Destination: !GetAtt Q.Arn"),
        "the ARN of a function of this template",
    );
    assert_refused(
        with("Type: SQS, Destination: !Ref Q"),
        "the ARN of a queue of this template",
    );
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
#[test]
fn reserved_concurrency_leaves_a_hundred_unreserved() {
    let both = |second: u32| {
        let one = named_function("One", "      ReservedConcurrentExecutions: 500");
        let two = named_function("Two", &format!("      ReservedConcurrentExecutions: {second}"));
        template(&format!("{one}{two}"))
    };
    read(&both(400));
    assert_refused(
        both(401),
        "Resources.Two: the functions up to this one reserve 901",
    );
}
