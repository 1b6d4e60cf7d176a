//! Which other tool owns a function: its next deploy undoes what we change.

use crate::cloud::Tags;

/// The tool that declares a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTool {
    /// The tool, and what of it: `the CloudFormation stack reports`.
    pub what: String,
    /// Where the variables stand there, with `{}` for their names.
    place: &'static str,
}

impl OtherTool {
    /// Reads a function's tags.
    ///
    /// CloudFormation, and with it SAM, CDK and the Serverless Framework, tags what it creates
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>); for Terraform
    /// and Pulumi the tags are custom, and only a hint.
    #[must_use]
    pub fn of(tags: &Tags) -> Option<Self> {
        const CLOUDFORMATION: &str = "Environment.Variables ({}) of its AWS::Lambda::Function";
        let get = |key: &str| tags.get(key).map(String::as_str);
        let named = |what: String, place| Some(Self { what, place });
        if let Some(stack) = get("aws:cloudformation:stack-name") {
            let logical = get("aws:cloudformation:logical-id").unwrap_or("its logical id");
            if get("lambda:createdBy") == Some("SAM") {
                let place = "Environment.Variables ({}) of its AWS::Serverless::Function";
                return named(format!("the SAM stack {stack} ({logical})"), place);
            }
            if get("STAGE").is_some() {
                return named(format!("the Serverless stack {stack}"), "environment ({}) in serverless.yml");
            }
            return named(format!("the CloudFormation stack {stack} ({logical})"), CLOUDFORMATION);
        }
        if let Some(project) = get("pulumi:project") {
            return named(
                format!("the Pulumi project {project}"),
                "environment.variables ({}) of its aws.lambda.Function",
            );
        }
        let says_terraform = tags.iter().any(|(key, value)| {
            let (key, value) = (key.to_ascii_lowercase(), value.to_ascii_lowercase());
            let keeper =
                matches!(key.replace(['-', '_'], "").as_str(), "managedby" | "createdby" | "provisioner" | "iac");
            (keeper && matches!(value.as_str(), "terraform" | "opentofu" | "terragrunt"))
                || (key == "terraform" && value == "true")
        });
        if says_terraform {
            return named("Terraform".to_owned(), "environment.variables ({}) of its aws_lambda_function");
        }
        None
    }

    /// The line for people: whose next deploy undoes the change, and what to change there.
    #[must_use]
    pub fn advice(&self, function: &str, variables: &[String]) -> String {
        let place = self.place.replace("{}", &variables.join(", "));
        format!("{function} belongs to {}, whose next deploy undoes this: change {place} too", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[(&str, &str)]) -> Option<String> {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        OtherTool::of(&tags).map(|tool| tool.what)
    }

    #[test]
    fn each_tool_is_known_by_its_tags() {
        let stack = ("aws:cloudformation:stack-name", "shop");
        let logical = ("aws:cloudformation:logical-id", "Orders");
        assert_eq!(of(&[stack, logical]).as_deref(), Some("the CloudFormation stack shop (Orders)"));
        assert_eq!(of(&[stack, logical, ("lambda:createdBy", "SAM")]).as_deref(), Some("the SAM stack shop (Orders)"));
        assert_eq!(of(&[stack, ("STAGE", "prod")]).as_deref(), Some("the Serverless stack shop"));
        assert_eq!(of(&[("ManagedBy", "Terraform")]).as_deref(), Some("Terraform"));
        assert_eq!(of(&[("terraform", "true")]).as_deref(), Some("Terraform"));
        assert_eq!(of(&[("pulumi:project", "shop")]).as_deref(), Some("the Pulumi project shop"));
        assert_eq!(of(&[("team", "terraform-users"), ("managed-by", "hand")]), None);
    }
}
