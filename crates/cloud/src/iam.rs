//! AWS IAM: roles and policies.

mod look;

use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::config::Builder;
use aws_sdk_iam::types::{PolicyScopeType, Tag};
use serde_json::Value;

use super::Tags;
use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;

pub use look::{Doubt, Judgement, Known};

/// The IAM client.
#[derive(Debug, Clone)]
pub struct Iam {
    client: Client,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name, without the path.
    pub name: String,
    /// The ARN, with the path.
    pub arn: String,
    /// The trust policy.
    pub trust: Value,
    /// The tags.
    pub tags: Tags,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// What it is described by.
    pub description: Option<String>,
}

/// A managed policy, without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The ARN.
    pub arn: String,
    /// The default version, `v1`.
    pub version: String,
    /// The tags.
    pub tags: Tags,
    /// What it is described by.
    pub description: Option<String>,
}

/// What a managed policy is attached to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carriers {
    /// The names of the roles.
    pub roles: Vec<String>,
    /// How many users and groups.
    pub others: usize,
}

impl Iam {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Reads a role, by name.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn role(&self, name: &str) -> Answer<Option<Role>> {
        const CALL: &str = "iam:GetRole";
        let answer = absent(self.client.get_role().role_name(name).send().await.map_err(|e| refuse(CALL, &e)))?;
        let Some(role) = answer.and_then(|answer| answer.role) else { return Ok(None) };
        plain(CALL, role).map(Some)
    }

