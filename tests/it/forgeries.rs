//! What an attacker writes: keys of tags that mean something to this tool, and values that would lead it astray.

use sandbox::World;

use crate::attacks::Right;
use crate::hand::Side;

/// The keys of all tags of this tool, and some that are others'.
pub(crate) fn tag_keys() -> Vec<String> {
    let ours = [
        "stack",
        "database",
        "document",
        "further",
        "writer",
        "reader",
        "former:DB_HOST",
        "former:DATABASE_URL",
        "former:DB_PORT",
        "former-version:live",
        "user",
        "adopted",
        "iam-auth",
        "client-auth",
        "db-users",
        "functions",
        "functions:2",
        "exclude-functions",
        "exclude-variables",
        "include-variables",
        "connect-policy",
        "probe",
    ];
    let mut keys: Vec<String> = ours.iter().map(|key| format!("rdsproxy-setup:{key}")).collect();
    keys.push("team".to_owned());
    keys
}

/// The keys of tags that mean something to this tool on things of this kind.
pub(crate) fn pointed_keys(right: Right) -> Vec<String> {
    let keys: &[&str] = match right {
        Right::TagFunctions => {
            &["former:DB_HOST", "former:DATABASE_URL", "former:DB_READER_HOST", "former-version:live"]
        }
        Right::TagRoles => &["stack", "database", "iam-auth"],
        Right::TagPolicies => &["stack", "database", "document", "further"],
        Right::TagNetwork => &["stack", "stack", "database"],
        Right::TagDatabases => &[
            "stack",
            "database",
            "db-users",
            "db-users",
            "client-auth",
            "functions",
            "exclude-functions",
            "adopted",
            "writer",
            "reader",
            "iam-auth",
            "connect-policy",
            "exclude-variables",
            "include-variables",
        ],
        Right::TagSecrets => &["stack", "database", "user"],
        _ => &["stack"],
    };
    keys.iter().map(|key| format!("rdsproxy-setup:{key}")).collect()
}

/// What such tags say: a stack, a database, users, hosts of this database and of others, versions, functions, policies.
pub(crate) fn pointed_values(world: &World, side: &Side) -> Vec<String> {
    let stack = side.stack();
    let mut all: Vec<String> = [
        &stack,
        &stack,
        side.database,
        side.database,
        "my-instance",
        "my-cluster",
        "admin",
        "app",
        "billing",
        "app postgres",
        "db.evil.example.com",
        "db.evil.example.com db.evil.example.com",
        "1",
        "2",
        "with-target",
        "without-target",
        "iam",
        "password",
        "DBAppFunction",
        "WebhookFunction",
        "DB_HOST",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(world.rds.instances.values().map(|instance| instance.endpoint.clone()));
    all.extend(world.rds.clusters.values().map(|cluster| cluster.endpoint.clone()));
    all.extend(world.iam.policies.keys().filter(|arn| !arn.contains(":aws:policy/")).cloned());
    all
}

/// What a tag or a variable may be made to say.
pub(crate) fn values(world: &World, side: &Side) -> Vec<String> {
    let stack = side.stack();
    let mut all: Vec<String> = [
        "",
        ".",
        "*",
        "admin",
        "app",
        "app admin",
        "postgres",
        "${aws:username}",
        "billing",
        "1",
        "2",
        "$LATEST",
        "3306",
        "0",
        "iam",
        "password",
        "with-target",
        "without-target",
        "v1:0",
        "db.evil.example.com",
        "127.0.0.1",
        "localhost",
        "DBAppFunction",
        "WebhookFunction",
        "DBAppFunction WebhookFunction OrdersFunction",
        "DB_HOST",
        "DB_HOST +",
        "a/b",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
        "\u{202e}nimda",
        "line\nbreak",
        "rdsproxy-setup",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(["x".repeat(256), "x".repeat(4_000), "é".repeat(256)]);
    all.extend([side.database.to_owned(), stack.clone(), "my-instance".to_owned(), "my-cluster".to_owned()]);
    all.push(format!("{stack}.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com"));
    all.push(format!("{stack}.proxy-evil00000000.eu-central-1.rds.amazonaws.com"));
    all.push("my-instance.evil00000000.eu-central-1.rds.amazonaws.com.example.com".to_owned());
    all.extend(world.rds.instances.values().map(|instance| instance.endpoint.clone()));
    for cluster in world.rds.clusters.values() {
        all.extend([cluster.endpoint.clone(), cluster.reader_endpoint.clone()]);
    }
    all.extend(world.rds.proxies.values().map(|proxy| proxy.endpoint.clone()));
    all.extend(world.secrets.secrets.values().flat_map(|secret| [secret.arn.clone(), secret.name.clone()]));
    all.extend(world.iam.policies.keys().cloned());
    all.push("arn:aws:iam::aws:policy/AdministratorAccess".to_owned());
    all.extend(world.iam.roles.values().map(|role| role.arn.clone()));
    all
}
