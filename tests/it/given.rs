//! A pipeline without IAM writes: role and connect policy are an administrator's, checked and never changed.

use rdsproxy_setup::catalogue::checks::CheckId;
use rdsproxy_setup::doctor;
use rdsproxy_setup::permissions::{GIVEN_PATH, Scope, Verb, policies};
use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{DatabaseAuth, Spec};
use rdsproxy_setup::templates;
use sandbox::World;
use sandbox::parts::{Policy, Role};
use serde_json::{Value, json};

use crate::access::lawful;
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{denials, restrict, scope};
use crate::policies::printed;

const INSTANCE: &str = "my-instance";
const ROLE: &str = "arn:aws:iam::123456789012:role/platform/orders-proxy";
const POLICY: &str = "arn:aws:iam::123456789012:policy/platform/orders-connect";

fn statement(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

fn put_role(world: &mut World, trust: &Value, rights: &Value) {
    let role = Role::by_hand(&world.account, &world.partition, "/platform/", "orders-proxy", trust, rights);
    assert_eq!(role.arn, ROLE);
    world.iam.roles.insert(role.name.clone(), role);
}

fn put_policy(world: &mut World, resource: &str) {
    let document = statement("rds-db:connect", resource);
    let policy = Policy::customer_managed(&world.account, &world.partition, "/platform/", "orders-connect", &document);
    assert_eq!(policy.arn, POLICY);
    for role in ["DBAppFunctionRole", "InvoiceFunctionRole"] {
        if let Some(role) = world.iam.roles.remove(role) {
            world.iam.roles.insert(role.name.clone(), role.with_attached(&policy));
        }
    }
    world.iam.policies.insert(policy.arn.clone(), policy);
}

/// What an administrator prepared once, before there is a proxy.
fn prepared() -> World {
    let mut world = newcomer();
    put_role(&mut world, &templates::proxy_trust(), &statement("secretsmanager:GetSecretValue", "*"));
    put_policy(&mut world, "arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-*/admin");
    world
}

fn given() -> Spec {
    Spec { role_arn: Some(ROLE.to_owned()), connect_policy_arn: Some(POLICY.to_owned()), ..wish(INSTANCE) }
}

fn done<T: std::fmt::Debug>(fate: &Fate<T>) {
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

fn stopped<T: std::fmt::Debug>(fate: &Fate<T>, words: &[&str]) {
    assert!(matches!(fate, Fate::Stopped(why) if words.iter().all(|word| why.contains(word))), "{words:?}: {fate:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn what_an_administrator_gave_is_used_and_never_touched() {
    let want = lawful(&prepared, &given()).await;
    assert_eq!(want["rds"]["proxies"]["my-instance-proxy"]["role_arn"], ROLE);
    assert!(want["iam"]["roles"].get("my-instance-proxy-eu-central-1").is_none());
    let bed = Bed::of(prepared(), NEVER, false);
    let before = bed.dump().await["iam"].clone();
    done(&bed.up(&given()).await);
    let writes =
        ["CreateRole", "CreatePolicy", "Put", "Attach", "TagRole", "TagPolicy", "UpdateAssume", "CreateServiceLinked"];
    let made = bed.mutations(0);
    assert!(!made.iter().any(|action| writes.iter().any(|verb| action.starts_with(verb))), "{made:?}");
    assert_eq!(bed.dump().await["iam"], before);
}

#[tokio::test(start_paused = true)]
async fn a_later_run_without_the_flags_wants_the_same() {
    let bed = Bed::of(prepared(), NEVER, false);
    done(&bed.up(&given()).await);
    let since = bed.logged();
    done(&bed.up(&wish(INSTANCE)).await);
    assert_eq!(bed.mutations(since), [""; 0]);
    let survey = Box::pin(bed.survey(&wish(INSTANCE))).await.unwrap();
    for entry in survey.entries() {
        assert!(matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)), "{entry:?}");
    }
    assert!(doctor::of(&bed.cloud, &survey).await.is_clean());
    // A role that is gone serves nobody, and ours is wanted again.
    bed.gate.account.with(|world| world.iam.roles.remove("orders-proxy"));
    let rows = Box::pin(bed.survey(&wish(INSTANCE))).await.unwrap().entries();
    assert_eq!(rows[0].verdict, Verdict::Create);
}

/// What the program prints for an administrator.
fn template(form: &str, more: &[&str]) -> Value {
    let secret =
        newcomer().secrets.secrets.values().find(|secret| secret.name.starts_with("rds!")).unwrap().arn.clone();
    let roles = ["service-role/DBAppFunctionRole", "teams/billing/InvoiceFunctionRole"];
    let roles = roles.map(|role| format!("arn:aws:iam::123456789012:role/{role}"));
    let mut all = vec!["--for", "administrator", "--db", INSTANCE, "--account", "123456789012", "--as", form];
    all.extend(["--secret", &secret, "--db-user", "admin"]);
    all.extend(roles.iter().flat_map(|role| ["--function-role", role]));
    all.extend(more);
    printed(&Desk::new(), &all).remove(0)
}

/// Carries out the template, as CloudFormation would.
fn carried_out(template: &Value) -> (World, Spec) {
    let mut world = newcomer();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (account, partition) = (world.account.clone(), world.partition.clone());
    let wanted = &template["Resources"]["ProxyRole"]["Properties"];
    let (name, rights) = (text(&wanted["RoleName"]), &wanted["Policies"][0]["PolicyDocument"]);
    let trust = &wanted["AssumeRolePolicyDocument"];
    let role = Role::by_hand(&account, &partition, &text(&wanted["Path"]), &name, trust, rights);
    let wanted = &template["Resources"]["ConnectPolicy"]["Properties"];
    let (name, document) = (text(&wanted["ManagedPolicyName"]), &wanted["PolicyDocument"]);
    let policy = Policy::customer_managed(&account, &partition, &text(&wanted["Path"]), &name, document);
    for name in wanted["Roles"].as_array().unwrap() {
        let held = world.iam.roles.remove(&text(name)).unwrap();
        world.iam.roles.insert(held.name.clone(), held.with_attached(&policy));
    }
    let (role_arn, connect_policy_arn) = (Some(role.arn.clone()), Some(policy.arn.clone()));
    world.iam.roles.insert(role.name.clone(), role);
    world.iam.policies.insert(policy.arn.clone(), policy);
    (world, Spec { role_arn, connect_policy_arn, ..wish(INSTANCE) })
}

#[tokio::test(start_paused = true)]
async fn law_9_a_pipeline_without_iam_writes_sets_the_stack_up_and_takes_it_down() {
    let (world, spec) = carried_out(&template("cloudformation", &[]));
    let (role, policy) = (spec.role_arn.clone().unwrap(), spec.connect_policy_arn.clone().unwrap());
    assert!(role.contains(GIVEN_PATH) && policy.contains(GIVEN_PATH), "{role}, {policy}");
    let scope = Scope {
        database: Some(INSTANCE.to_owned()),
        functions: ["DBAppFunction", "InvoiceFunction"].map(str::to_owned).to_vec(),
        function_roles: ["service-role/DBAppFunctionRole", "teams/billing/InvoiceFunctionRole"]
            .map(|role| format!("arn:aws:iam::123456789012:role/{role}"))
            .to_vec(),
        role: Some(role.clone()),
        connect_policy: Some(policy),
        ..scope()
    };
    let (up, down) = (&[Verb::Up, Verb::Status], &[Verb::Teardown]);
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    for (verbs, spec) in [(up.as_slice(), &spec), (up, &spec), (up, &wish(INSTANCE))] {
        restrict(&bed, &policies(verbs, &[], &scope));
        done(&bed.up(spec).await);
    }
    restrict(&bed, &policies(&[Verb::Status, Verb::Doctor], &[], &scope));
    let survey = Box::pin(bed.survey(&spec)).await.unwrap();
    assert!(doctor::of(&bed.cloud, &survey).await.is_clean());
    restrict(&bed, &policies(down, &[], &scope));
    done(&bed.down(&spec).await);
    assert_eq!(denials(&bed), [""; 0]);
    assert_eq!(bed.dump().await, before);

    // Nothing that writes to IAM is left in it, and the one role that it passes is the administrator's, to RDS.
    let all = policies(&[Verb::Up, Verb::Status, Verb::Teardown, Verb::Doctor], &[], &scope);
    for statement in all.iter().flat_map(|document| document["Statement"].as_array().unwrap()) {
        for action in statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()) {
            let Some(verb) = action.strip_prefix("iam:") else { continue };
            assert!(["Get", "List", "Simulate", "PassRole"].iter().any(|fits| verb.starts_with(fits)), "{action}");
            if verb == "PassRole" {
                assert_eq!(statement["Resource"], json!([role]));
                assert_eq!(statement["Condition"]["StringEquals"]["iam:PassedToService"], "rds.amazonaws.com");
            }
        }
    }
}