    /// Creates a role.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create_role(
        &self,
        name: &str,
        path: &str,
        trust: &Value,
        tags: &Tags,
        boundary: Option<&str>,
    ) -> Answer<Role> {
        const CALL: &str = "iam:CreateRole";
        let answer = self
            .client
            .create_role()
            .role_name(name)
            .path(path)
            .assume_role_policy_document(trust.to_string())
            .description("Lets RDS Proxy read the database's credentials. Made by rdsproxy-setup.")
            .set_tags(Some(iam_tags(CALL, tags)?))
            .set_permissions_boundary(boundary.map(str::to_owned))
            .send()
            .await
            .map_err(|error| refuse(CALL, &error))?;
        let role = answer.role.ok_or_else(|| Refusal::incomplete(CALL, "the role"))?;
        let boundary = boundary.map(str::to_owned);
        Ok(Role { trust: trust.clone(), tags: tags.clone(), boundary, ..plain(CALL, role)? })
    }

    /// Sets a role's permissions boundary.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn set_boundary(&self, name: &str, boundary: &str) -> Answer<()> {
        let call = self.client.put_role_permissions_boundary().role_name(name).permissions_boundary(boundary).send();
        call.await.map(drop).map_err(|error| refuse("iam:PutRolePermissionsBoundary", &error))
    }

    /// Replaces a role's trust policy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn set_trust(&self, name: &str, trust: &Value) -> Answer<()> {
        let call = self.client.update_assume_role_policy().role_name(name).policy_document(trust.to_string()).send();
        call.await.map(drop).map_err(|error| refuse("iam:UpdateAssumeRolePolicy", &error))
    }

    /// Adds tags to a role.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tag_role(&self, name: &str, tags: &Tags) -> Answer<()> {
        const CALL: &str = "iam:TagRole";
        let call = self.client.tag_role().role_name(name).set_tags(Some(iam_tags(CALL, tags)?)).send();
        call.await.map(drop).map_err(|error| refuse(CALL, &error))
    }

    /// Deletes a role; one that is gone already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_role(&self, name: &str) -> Answer<()> {
        let call = self.client.delete_role().role_name(name).send().await;
        absent(call.map_err(|error| refuse("iam:DeleteRole", &error))).map(drop)
    }

    /// Lists the names of the roles under a path.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn role_paths(&self, path: &str) -> Answer<Vec<String>> {
        let mut paths = Vec::new();
        let mut pages = capped(self.client.list_roles().path_prefix(path).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("iam:ListRoles", &error))?;
            paths.extend(page.roles.into_iter().map(|role| role.path));
        }
        Ok(paths)
    }

    /// Reads an inline policy of a role.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn role_policy(&self, role: &str, name: &str) -> Answer<Option<Value>> {
        let call = self.client.get_role_policy().role_name(role).policy_name(name).send().await;
        let answer = absent(call.map_err(|error| refuse("iam:GetRolePolicy", &error)))?;
        Ok(answer.map(|answer| document(&answer.policy_document)))
    }

    /// Writes an inline policy of a role.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put_role_policy(&self, role: &str, name: &str, policy: &Value) -> Answer<()> {
        let call =
            self.client.put_role_policy().role_name(role).policy_name(name).policy_document(policy.to_string()).send();
        call.await.map(drop).map_err(|error| refuse("iam:PutRolePolicy", &error))
    }

    /// Deletes an inline policy of a role; one that is gone already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_role_policy(&self, role: &str, name: &str) -> Answer<()> {
        let call = self.client.delete_role_policy().role_name(role).policy_name(name).send().await;
        absent(call.map_err(|error| refuse("iam:DeleteRolePolicy", &error))).map(drop)
    }

    /// Lists the names of a role's inline policies; none for a role that is not there.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn role_policies(&self, role: &str) -> Answer<Vec<String>> {
        let call = self.client.list_role_policies().role_name(role).send().await;
        let answer = absent(call.map_err(|error| refuse("iam:ListRolePolicies", &error)))?;
        Ok(answer.map(|answer| answer.policy_names).unwrap_or_default())
    }

    /// Reads a managed policy, by ARN.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn policy(&self, arn: &str) -> Answer<Option<Policy>> {
        const CALL: &str = "iam:GetPolicy";
        let call = self.client.get_policy().policy_arn(arn).send().await;
        let answer = absent(call.map_err(|error| refuse(CALL, &error)))?;
        let Some(policy) = answer.and_then(|answer| answer.policy) else { return Ok(None) };
        Ok(Some(Policy {
            arn: arn.to_owned(),
            version: policy.default_version_id.ok_or_else(|| Refusal::incomplete(CALL, "the default version"))?,
            tags: plain_tags(policy.tags.unwrap_or_default()),
            description: policy.description.filter(|text| !text.is_empty()),
        }))
    }

    /// Reads one version of a managed policy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn policy_document(&self, arn: &str, version: &str) -> Answer<Value> {
        const CALL: &str = "iam:GetPolicyVersion";
        let call = self.client.get_policy_version().policy_arn(arn).version_id(version).send();
        let answer = call.await.map_err(|error| refuse(CALL, &error))?;
        let text = answer.policy_version.and_then(|version| version.document);
        Ok(document(&text.ok_or_else(|| Refusal::incomplete(CALL, "the document"))?))
    }

    /// Creates a managed policy.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create_policy(&self, name: &str, path: &str, policy: &Value, tags: &Tags) -> Answer<Policy> {
        const CALL: &str = "iam:CreatePolicy";
        let answer = self
            .client
            .create_policy()
            .policy_name(name)
            .path(path)
            .policy_document(policy.to_string())
            .description("Lets functions log in through an RDS Proxy. Made by rdsproxy-setup.")
            .set_tags(Some(iam_tags(CALL, tags)?))
            .send()
            .await
            .map_err(|error| refuse(CALL, &error))?;
        let made = answer.policy.ok_or_else(|| Refusal::incomplete(CALL, "the policy"))?;
        Ok(Policy {
            arn: made.arn.ok_or_else(|| Refusal::incomplete(CALL, "the ARN"))?,
            version: made.default_version_id.unwrap_or_else(|| "v1".to_owned()),
            tags: tags.clone(),
            description: made.description,
        })
    }

    /// Adds a version to a managed policy and makes it the default.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn add_policy_version(&self, arn: &str, policy: &Value) -> Answer<String> {
        const CALL: &str = "iam:CreatePolicyVersion";
        let call = self
            .client
            .create_policy_version()
            .policy_arn(arn)
            .policy_document(policy.to_string())
            .set_as_default(true)
            .send();
        let answer = call.await.map_err(|error| refuse(CALL, &error))?;
        answer
            .policy_version
            .and_then(|version| version.version_id)
            .ok_or_else(|| Refusal::incomplete(CALL, "the version's id"))
    }

    /// Lists the versions of a managed policy that are not the default, oldest first.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn idle_policy_versions(&self, arn: &str) -> Answer<Vec<String>> {
        let call = self.client.list_policy_versions().policy_arn(arn).send().await;
        let answer = absent(call.map_err(|error| refuse("iam:ListPolicyVersions", &error)))?;
        let mut versions: Vec<String> = answer
            .and_then(|answer| answer.versions)
            .unwrap_or_default()
            .into_iter()
            .filter(|version| !version.is_default_version)
            .filter_map(|version| version.version_id)
            .collect();
        versions.sort_by_key(|id| id.trim_start_matches('v').parse::<u32>().unwrap_or(u32::MAX));
        Ok(versions)
    }

    /// Deletes a version of a managed policy; one that is gone already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_policy_version(&self, arn: &str, version: &str) -> Answer<()> {
        let call = self.client.delete_policy_version().policy_arn(arn).version_id(version).send().await;
        absent(call.map_err(|error| refuse("iam:DeletePolicyVersion", &error))).map(drop)
    }

    /// Replaces tags of a managed policy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tag_policy(&self, arn: &str, tags: &Tags) -> Answer<()> {
        const CALL: &str = "iam:TagPolicy";
        let call = self.client.tag_policy().policy_arn(arn).set_tags(Some(iam_tags(CALL, tags)?)).send();
        call.await.map(drop).map_err(|error| refuse(CALL, &error))
    }

    /// Deletes a managed policy; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Kind::InUse`] while it is attached, or when AWS refuses otherwise.
    pub async fn delete_policy(&self, arn: &str) -> Answer<()> {
        let call = self.client.delete_policy().policy_arn(arn).send().await;
        absent(call.map_err(|error| refuse("iam:DeletePolicy", &error))).map(drop)
    }

    /// Lists the ARNs of the account's own managed policies under a path; tags are not shown here
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html>).
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn policies_under(&self, path: &str) -> Answer<Vec<String>> {
        const CALL: &str = "iam:ListPolicies";
        let list = self.client.list_policies().scope(PolicyScopeType::Local).path_prefix(path);
        let (mut arns, mut pages) = (Vec::new(), capped(list.into_paginator().send()));
        while let Some(page) = pages.next().await {
            for policy in page.map_err(|error| refuse(CALL, &error))?.policies.unwrap_or_default() {
                arns.push(policy.arn.ok_or_else(|| Refusal::incomplete(CALL, "a policy's ARN"))?);
            }
        }
        Ok(arns)
    }

    /// Lists what a managed policy is attached to; nothing for a policy that is not there.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is no such policy.
    pub async fn carriers(&self, arn: &str) -> Answer<Carriers> {
        let mut carriers = Carriers::default();
        let mut pages = capped(self.client.list_entities_for_policy().policy_arn(arn).into_paginator().send());
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    carriers.others += page.policy_users.unwrap_or_default().len();
                    carriers.others += page.policy_groups.unwrap_or_default().len();
                    let roles = page.policy_roles.unwrap_or_default().into_iter();
                    carriers.roles.extend(roles.filter_map(|role| role.role_name));
                }
                Err(error) => {
                    let refusal = refuse("iam:ListEntitiesForPolicy", &error);
                    return if refusal.kind == Kind::NotFound { Ok(Carriers::default()) } else { Err(refusal) };
                }
            }
        }
        Ok(carriers)
    }

    /// Attaches a managed policy to a role; doing so twice is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn attach(&self, role: &str, policy: &str) -> Answer<()> {
        let call = self.client.attach_role_policy().role_name(role).policy_arn(policy).send();
        call.await.map(drop).map_err(|error| refuse("iam:AttachRolePolicy", &error))
    }

    /// Detaches a managed policy from a role; one that is not attached is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn detach(&self, role: &str, policy: &str) -> Answer<()> {
        let call = self.client.detach_role_policy().role_name(role).policy_arn(policy).send().await;
        absent(call.map_err(|error| refuse("iam:DetachRolePolicy", &error))).map(drop)
    }

    /// Creates RDS's service-linked role; one that exists already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn create_rds_service_role(&self) -> Answer<()> {
        let call = self.client.create_service_linked_role().aws_service_name("rds.amazonaws.com").send().await;
        match call.map_err(|error| refuse("iam:CreateServiceLinkedRole", &error)) {
            Err(refusal) if !(refusal.is(&["InvalidInput"]) && refusal.message.contains("taken")) => Err(refusal),
            _ => Ok(()),
        }
    }
}

/// Turns "there is none" into `None`.
fn absent<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(refusal) if refusal.kind == Kind::NotFound => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

fn plain(call: &'static str, role: aws_sdk_iam::types::Role) -> Answer<Role> {
    if role.arn.is_empty() {
        return Err(Refusal::incomplete(call, "the role's ARN"));
    }
    Ok(Role {
        trust: document(role.assume_role_policy_document.as_deref().unwrap_or_default()),
        tags: plain_tags(role.tags.unwrap_or_default()),
        boundary: role.permissions_boundary.and_then(|boundary| boundary.permissions_boundary_arn),
        description: role.description.filter(|text| !text.is_empty()),
        name: role.role_name,
        arn: role.arn,
    })
}

/// A policy document as IAM answers it: URL-encoded JSON. One that is not JSON equals no document of ours.
fn document(text: &str) -> Value {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&decoded).unwrap_or(Value::Null)
}

fn plain_tags(tags: Vec<Tag>) -> Tags {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn iam_tags(call: &'static str, tags: &Tags) -> Answer<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder().key(key).value(value).build().map_err(|_| Refusal::incomplete(call, "a tag's key"))
        })
        .collect()
}
