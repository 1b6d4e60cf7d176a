//! How to take the stack over, and how to roll the same proxy out elsewhere, for people.

use super::import::Resource;
use crate::{Stack, one_line};

/// The text of `README.md`.
pub(super) fn text(stack: &Stack, resources: &[Resource]) -> String {
    let (name, database) = (one_line(&stack.name), one_line(&stack.database.id));
    let region = one_line(&stack.region);
    let named =
        if stack.name == format!("{}-proxy", stack.database.id) { String::new() } else { format!(" --name {name}") };
    let mut text = format!(
        "# {name}, in front of {database}\n\n\
         CloudFormation templates of the RDS Proxy {name} in {region}, account {account}, exported by {tool}.\n\n\
         ## Take it over\n\n\
         ```console\n\
         $ aws cloudformation create-change-set --region {region} --stack-name {name} --change-set-name take-over \\\n\
         \x20   --change-set-type IMPORT --template-body file://template.json \\\n\
         \x20   --resources-to-import file://resources-to-import.json --capabilities CAPABILITY_NAMED_IAM\n\
         $ aws cloudformation describe-change-set --region {region} --stack-name {name} --change-set-name take-over\n\
         $ aws cloudformation execute-change-set --region {region} --stack-name {name} --change-set-name take-over\n\
         ```\n\n\
         The change set must say **Import** of {count} resources and nothing else. An import changes no resource, and every \
         resource has `DeletionPolicy: Retain`: deleting the CloudFormation stack leaves the proxy as it is.\n\n\
         Then mark the stack as handed over, so that `rdsproxy-setup up` and `teardown` no longer change it:\n\n\
         ```console\n\
         $ rdsproxy-setup export --db {database}{named} --hand-over\n\
         ```\n\n\
         ### The target group\n\n\
         CloudFormation cannot import `AWS::RDS::DBProxyTargetGroup`: reading one fails, since its identifier does not name the \
         proxy (aws-cloudformation/cloudformation-coverage-roadmap#2132). The registered target and the pool's settings stay as \
         they are. To have the settings in the stack as well, update it after the import with the second template, which sets \
         what is set already and registers no target:\n\n\
         ```console\n\
         $ aws cloudformation update-stack --region {region} --stack-name {name} --template-body file://pool.json \\\n\
         \x20   --capabilities CAPABILITY_NAMED_IAM\n\
         ```\n\n\
         Drift detection fails for this type for the same reason (#2488 there), so leave `pool.json` out if you rely on it. \
         Change the target itself with `aws rds register-db-proxy-targets` and `deregister-db-proxy-targets`.\n\n\
         ### What CloudFormation does not keep\n\n\
         - Tags of rules and of managed policies: these types have no such property. They stay on the resources.\n\
         - Values of secrets. `AWS::SecretsManager::Secret` is imported without one, and updates leave it alone.\n\
         - The functions' variables: set the proxy's endpoint as their host in the functions' own templates.\n",
        account = stack.account,
        tool = stack.tool,
        count = resources.len(),
    );
    for left in &stack.left_out {
        text.push_str(&format!("- {}\n", one_line(left)));
    }
    text.push_str("\n| resource | type | identifier |\n| --- | --- | --- |\n");
    for resource in resources {
        let (key, value) = &resource.identifier;
        text.push_str(&format!(
            "| `{}` | `{}` | `{key}={}` |\n",
            resource.id,
            resource.kind,
            one_line(value).replace('|', "\\|")
        ));
    }
    text.push_str(&elsewhere(&name, &region));
    text
}

fn elsewhere(name: &str, region: &str) -> String {
    format!(
        "\n## The same proxy in other accounts and Regions\n\n\
         `stackset.json` makes a proxy with the same settings from parameters. One stack:\n\n\
         ```console\n\
         $ aws cloudformation deploy --region {region} --stack-name {name}-2 --template-file stackset.json \\\n\
         \x20   --capabilities CAPABILITY_IAM --parameter-overrides ProxyName={name}-2 VpcId=vpc-... SubnetIds=subnet-...,subnet-... \\\n\
         \x20   DatabaseSecurityGroupId=sg-... FunctionSecurityGroupId=sg-... SecretArn1=arn:...\n\
         ```\n\n\
         Many accounts and Regions, from the organization's management account or a delegated administrator:\n\n\
         ```console\n\
         $ aws cloudformation create-stack-set --stack-set-name {name} --template-body file://stackset.json \\\n\
         \x20   --capabilities CAPABILITY_IAM --permission-model SERVICE_MANAGED --auto-deployment Enabled=false\n\
         $ aws cloudformation create-stack-instances --stack-set-name {name} --regions eu-central-1 us-east-1 \\\n\
         \x20   --deployment-targets OrganizationalUnitIds=ou-... --parameter-overrides file://parameters.json\n\
         ```\n\n\
         IDs differ between accounts: call `create-stack-instances` once for each set of values, with a `parameters.json` of its \
         own, a list of `{{\"ParameterKey\": \"VpcId\", \"ParameterValue\": \"vpc-...\"}}`. Deploying it creates a second proxy; it does not take over the one that is here.\n"
    )
}
