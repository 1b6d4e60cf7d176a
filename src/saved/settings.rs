//! What a plan was drawn up with, as flags: whatever reads flags also checks what stands in a file.

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::resources::alarms;
use crate::spec::{ANY_USER, Spec, Variables};

/// Flags by name, without dashes; a switch has no value.
pub type Settings = BTreeMap<String, Vec<String>>;

/// The settings of `up`, without those of a run: passwords, waits, what is printed. `database` is what `--db` said.
#[must_use]
pub fn of_up(database: &str, spec: &Spec) -> Settings {
    // Each field is named, so that a new one cannot be left out by mistake.
    let Spec {
        database: _,
        stack,
        functions,
        excluded_functions,
        limited_to: _,
        all_functions,
        variables: Variables { excluded, included },
        reader_endpoint,
        publish_pending,
        secrets,
        create_secret,
        permissions_boundary,
        role_arn,
        connect_policy_arn,
        adopt,
        client_auth,
        client_password_auth,
        database_auth,
        enable_iam_auth,
        db_users,
        any_user,
        subnets,
        network_type,
        pool,
        idle_client_timeout,
        require_tls,
        debug_logging,
        log_retention,
        tags,
        inspect_secret,
        read_log: _,
        prepare,
        canary,
        verify,
        probe_login,
    } = spec;
    let mut all = Collected::default();
    all.value("db", Some(database)).value("name", Some(stack));
    all.values("function", functions).values("exclude-function", excluded_functions);
    all.switch("all-functions", *all_functions);
    all.values("exclude-variable", excluded).values("include-variable", included);
    all.choice("reader-endpoint", Some(*reader_endpoint)).switch("publish-pending", *publish_pending);
    all.values("secret", secrets).switch("create-secret", create_secret.is_some());
    all.value("secret-kms-key", create_secret.as_ref().and_then(|wanted| wanted.kms_key.as_ref()));
    all.switch("generate-password", create_secret.as_ref().is_some_and(|wanted| wanted.generate));
    all.value("permissions-boundary", permissions_boundary.as_ref()).value("role-arn", role_arn.as_ref());
    all.value("connect-policy-arn", connect_policy_arn.as_ref()).switch("adopt", *adopt);
    all.choice("client-auth", Some(*client_auth)).choice("client-password-auth", *client_password_auth);
    all.choice("database-auth", *database_auth).switch("enable-iam-auth", *enable_iam_auth);
    all.values("db-user", db_users).value("db-user", any_user.then_some(ANY_USER));
    all.values("subnet", subnets).choice("network-type", *network_type);
    all.value("max-connections-percent", pool.max_connections_percent);
    all.value("max-idle-connections-percent", pool.max_idle_connections_percent);
    all.value("connection-borrow-timeout", pool.connection_borrow_timeout);
    all.value("init-query", pool.init_query.as_ref());
    all.values("session-pinning-filter", pool.session_pinning_filters.iter().flatten());
    all.value("idle-client-timeout", *idle_client_timeout);
    all.switch("require-tls", *require_tls == Some(true)).switch("no-require-tls", *require_tls == Some(false));
    all.switch("debug-logging", *debug_logging == Some(true)).value("log-retention", *log_retention);
    all.values("tag", tags.iter().map(|(key, value)| format!("{key}={value}")));
    all.switch("inspect-secret", *inspect_secret).switch("prepare", *prepare);
    if let Some(canary) = canary {
        all.switch("canary", true).value("waves", Some(canary.shares()));
        all.value("soak", Some(format!("{}s", canary.soak.as_secs())));
        all.value("canary-function", canary.first.as_ref()).value("alias-weight", Some(canary.alias_weight));
        all.choice("on-unknown", Some(canary.on_unknown));
    }
    all.choice("verify", Some(*verify)).switch("probe-login", *probe_login);
    all.0
}

/// The settings of `teardown` and of `restore`: which stack, and what else.
#[must_use]
pub fn of_stack(database: Option<&str>, name: Option<&str>, functions: &[String], even_if_used: bool) -> Settings {
    let mut all = Collected::default();
    all.value("db", database).value("name", name).values("function", functions).switch("even-if-used", even_if_used);
    all.0
}

/// The settings of `alarms`; `None` deletes them.
#[must_use]
pub fn of_alarms(database: &str, stack: &str, wanted: Option<&alarms::Settings>) -> Settings {
    let mut all = Collected::default();
    all.value("db", Some(database)).value("name", Some(stack)).switch("remove", wanted.is_none());
    if let Some(alarms::Settings { thresholds, topics, dashboard }) = wanted {
        all.values("threshold", thresholds.iter().map(|(kind, value)| format!("{}={value}", kind.info().key)));
        all.values("topic", topics.iter().flatten()).switch("no-topic", topics.as_ref().is_some_and(Vec::is_empty));
        all.switch("dashboard", *dashboard);
    }
    all.0
}

#[derive(Default)]
struct Collected(Settings);

impl Collected {
    fn values<T: ToString>(&mut self, flag: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if !values.is_empty() {
            self.0.entry(flag.to_owned()).or_default().extend(values);
        }
        self
    }

    fn value<T: ToString>(&mut self, flag: &str, value: Option<T>) -> &mut Self {
        self.values(flag, value)
    }

    fn switch(&mut self, flag: &str, on: bool) -> &mut Self {
        if on {
            self.0.insert(flag.to_owned(), Vec::new());
        }
        self
    }

    fn choice<T: ValueEnum>(&mut self, flag: &str, chosen: Option<T>) -> &mut Self {
        self.values(flag, chosen.and_then(|chosen| Some(chosen.to_possible_value()?.get_name().to_owned())))
    }
}