#[test]
fn templates_of_both_tools_say_the_same() {
    let boundary = "arn:aws:iam::123456789012:policy/limits";
    let more = ["--permissions-boundary", boundary, "--kms-key", "arn:aws:kms:eu-central-1:123456789012:key/k"];
    let (stack, hcl) = (template("cloudformation", &more), template("terraform", &more));
    let (role, resource) = (&stack["Resources"]["ProxyRole"]["Properties"], &hcl["resource"]);
    let parsed = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    let proxy = &resource["aws_iam_role"]["proxy"];
    assert_eq!((&proxy["name"], &proxy["path"]), (&role["RoleName"], &role["Path"]));
    assert_eq!((&proxy["permissions_boundary"], &role["PermissionsBoundary"]), (&json!(boundary), &json!(boundary)));
    assert_eq!(parsed(&proxy["assume_role_policy"]), role["AssumeRolePolicyDocument"]);
    let rights = &role["Policies"][0]["PolicyDocument"];
    assert_eq!(&parsed(&resource["aws_iam_role_policy"]["read_secrets"]["policy"]), rights);
    assert_eq!(rights["Statement"][1]["Action"], "kms:Decrypt");
    let policy = &stack["Resources"]["ConnectPolicy"]["Properties"];
    assert_eq!(parsed(&resource["aws_iam_policy"]["connect"]["policy"]), policy["PolicyDocument"]);
    let users = &policy["PolicyDocument"]["Statement"][0]["Resource"];
    assert_eq!(users, &json!(["arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-*/admin"]));
    let attached = resource["aws_iam_role_policy_attachment"].as_object().unwrap().values();
    let attached: Vec<&Value> = attached.map(|one| &one["role"]).collect();
    assert_eq!(json!(attached), policy["Roles"]);
}

