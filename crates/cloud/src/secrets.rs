//! AWS Secrets Manager: metadata of secrets, and values only where the user allowed it.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};

use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;
use super::tags;
use crate::Tags;
use crate::password::Password;

/// The Secrets Manager client.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The full ARN, with its six random characters.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The customer KMS key, if not Secrets Manager's own.
    pub kms_key: Option<String>,
    /// Whether deletion is scheduled.
    pub deleted: bool,
    /// The service that manages it (`rds`), if any.
    pub owning_service: Option<String>,
    /// The database user that it is for, where that is known without its value.
    pub user: Option<String>,
    /// The tags.
    pub tags: Tags,
    /// What it is described by.
    pub description: Option<String>,
    /// The function that rotates it, if one does.
    pub rotated_by: Option<String>,
}

/// A secret to be made.
#[derive(Debug, Clone)]
pub struct NewSecret<'a> {
    /// The name.
    pub name: &'a str,
    /// Words for people.
    pub description: &'a str,
    /// The customer KMS key; Secrets Manager's own where unset.
    pub kms_key: Option<&'a str>,
    /// What makes a second call the same one: 32 to 64 characters.
    pub token: &'a str,
    /// The tags.
    pub tags: &'a Tags,
    /// The database user.
    pub user: &'a str,
    /// The password.
    pub password: &'a Password,
}

/// What stays out of generated passwords: MySQL and RDS refuse `/`, `@`, quotes and spaces, and the rest has a meaning
/// in URLs, connection strings or shells. `-`, `.` and `_` stay, since MySQL's own rule may ask for a special character
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>).
const LEFT_OUT: &str = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~";

/// What the shape of a secret's value says, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The names of the JSON object's keys; `None` when it is not a JSON object.
    pub keys: Option<Vec<String>>,
    /// The `username`, if there is one.
    pub username: Option<String>,
    /// The `host`, if there is one.
    pub host: Option<String>,
    /// The `dbInstanceIdentifier` or `dbClusterIdentifier`, if there is one: Secrets Manager's consoles and templates
    /// write them (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html>).
    pub database: Option<String>,
}

impl Secrets {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Looks at a secret's metadata, by ARN or name.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn describe(&self, id: &str) -> Answer<Option<Secret>> {
        const CALL: &str = "secretsmanager:DescribeSecret";
        let answer = match self.client.describe_secret().secret_id(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refusal = refuse(CALL, &error);
                return if refusal.kind == Kind::NotFound { Ok(None) } else { Err(refusal) };
            }
        };
        let arn = answer.arn.ok_or_else(|| Refusal::incomplete(CALL, "the ARN"))?;
        let tags = plain_tags(answer.tags);
        Ok(Some(Secret {
            name: answer.name.unwrap_or_else(|| id.to_owned()),
            arn,
            description: answer.description.filter(|text| !text.is_empty()),
            kms_key: answer.kms_key_id.filter(|key| !key.ends_with("alias/aws/secretsmanager")),
            deleted: answer.deleted_date.is_some(),
            owning_service: answer.owning_service,
            user: tags.get(tags::USER).cloned(),
            rotated_by: answer.rotation_lambda_arn.filter(|_| answer.rotation_enabled == Some(true)),
            tags,
        }))
    }

    /// Lists the names of the region's secrets whose name or description holds `text`.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn mentioning(&self, text: &str) -> Answer<Vec<String>> {
        const CALL: &str = "secretsmanager:ListSecrets";
        let filter = Filter::builder().key(FilterNameStringType::All).values(text).build();
        let answer = self.client.list_secrets().filters(filter).send().await.map_err(|error| refuse(CALL, &error))?;
        Ok(answer.secret_list.unwrap_or_default().into_iter().filter_map(|secret| secret.name).collect())
    }

    /// Reads a secret once and keeps only the shape of its value.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn inspect(&self, arn: &str) -> Answer<Shape> {
        const CALL: &str = "secretsmanager:GetSecretValue";
        let answer =
            self.client.get_secret_value().secret_id(arn).send().await.map_err(|error| refuse(CALL, &error))?;
        let text = answer.secret_string.unwrap_or_default();
        let Ok(serde_json::Value::Object(value)) = serde_json::from_str(&text) else {
            return Ok(Shape { keys: None, username: None, host: None, database: None });
        };
        let text = |key: &str| value.get(key).and_then(|name| name.as_str()).map(str::to_owned);
        let database = text("dbInstanceIdentifier").or_else(|| text("dbClusterIdentifier"));
        Ok(Shape {
            keys: Some(value.keys().cloned().collect()),
            username: text("username"),
            host: text("host"),
            database,
        })
    }

    /// Makes a secret of a user and a password.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create(&self, wanted: &NewSecret<'_>) -> Answer<Secret> {
        const CALL: &str = "secretsmanager:CreateSecret";
        let tags = wanted.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.client.create_secret().name(wanted.name).description(wanted.description);
        let call = call.set_kms_key_id(wanted.kms_key.map(str::to_owned)).client_request_token(wanted.token);
        let value = wanted.password.secret_of(wanted.user);
        let answer = call.secret_string(value.as_str()).set_tags(Some(tags)).send().await;
        let answer = answer.map_err(|error| refuse(CALL, &error))?;
        Ok(Secret {
            arn: answer.arn.ok_or_else(|| Refusal::incomplete(CALL, "the ARN"))?,
            name: wanted.name.to_owned(),
            kms_key: wanted.kms_key.map(str::to_owned),
            deleted: false,
            owning_service: None,
            user: Some(wanted.user.to_owned()),
            tags: wanted.tags.clone(),
            description: Some(wanted.description.to_owned()),
            rotated_by: None,
        })
    }

    /// Takes a secret back that is scheduled for deletion.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn restore(&self, arn: &str) -> Answer<()> {
        let call = self.client.restore_secret().secret_id(arn).send().await;
        call.map(drop).map_err(|error| refuse("secretsmanager:RestoreSecret", &error))
    }

    /// Schedules a secret's deletion; one that is gone or scheduled already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete(&self, arn: &str, days: i64) -> Answer<()> {
        let call = self.client.delete_secret().secret_id(arn).recovery_window_in_days(days).send().await;
        match call.map(drop).map_err(|error| refuse("secretsmanager:DeleteSecret", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            Err(refusal) if refusal.is(&["InvalidRequestException"]) && refusal.message.contains("deletion") => Ok(()),
            answer => answer,
        }
    }

    /// Has AWS make a password up.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn random_password(&self) -> Answer<Password> {
        const CALL: &str = "secretsmanager:GetRandomPassword";
        let call = self.client.get_random_password().password_length(32).exclude_characters(LEFT_OUT);
        let answer = call.require_each_included_type(true).send().await.map_err(|error| refuse(CALL, &error))?;
        answer.random_password.map(Password::new).ok_or_else(|| Refusal::incomplete(CALL, "the password"))
    }

    /// Lists the secrets whose names begin with `prefix`, without those scheduled for deletion: ARN, name and tags.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn beginning_with(&self, prefix: &str) -> Answer<Vec<(String, String, Tags)>> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(prefix).build();
        let mut found = Vec::new();
        let mut pages = capped(self.client.list_secrets().filters(filter).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("secretsmanager:ListSecrets", &error))?;
            let rows = page.secret_list.unwrap_or_default().into_iter();
            found.extend(rows.filter_map(|row| Some((row.arn?, row.name?, plain_tags(row.tags)))));
        }
        Ok(found)
    }
}

fn plain_tags(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}
