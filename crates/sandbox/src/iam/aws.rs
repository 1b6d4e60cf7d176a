//! The few of AWS's own managed policies that functions and proxies meet.

use serde_json::{Value, json};

use super::Policy;

/// AWS's own policies, as every account has them.
pub(in super::super) fn aws_managed(partition: &str) -> Vec<Policy> {
    let policy = |path: &str, name: &str, statements: Value| {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let mut policy = Policy::settled("aws", partition, path, name, &document.to_string());
        policy.id = format!(
            "ANPA{}",
            name.chars().filter(char::is_ascii_alphanumeric).take(17).collect::<String>().to_ascii_uppercase()
        );
        policy
    };
    let logs = json!({"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"});
    let interfaces = json!({
        "Effect": "Allow",
        "Action": [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
        ],
        "Resource": "*",
    });
    // Without kms:Decrypt, like the original: it reads no secret under a customer key.
    let secrets = json!([
        {"Effect": "Allow", "Action": ["secretsmanager:*", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys", "lambda:ListFunctions", "rds:DescribeDBClusters", "rds:DescribeDBInstances", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["lambda:AddPermission", "lambda:CreateFunction", "lambda:GetFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionConfiguration"], "Resource": format!("arn:{partition}:lambda:*:*:function:SecretsManager*")},
    ]);
    vec![
        policy("/service-role/", "AWSLambdaBasicExecutionRole", json!([logs])),
        policy("/service-role/", "AWSLambdaVPCAccessExecutionRole", json!([interfaces])),
        policy("/", "SecretsManagerReadWrite", secrets),
    ]
}