#[test]
fn a_template_is_not_printed_with_wildcards() {
    let desk = Desk::new();
    let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-a1B2c3";
    let whole = ["--db", INSTANCE, "--account", "123456789012", "--secret", secret, "--as", "terraform"];
    let without = |at: usize| [&whole[..at], &whole[at + 2..]].concat();
    let cases = [
        (without(0), "stack's name"),
        (without(2), "account, region"),
        (without(4), "account, region"),
        (without(6), "--as cloudformation"),
        ([whole.as_slice(), &["--db-user", "*"]].concat(), "--db-user"),
        ([whole.as_slice(), &["--role-arn", ROLE]].concat(), "--role-arn"),
        ([whole.as_slice(), &["--output-dir", "x"]].concat(), "--output-dir"),
    ];
    for (arguments, why) in cases {
        let all =
            [&["--region", "eu-central-1", "permissions", "--for", "administrator"], arguments.as_slice()].concat();
        let shown = desk.run(&all);
        assert!(shown.code != Some(0) && shown.stdout.is_empty() && shown.stderr.contains(why), "{why}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_serve_is_refused_before_anything_is_made() {
    let reads = statement("secretsmanager:GetSecretValue", "*");
    let lambda = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let cases: [(&Value, &Value, &[&str]); 2] = [
        (&lambda, &reads, &["--role-arn", "rds.amazonaws.com", "assume"]),
        (&templates::proxy_trust(), &statement("s3:GetObject", "*"), &["The proxy's role may not read a secret"]),
    ];
    for (trust, rights, words) in cases {
        let mut world = prepared();
        put_role(&mut world, trust, rights);
        let bed = Bed::of(world, NEVER, false);
        stopped(&bed.up(&given()).await, words);
        assert_eq!(bed.mutations(0), [""; 0]);
    }
    let mut spec = given();
    spec.role_arn = Some(ROLE.replace("/platform/", "/"));
    stopped(&Bed::of(prepared(), NEVER, false).up(&spec).await, &["--role-arn", "no such role"]);
    spec.role_arn = Some(ROLE.replace("1234", "9999"));
    stopped(&Bed::of(prepared(), NEVER, false).up(&spec).await, &["--role-arn", "account 999956789012"]);
}

#[tokio::test(start_paused = true)]
async fn conditions_that_cannot_be_judged_are_shown() {
    let mut world = prepared();
    let mut trust = templates::proxy_trust();
    trust["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "123456789012"}});
    let mut rights = statement("secretsmanager:GetSecretValue", "*");
    rights["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}});
    put_role(&mut world, &trust, &rights);
    let bed = Bed::of(world, NEVER, false);
    let survey = Box::pin(bed.survey(&given())).await.unwrap();
    let found = doctor::before(&bed.cloud, &survey).await;
    let evidence = |check: CheckId| {
        found
            .iter()
            .filter(|finding| finding.check == check)
            .flat_map(|finding| &finding.evidence)
            .cloned()
            .collect::<String>()
    };
    assert!(evidence(CheckId::RoleTrust).contains("aws:SourceAccount"), "{found:#?}");
    assert!(evidence(CheckId::RoleReadsSecret).contains("aws:SourceVpc"), "{found:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_connect_policy_is_checked_by_document_and_attachment() {
    let mut world = prepared();
    for role in world.iam.roles.values_mut() {
        role.attached.retain(|arn| arn != POLICY);
    }
    let bed = Bed::of(world, NEVER, false);
    let rows = Box::pin(bed.survey(&given())).await.unwrap().entries();
    let missing = |verdict: &Verdict| match verdict {
        Verdict::Conflict(reasons) => reasons.join("; "),
        other => format!("{other:?}"),
    };
    let said = missing(&rows[6].verdict);
    assert!(said.contains("not attached to DBAppFunctionRole") && said.contains("attach-role-policy"), "{said}");
    // Another user than the functions' is found once the proxy's id is known.
    let mut world = prepared();
    put_policy(&mut world, "arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-*/reports");
    let bed = Bed::of(world, NEVER, false);
    stopped(&bed.up(&given()).await, &["orders-connect", "does not allow rds-db:connect", "/admin", "statement added"]);
    let touched = bed.mutations(0).iter().any(|action| action == "UpdateFunctionConfiguration");
    assert!(!touched, "a function was touched");
    let spec = Spec { connect_policy_arn: Some(format!("{POLICY}-none")), ..given() };
    let rows = Box::pin(Bed::of(prepared(), NEVER, false).survey(&spec)).await.unwrap().entries();
    assert!(missing(&rows[5].verdict).contains("there is no policy"), "{:?}", rows[5]);
}

#[tokio::test(start_paused = true)]
async fn a_role_given_later_takes_over_and_ours_goes_with_the_stack() {
    let bed = Bed::of(prepared(), NEVER, false);
    let before = bed.dump().await;
    done(&bed.up(&wish(INSTANCE)).await);
    let survey = Box::pin(bed.survey(&given())).await.unwrap();
    assert!(survey.warnings.iter().any(|text| text.contains("not used any more")), "{:?}", survey.warnings);
    done(&bed.up(&given()).await);
    assert_eq!(bed.dump().await["rds"]["proxies"]["my-instance-proxy"]["role_arn"], ROLE);
    done(&bed.down(&given()).await);
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_given_role_logs_in_with_iam_from_end_to_end() {
    let mut spec = given();
    spec.database_auth = Some(DatabaseAuth::Iam);
    let world = || {
        let mut world = prepared();
        put_role(&mut world, &templates::proxy_trust(), &statement("rds-db:connect", "*"));
        world
    };
    let bed = Bed::of(world(), NEVER, false);
    done(&bed.up(&spec).await);
    assert!(!bed.mutations(0).iter().any(|action| action == "PutRolePolicy"));
    let mut closed = world();
    put_role(&mut closed, &templates::proxy_trust(), &statement("s3:GetObject", "*"));
    stopped(&Bed::of(closed, NEVER, false).up(&spec).await, &["The proxy's role may not connect to the database"]);
}
